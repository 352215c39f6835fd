"""`manage.py schedule`: list the schedules of jobs, pause them, and skip, move or run single runs of theirs."""

from typing import Any

from django.core.management.base import CommandParser

from jobs.engine import schedules, slots
from jobs.engine.find import find_job, find_project
from jobs.engine.planned import coming
from jobs.engine.rights import Actor
from jobs.engine.schedule_documents import schedule_document
from jobs.engine.schedules import find_schedule
from jobs.management.base import HubCommand, acting, add_deed, add_json, add_project
from jobs.management.options import moment_option
from jobs.management.show import moment
from jobs.models import Schedule
from jobs.schedules import describe

HEAD = ("JOB", "PROJECT", "SCHEDULE", "WHEN", "ZONE", "NEXT", "STATE")
SLOT = "For when it is planned, in JOBHUB_TIME_ZONE or with an offset, such as 2027-03-01T06:00."


class Command(HubCommand):
    help = "List the schedules of jobs, pause and release them, and skip, move or run single runs of theirs."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        rows = add_deed(deeds, "list", "List schedules: what they mean, when they come next, what stops them.")
        rows.add_argument("--job", metavar="NAME", help="Only of this job.")
        rows.add_argument("--project", metavar="NAME", help="Only of this project; default: all.")
        add_json(rows)
        pause = self._named(deeds, "pause", "Let its times pass without a run.")
        pause.add_argument("--until", metavar="TIME", type=moment_option, help="When it ends by itself; also 90m, 2d.")
        self._named(deeds, "release", "End the pause; what was missed is up to the schedule's catch_up.")
        skip = self._named(deeds, "skip", "Leave out one planned run.")
        move = self._named(deeds, "move", "Give one planned run another time.")
        run = self._named(deeds, "run", "Start one planned run now instead of at its time.")
        back = self._named(deeds, "reinstate", "Let a run that was skipped or moved come at its own time after all.")
        for one in (skip, move, back):
            one.add_argument("slot_at", metavar="TIME", type=moment_option, help=SLOT)
        move.add_argument("to", metavar="TO", type=moment_option, help="When it shall start; also 90m, 2d.")
        run.add_argument(
            "slot_at", metavar="TIME", nargs="?", type=moment_option, help=f"{SLOT} Default: the next one."
        )
        for one in (pause, skip, move):
            one.add_argument("--reason", default="", help="Shown to everybody who looks.")

    @staticmethod
    def _named(deeds: Any, name: str, text: str) -> CommandParser:
        parser = add_deed(deeds, name, text)
        parser.add_argument("job", metavar="JOB", help="A job by name, id or uuid.")
        parser.add_argument(
            "--schedule", metavar="NAME", default="", help="Which of its schedules; default: the only one."
        )
        add_project(parser)
        add_json(parser)
        return parser

    def handle(self, *_: Any, **options: Any) -> None:
        if options["deed"] == "list":
            return self._list(options)
        actor = acting(options)
        schedule = find_schedule(find_job(options["job"], actor=actor), options["schedule"])
        said = self._do(schedule, actor, options)
        if options["json"]:
            return self.say_json({"job": schedule.job.name, "schedule": schedule.name, "did": said})
        return self.say(f"{schedule}: {said}")

    @staticmethod
    def _do(schedule: Schedule, actor: Actor, options: dict[str, Any]) -> str:
        deed: str = options["deed"]
        slot_at: Any = options.get("slot_at")
        if deed == "pause":
            schedules.pause(schedule, actor=actor, reason=options["reason"], until=options["until"])
            return f"paused until {moment(schedule.paused_until)}" if schedule.paused_until else "paused"
        if deed == "release":
            schedules.release(schedule, actor=actor)
            return "released"
        if deed == "run":
            return f"started as {slots.run(schedule, slot_at, actor=actor).handle}"
        if deed == "skip":
            slots.skip(schedule, slot_at, actor=actor, reason=options["reason"])
            return f"the run of {moment(slot_at)} is left out"
        if deed == "move":
            slots.move(schedule, slot_at, options["to"], actor=actor, reason=options["reason"])
            return f"the run of {moment(slot_at)} comes at {moment(options['to'])}"
        slots.reinstate(schedule, slot_at, actor=actor)
        return f"the run of {moment(slot_at)} comes as planned"

    def _list(self, options: dict[str, Any]) -> None:
        rows = Schedule.objects.select_related("job__project").order_by("job__project__name", "job__name", "position")
        if options["job"]:
            rows = rows.filter(job=find_job(options["job"], actor=acting(options)))
        if options["project"]:
            rows = rows.filter(job__project=find_project(options["project"]))
        if options["json"]:
            self.say_json([_document(one) for one in rows])
        else:
            self.say_table(HEAD, [_cells(one) for one in rows])


def _document(schedule: Schedule) -> dict[str, Any]:
    job = schedule.job
    return {
        "job": job.name,
        "project": job.project.name,
        **schedule_document(schedule),
        "means": describe(schedule.dialect, schedule.value),
        "next": coming(schedule),
        "state": _state(schedule),
    }


def _cells(schedule: Schedule) -> tuple[Any, ...]:
    job, times = schedule.job, coming(schedule, 1)
    means = describe(schedule.dialect, schedule.value)
    return (
        job.name,
        job.project,
        schedule.name,
        means,
        schedule.zone,
        moment(times[0]) if times else "",
        _state(schedule),
    )


def _state(schedule: Schedule) -> str:
    if schedule.broken:
        return f"broken: {schedule.broken}"
    if not schedule.enabled:
        return "switched off"
    if schedule.is_paused:
        until = f" until {moment(schedule.paused_until)}" if schedule.paused_until else ""
        return f"paused by {schedule.paused_by}{until}: {schedule.pause_reason or 'no reason given'}"
    if schedule.job.is_held:
        return f"the job is on hold: {schedule.job.hold_reason or 'no reason given'}"
    return "" if schedule.next_at or schedule.is_continuous else "ended"

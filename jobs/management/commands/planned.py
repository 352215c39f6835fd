"""`manage.py planned`: what will run."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from jobs.engine.find import find_job, find_project
from jobs.engine.planned import LONGEST, Planned, planned
from jobs.management.base import HubCommand, acting, add_json
from jobs.management.options import count
from jobs.management.show import moment

HEAD = ("AT", "JOB", "SCHEDULE", "IN ITS ZONE", "STATE", "WHY")
LONGEST_H = LONGEST.days * 24


class Command(HubCommand):
    help = "List the runs to come, soonest first. Times are in JOBHUB_TIME_ZONE, and in the schedule's own zone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", metavar="N", type=_hours, default=24, help="How far to look ahead; default 24.")
        parser.add_argument("--job", metavar="NAME", help="Only of this job.")
        parser.add_argument("--project", metavar="NAME", help="Only of this project; default: all.")
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        job = find_job(options["job"], actor=acting(options)) if options["job"] else None
        project = find_project(options["project"]) if options["project"] else None
        runs, is_complete = planned([project.pk] if project else None, hours=options["hours"], of=job)
        if options["json"]:
            return self.say_json({"results": [_document(run) for run in runs], "is_complete": is_complete})
        if runs:
            self.say_table(HEAD, [_cells(run) for run in runs])
        else:
            self.stderr.write(f"nothing is planned for the next {options['hours']} hours")
        if not is_complete:
            self.stderr.write("these are the first of them; look less far ahead with --hours")
        return None


def _hours(text: str) -> int:
    hours = count(text)
    if hours > LONGEST_H:
        raise ArgumentTypeError(f"wanted at most {LONGEST_H} hours")
    return hours


def _document(run: Planned) -> dict[str, Any]:
    return {
        "at": run.at,
        "local": run.local.isoformat(),
        "slot_at": run.slot_at,
        "job": run.schedule.job.name,
        "project": run.schedule.job.project.name,
        "schedule": run.schedule.name,
        "state": run.state,
        "reason": run.reason,
        "by": run.by,
    }


def _cells(run: Planned) -> tuple[Any, ...]:
    was = f"instead of {moment(run.slot_at)}" if run.is_moved else ""
    why = " ".join(part for part in (was, run.reason, f"({run.by})" if run.by else "") if part)
    local = f"{run.local:%Y-%m-%d %H:%M:%S %Z}"
    return moment(run.at), run.schedule.job.name, run.schedule.name, local, run.state, why

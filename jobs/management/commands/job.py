"""`manage.py job`: list, show, hold, release and delete jobs."""

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import OuterRef, Subquery

from jobs.engine import verbs
from jobs.engine.apply import dump, tidy
from jobs.engine.documents import document_of
from jobs.engine.find import find_job, find_project
from jobs.engine.rights import Actor
from jobs.management.base import HubCommand, acting, add_deed, add_json, add_project
from jobs.management.options import moment_option
from jobs.management.show import moment
from jobs.models import Job, JobExecution

FIELDS = ("id", "name", "project__name", "kind", "is_held", "hold_reason", "hold_until", "held_by", "state", "last_at")
HEAD = ("ID", "JOB", "PROJECT", "KIND", "LAST", "QUEUED", "HELD")


class Command(HubCommand):
    help = "List jobs, print them as a file for `apply`, hold, release or delete them."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
        rows = add_deed(deeds, "list", "List jobs with the state of their last execution.")
        rows.add_argument("--project", metavar="NAME", help="Only of this project; default: all.")
        add_json(rows)
        self._named(deeds, "show", "Print jobs as YAML that `apply` takes; all of a project when none is named.", "*")
        hold = self._named(deeds, "hold", "Keep jobs from starting: triggers are refused, what is queued waits.")
        hold.add_argument("--reason", default="", help="Shown to everybody who tries.")
        hold.add_argument("--until", metavar="TIME", type=moment_option, help="When it ends by itself; also 90m, 2d.")
        self._named(deeds, "release", "End the hold of jobs.")
        self._named(deeds, "delete", "Delete jobs and abort what is active of them; their history stays.")

    @staticmethod
    def _named(deeds: Any, name: str, text: str, number: str = "+") -> CommandParser:
        parser = add_deed(deeds, name, text)
        parser.add_argument("names", metavar="NAME", nargs=number, help="Jobs by name, id or uuid.")
        add_project(parser)
        add_json(parser)
        return parser

    def handle(self, *_: Any, **options: Any) -> None:
        if options["deed"] == "list":
            return self._list(options)
        actor = acting(options)
        jobs = [find_job(name, actor=actor) for name in options["names"]]
        if options["deed"] == "show":
            return self._show(jobs or list(Job.objects.filter(project_id=actor.home)), options)
        said = [self._do(job, actor, options) for job in jobs]
        if options["json"]:
            return self.say_json([{"name": job.name, "did": text} for job, text in zip(jobs, said, strict=True)])
        return self.say("\n".join(f"{job.name}: {text}" for job, text in zip(jobs, said, strict=True)))

    @staticmethod
    def _do(job: Job, actor: Actor, options: dict[str, Any]) -> str:
        if options["deed"] == "hold":
            verbs.hold(job, actor=actor, reason=options["reason"], until=options["until"])
            return f"held until {moment(job.hold_until)}" if job.hold_until else "held"
        if options["deed"] == "release":
            verbs.release(job, actor=actor)
            return "released"
        verbs.delete_job(job, actor=actor)
        return "deleted"

    def _show(self, jobs: list[Job], options: dict[str, Any]) -> None:
        documents = {"jobs": [tidy(document_of(job)) for job in jobs]}
        if options["json"]:
            self.say_json(documents)
        else:
            self.stdout.write(dump(documents), ending="")

    def _list(self, options: dict[str, Any]) -> None:
        newest = JobExecution.objects.filter(job=OuterRef("pk")).order_by("-pk")
        jobs = Job.objects.annotate(state=Subquery(newest.values("state")[:1]))
        jobs = jobs.annotate(last_at=Subquery(newest.values("queued_at")[:1])).order_by("project__name", "name")
        if options["project"]:
            jobs = jobs.filter(project=find_project(options["project"]))
        rows = list(jobs.values(*FIELDS))
        if options["json"]:
            self.say_json([_document(row) for row in rows])
        else:
            self.say_table(HEAD, [_cells(row) for row in rows])


def _document(row: dict[str, Any]) -> dict[str, Any]:
    hold = {"reason": row["hold_reason"], "until": row["hold_until"], "by": row["held_by"]} if row["is_held"] else None
    plain = {name: row[name] for name in ("id", "name", "kind", "state", "last_at")}
    return {**plain, "project": row["project__name"], "hold": hold}


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    until = f" until {moment(row['hold_until'])}" if row["hold_until"] else ""
    held = f"{row['hold_reason'] or 'yes'}{until}" if row["is_held"] else ""
    return row["id"], row["name"], row["project__name"], row["kind"], row["state"], moment(row["last_at"]), held

"""`manage.py abort`: end executions."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.engine.aborts import abort
from jobs.engine.find import find_execution, find_project
from jobs.errors import JobHubError
from jobs.management.base import EXIT_REFUSED, HubCommand, add_json, anywhere
from jobs.models import JobExecution
from jobs.states import ACTIVE, State


class Command(HubCommand):
    help = (
        "End executions named by id, uuid or handle, or all active ones that the filters match. Queued and paused ones "
        "end at once; a running one is asked to stop and is `aborting` until it has."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("refs", metavar="REF", nargs="*", help="Executions by id, uuid or handle.")
        parser.add_argument(
            "--state",
            choices=sorted(state.value for state in ACTIVE - {State.ABORTING}),
            action="append",
            help="All in this state; may be repeated.",
        )
        parser.add_argument("--job", metavar="NAME", help="All of this job.")
        parser.add_argument("--kind", help="All of this kind.")
        parser.add_argument("--project", metavar="NAME", help="Of the filtered ones only those of this project.")
        parser.add_argument("--dry-run", action="store_true", help="Only say which.")
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        executions = self._named(options)
        n_refused = 0
        said = []
        for execution in executions:
            refusal = "" if options["dry_run"] else _try(execution)
            n_refused += bool(refusal)
            said.append({"id": execution.pk, "handle": execution.handle, "state": execution.state, "refused": refusal})
            if not options["json"]:
                self._say_one(execution, refusal)
        if options["json"]:
            self.say_json(said)
        elif not executions:
            self.stderr.write("nothing to abort")
        if n_refused:
            raise CommandError(f"{n_refused} of {len(executions)} refused", returncode=EXIT_REFUSED)

    def _say_one(self, execution: JobExecution, refusal: str) -> None:
        if refusal:
            self.stderr.write(refusal)
        else:
            self.say(f"{execution.handle}: {execution.state}")

    def _named(self, options: dict[str, Any]) -> list[JobExecution]:
        has_filter = any(options[name] for name in ("state", "job", "kind"))
        if bool(options["refs"]) == has_filter:
            text = "name executions, or say which with --state, --job or --kind; not both"
            raise CommandError(text, returncode=EXIT_REFUSED)
        if options["refs"]:
            return [find_execution(ref, actor=anywhere()) for ref in options["refs"]]
        return _filtered(options)


def _filtered(options: dict[str, Any]) -> list[JobExecution]:
    rows = JobExecution.objects.active().exclude(state=State.ABORTING).order_by("pk")
    if options["state"]:
        rows = rows.filter(state__in=options["state"])
    for name, lookup in (("job", "job_name"), ("kind", "kind")):
        if options[name]:
            rows = rows.filter(**{lookup: options[name]})
    return list(rows.filter(project=find_project(options["project"])) if options["project"] else rows)


def _try(execution: JobExecution) -> str:
    """Why it was refused, empty when it was not."""
    try:
        abort(execution, actor=anywhere())
    except JobHubError as error:
        return error.message
    return ""

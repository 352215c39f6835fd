"""`manage.py executions`: what waits, runs and ran."""

from typing import Any

from django.core.management.base import CommandParser

from jobs.engine.execution_shape import all_fresh_json
from jobs.engine.find import find_project
from jobs.management.base import HubCommand, add_json
from jobs.management.options import count
from jobs.management.show import duration, moment, summaries
from jobs.models import JobExecution
from jobs.states import ACTIVE, State

HEAD = ("ID", "JOB", "STATE", "QUEUED", "TOOK", "HANDLE", "WHAT")
LIMIT = 20


class Command(HubCommand):
    help = "List executions, the newest first; those that wait say what for. Times are in JOBHUB_TIME_ZONE."

    def add_arguments(self, parser: CommandParser) -> None:
        states = [*(state.value for state in State), "active"]
        parser.add_argument("--job", metavar="NAME", help="Only of this job.")
        parser.add_argument("--state", choices=states, action="append", help="Only in this state; may be repeated.")
        parser.add_argument("--kind", help="Only of this kind.")
        parser.add_argument("--node", help="Only those that ran on this node.")
        parser.add_argument("--project", metavar="NAME", help="Only of this project; default: all.")
        parser.add_argument("--limit", metavar="N", type=count, default=LIMIT, help=f"So many; default {LIMIT}.")
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        rows = list(self._rows(options))
        if options["json"]:
            self.say_json(all_fresh_json(rows))
        elif rows:
            self.say_table(HEAD, [_cells(row, said) for row, said in zip(rows, summaries(rows), strict=True)])
        else:
            self.stderr.write("no executions")

    def _rows(self, options: dict[str, Any]) -> Any:
        rows = JobExecution.objects.select_related("project").order_by("-pk")
        for name, lookup in (("job", "job_name"), ("kind", "kind"), ("node", "node")):
            if options[name]:
                rows = rows.filter(**{lookup: options[name]})
        if options["project"]:
            rows = rows.filter(project=find_project(options["project"]))
        if options["state"]:
            rows = rows.filter(state__in=_states(options["state"]))
        return rows[: options["limit"]]


def _cells(row: JobExecution, said: str) -> tuple[Any, ...]:
    return row.pk, row.job_name, row.state, moment(row.queued_at), duration(row), row.handle, said


def _states(words: list[str]) -> set[str]:
    found = {word for word in words if word != "active"}
    return found | {state.value for state in ACTIVE} if "active" in words else found

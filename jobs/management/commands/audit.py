"""`manage.py audit`: who did what."""

import json
import time
from typing import Any

from django.core.management.base import CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import close_old_connections, connection

from jobs.engine.find import find_project
from jobs.management.base import HubCommand, add_json, printable
from jobs.management.options import count, past_moment_option
from jobs.management.show import moment
from jobs.models import AuditEvent

HEAD = ("AT", "WHO", "DEED", "SUBJECT", "PROJECT", "FACE", "FROM", "TIMES")
FIELDS = ("id", "at", "username", "face", "key_id", "project__name", "deed", "subject", "address", "count", "detail")
LIMIT = 50
PAUSE_S = 1.0


class Command(HubCommand):
    help = (
        "List the audit, newest first: what was done, by whom, through which face and key, from where; and what was "
        "refused, equal refusals of a minute as one row. Times are in JOBHUB_TIME_ZONE."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--who", metavar="NAME", help="Only of this user; `operator`: the shell and the hub.")
        parser.add_argument("--deed", help="Only this, such as trigger or 'refuse login'.")
        parser.add_argument("--subject", help="Only about this job, handle, user or key.")
        parser.add_argument("--project", metavar="NAME", help="Only of this project.")
        parser.add_argument("--from", metavar="TIME", type=past_moment_option, help="Not before; also 90m, 30d ago.")
        parser.add_argument("--to", metavar="TIME", type=past_moment_option, help="Before; also 90m, 30d ago.")
        parser.add_argument("--limit", metavar="N", type=count, default=LIMIT, help=f"So many; default {LIMIT}.")
        parser.add_argument("--follow", action="store_true", help="Oldest first, and go on with what comes.")
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        rows = list(_rows(options)[: options["limit"]])
        if options["follow"]:
            self._follow(options, rows[::-1])
        elif options["json"]:
            self.say_json([_document(row) for row in rows])
        elif rows:
            self.say_table(HEAD, [_cells(row) for row in rows])
        else:
            self.stderr.write("no audit events")

    def _follow(self, options: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        """Until Ctrl-C, a line each. A refusal that is counted further is not told again."""
        last = 0
        while True:
            for row in rows:
                self.say(_line(row, as_json=options["json"]))
                last = row["id"]
            self.stdout.flush()
            time.sleep(PAUSE_S)
            if not connection.in_atomic_block:
                close_old_connections()
            rows = list(_rows(options).filter(pk__gt=last).order_by("pk")[:LIMIT])


def _rows(options: dict[str, Any]) -> Any:
    rows = AuditEvent.objects.values(*FIELDS).order_by("-pk")
    if options["deed"]:
        rows = rows.of_deed(options["deed"])
    if options["project"]:
        rows = rows.filter(project=find_project(options["project"]))
    lookups = {"who": "username", "subject": "subject", "from": "at__gte", "to": "at__lt"}
    given = {lookup: options[name] for name, lookup in lookups.items() if options[name]}
    return rows.filter(**given)


def _document(row: dict[str, Any]) -> dict[str, Any]:
    names = {"username": "who", "key_id": "key", "project__name": "project"}
    return {names.get(name, name): value for name, value in row.items()}


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    face = f"{row['face']} {row['key_id']}".strip()
    times = row["count"] if row["count"] > 1 else ""
    what = (row["username"], row["deed"], row["subject"], row["project__name"])
    return moment(row["at"]), *what, face, row["address"], times


def _line(row: dict[str, Any], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(_document(row), cls=DjangoJSONEncoder, ensure_ascii=False)
    return "  ".join(printable(cell) for cell in _cells(row) if cell not in ("", None))

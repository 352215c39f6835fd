"""`manage.py apply`: jobs as code."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.engine.apply import Applied, Change, apply, parse, places
from jobs.errors import Invalid
from jobs.management.base import EXIT_REFUSED, HubCommand, acting, add_json, add_project, refusal
from jobs.management.options import param


class Command(HubCommand):
    help = (
        "Create and update the jobs that a YAML file describes, all of them or none, and say what that changed; jobs "
        "that the file does not name are left alone. In its texts {{examples}} and {{data}} stand for the examples' "
        "folder and for JOBHUB_VAR/data, {{hub}} for the hub's address, {{name}} for what --set gives; quote values "
        "that begin with {{."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="The file; - for standard input.")
        parser.add_argument("--dry-run", action="store_true", help="Show what would change and write nothing.")
        parser.add_argument(
            "--set", metavar="NAME=VALUE", type=param, action="append", default=[], help="What {{NAME}} stands for."
        )
        add_project(parser)
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            raw = parse(_read(options["file"]), {**places(), **dict(options["set"])})
            applied = apply(raw, actor=acting(options), dry_run=options["dry_run"])
        except Invalid as error:
            raise refusal(error, where=options["file"]) from error
        if options["json"]:
            self.say_json(_document(applied))
        else:
            self._tell(applied, dry_run=options["dry_run"])

    def _tell(self, applied: Applied, *, dry_run: bool) -> None:
        for change in applied.changes:
            self.say(f"{change.verb:9}  {change.kind} {change.name}")
            if change.verb == "changed" or dry_run:
                self._tell_difference(change)
        for execution in applied.started:
            self.say(f"would start  {execution.job_name}" if dry_run else f"started    {execution.handle}")
        if dry_run:
            self.say("dry run: nothing was written")

    def _tell_difference(self, change: Change) -> None:
        for line in change.diff:
            self.say(f"    {line}")


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot read {name!r}: {error.strerror}", returncode=EXIT_REFUSED) from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{name!r} is no UTF-8 text: {error.reason}", returncode=EXIT_REFUSED) from None


def _document(applied: Applied) -> dict[str, Any]:
    return {
        "changes": [{"kind": one.kind, "name": one.name, "did": one.verb, "diff": one.diff} for one in applied.changes],
        "started": [{"job": one.job_name, "handle": one.handle} for one in applied.started],
    }

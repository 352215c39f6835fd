"""`manage.py restore`: put a dump of the hub back."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.db import connection

from jobs.errors import Invalid
from jobs.management.base import HubCommand, add_json, anywhere
from jobs.management.dumps.progress import bar
from jobs.management.dumps.read import opened
from jobs.management.dumps.restore import restore, unreadable_secrets
from jobs.management.preflight import QuietHub, check_database, check_var

WORD = "everything"


class Command(HubCommand):
    help = (
        "Fill an empty hub with what `manage.py dump` wrote, whichever database wrote it and whichever this is; one "
        "without tables gets them. All of it or nothing: the file is checked first, and written in one transaction. "
        "Workers and web server must be stopped. What was running when the dump was made is lost work to the next "
        "worker: it runs again or fails as its job says."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--replace",
            metavar=WORD,
            help=f"Delete what this hub has first, and only if the dump is good; the word must be `{WORD}`.",
        )
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        if options["replace"] not in (None, WORD):
            raise Invalid.field("--replace", f"wanted the word {WORD!r}: it deletes all that this hub has")
        check_var()
        with QuietHub(), opened(options["file"]) as dump:
            if "jobs_user" not in connection.introspection.table_names():
                call_command("migrate", verbosity=0)
            check_database()
            dump.check_version()
            with bar(self.stderr, lambda: 2 * dump.n_rows) as advance:
                dump.check_content(advance)
                restore(dump, replace=bool(options["replace"]), actor=anywhere(), advance=advance)
        self._tell(dump.manifest, dump.n_rows, as_json=options["json"])

    def _tell(self, manifest: dict[str, Any], n_rows: int, *, as_json: bool) -> None:
        lost = unreadable_secrets()
        if as_json:
            self.say_json({"rows": n_rows, "made_at": manifest["made_at"], "unreadable_secrets": lost})
        else:
            self.say(f"{n_rows} rows of {manifest['made_at'][:19]} UTC are in place")
        if lost:
            self.stderr.write(
                "these secrets cannot be read without the keys of the hub that set them: put its "
                f"VAR/hub/secret.keys in place, or set them anew: {', '.join(lost)}"
            )

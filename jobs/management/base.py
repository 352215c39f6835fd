"""What all commands share: options, exit codes, and errors that are one line and name the way out."""

import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error

from jobs.engine.find import default_project, find_project
from jobs.engine.rights import Actor, operator
from jobs.errors import EXIT_REFUSED, Invalid, JobHubError

EXIT_FAILED = 1
"""The work failed."""
EXIT_ABORTED = 3
"""The work was aborted."""
EXIT_WAITING = 4
"""The work had not ended when the time was over."""
EXIT_DATABASE = 5
"""The database does not answer."""
EXIT_INTERRUPTED = 130
"""Ctrl-C."""

EXIT_CODES = "exit codes: 0 done, 2 refused or wrong usage, 5 the database does not answer"
FACE = "shell"


class HubCommand(BaseCommand):
    """A command of the hub's operator, who may do everything."""

    requires_system_checks: list[str] = []
    suppressed_base_arguments = {
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }
    epilog = EXIT_CODES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stderr.style_func = None  # what is said there is no error, as a rule

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=self.epilog, **kwargs)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return self._execute(*args, **options)
        except CommandError as error:
            if not getattr(self, "_called_from_command_line", False) or options.get("traceback"):
                raise
            self.stderr.write(f"{self.__module__.rpartition('.')[2]}: {error}")
            sys.exit(error.returncode)

    def _execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except Invalid as error:
            raise refusal(error) from error
        except JobHubError as error:
            raise CommandError(error.message, returncode=EXIT_REFUSED) from error
        except Error as error:
            raise CommandError(database_text(error), returncode=EXIT_DATABASE) from error
        except KeyboardInterrupt:
            sys.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None

    def say(self, text: str) -> None:
        self.stdout.write(text)

    def say_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))

    def say_table(self, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """Columns under their heads; control characters are shown as escapes, so no text can play with a terminal."""
        table = [[printable(value) for value in row] for row in (head, *rows)]
        widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
        for row in table:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def refusal(error: Invalid, *, where: str = "") -> CommandError:
    """A line for each wrong field. What a hub may do is in its environment, and easily not in that of another shell."""
    lines = [": ".join(part for part in (where, one.field, one.message) if part) for one in error.errors]
    if any("JOBHUB_" in line for line in lines):
        lines.append("if the hub has it there already: this command reads its own environment, so set it here as well")
    return CommandError("\n".join(lines), returncode=EXIT_REFUSED)


def printable(value: Any) -> str:
    """As text; control characters are shown as escapes."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def database_text(error: Error) -> str:
    """A database's error as one line with the way out."""
    first = str(error).strip().split("\n")[0] or type(error).__name__
    if "no such table" in first or "does not exist" in first or "no such column" in first:
        return f"the database is not set up for this version ({first}); run `manage.py setup`"
    return f"the database does not answer ({first}); see JOBHUB_DATABASE_URL"


def add_deed(deeds: Any, name: str, text: str) -> CommandParser:
    """A subcommand: its own help begins with what its command's help says of it."""
    parser: CommandParser = deeds.add_parser(name, help=text, description=text, epilog=EXIT_CODES)
    return parser


def add_json(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="Print JSON.")


def add_project(parser: CommandParser) -> None:
    parser.add_argument(
        "--project", metavar="NAME", help="The project to act in; default: `default`, else the only one there is."
    )


def acting(options: dict[str, Any]) -> Actor:
    """The operator, in the project that `--project` names."""
    name = options.get("project")
    return operator(FACE, find_project(name) if name else default_project())


def anywhere() -> Actor:
    """The operator where no names are looked up."""
    return operator(FACE)

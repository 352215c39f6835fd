"""`manage.py log`: what an execution printed."""

import json
import sys
from typing import Any

from django.core.management.base import CommandParser

from jobs.engine.find import find_execution
from jobs.management.base import HubCommand, anywhere
from jobs.management.follow import OUTCOMES, Lines, Pieces, Printer, exit_code, follow, give_output
from jobs.models import JobExecution, Output


class Command(HubCommand):
    help = (
        "Print the output of an execution, named by its id, uuid or handle. With --follow until it ends, and the exit "
        "code tells how it did; without, the exit code is 0."
    )
    epilog = OUTCOMES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="The execution's id, uuid or handle.")
        parser.add_argument("--follow", "-f", action="store_true", help="Go on until it ends.")
        parser.add_argument("--timeout", metavar="S", type=float, help="Follow so many seconds at most.")
        parser.add_argument("--json", action="store_true", help="Print JSON, one line for each piece.")

    def handle(self, *_: Any, **options: Any) -> None:
        execution = find_execution(options["ref"], actor=anywhere())
        on_output: Pieces = self._say_piece if options["json"] else Printer(self.stdout)
        if not options["follow"]:
            give_output(execution, after=0, on_output=on_output)
            return self._say_dropped(execution)
        lines = Lines(self.stderr, with_progress=False)
        ended = follow(execution, watcher=lines, on_output=on_output, timeout_s=options["timeout"])
        self._say_dropped(ended)
        if code := exit_code(ended):
            sys.exit(code)
        return None

    def _say_piece(self, piece: Output) -> None:
        """One line of JSON each, so that a reader needs not wait for the end."""
        line = {"seq": piece.seq, "at": piece.at.isoformat(), "stream": piece.stream, "text": piece.text}
        self.stdout.write(json.dumps(line, ensure_ascii=False))
        self.stdout.flush()

    def _say_dropped(self, execution: JobExecution) -> None:
        if execution.output_dropped:
            text = f"{execution.output_dropped} bytes between its beginning and its end were not kept"
            self.stderr.write(f"{text}; see JOBHUB_OUTPUT_LIMIT")

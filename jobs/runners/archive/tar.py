"""Runs GNU tar and tells its messages line by line."""

from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.runners.archive.compress import environment
from jobs.runners.archive.texts import printable
from jobs.runners.context import Context
from jobs.runners.program import run_program

NO_SPACE = "No space left on device"
NO_QUOTA = "Disk quota exceeded"
EPILOGUES = ("Exiting with failure status due to previous errors", "Error is not recoverable: exiting now")
KEPT_LINES = 20


class Messages:
    """What tar says on stderr, in lines without its name; the last ones are kept as causes of a failure."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.last: list[str] = []
        self.is_out_of_space = False
        self._on_line = on_line
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(printable(line.decode("utf-8", "surrogateescape")).removeprefix("tar: "))

    def close(self) -> None:
        if self._rest:
            self.feed(b"\n")

    def _take(self, line: str) -> None:
        if line in EPILOGUES:
            return
        self.is_out_of_space |= line.endswith((NO_SPACE, NO_QUOTA))
        self.last = [*self.last, line][-KEPT_LINES:]
        self._on_line(line)


def run_tar(
    arguments: Sequence[str],
    *,
    context: Context,
    cwd: str | Path,
    messages: Messages,
    on_stdout: Callable[[bytes], None] = lambda _: None,
) -> int:
    """Its exit code. Raises as `run_program`."""
    try:
        return run_program(
            ["tar", *arguments],
            context=context,
            env=environment(),
            cwd=cwd,
            on_stdout=on_stdout,
            on_stderr=messages.feed,
        )
    finally:
        messages.close()

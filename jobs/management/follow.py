"""Follow an execution to its end: its output as it comes, its progress as a bar or as lines."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from django.db import close_old_connections, connection

from jobs.errors import NotFound
from jobs.management.base import EXIT_ABORTED, EXIT_FAILED, EXIT_WAITING
from jobs.management.show import duration, summary
from jobs.models import JobExecution, Output
from jobs.states import State

if TYPE_CHECKING:
    from rich.progress import Progress

PAUSE_S = 0.25
PAGE = 200
EXIT_OF = {State.SUCCEEDED: 0, State.FAILED: EXIT_FAILED, State.ABORTED: EXIT_ABORTED}
OUTCOMES = "exit codes: 0 succeeded, 1 failed, 3 aborted, 4 not ended in time, 2 refused or wrong usage, 5 no database"

Pieces = Callable[[Output], None]


class Watcher(Protocol):
    """Somebody who is told after each look at an execution."""

    def see(self, execution: JobExecution) -> None:
        """It may not have changed since the last time."""


def exit_code(execution: JobExecution) -> int:
    return EXIT_OF.get(State(execution.state), EXIT_WAITING)


def follow(
    execution: JobExecution, *, watcher: Watcher | None, on_output: Pieces | None, timeout_s: float | None = None
) -> JobExecution:
    """Look at it until it has ended, or the time is over; returns it as it was seen last.

    All output is given before the end: it is read after the state that says so. Raises `NotFound` when it is deleted.
    """
    ends_at = None if timeout_s is None else time.monotonic() + timeout_s
    seq = 0
    while True:
        if not connection.in_atomic_block:
            close_old_connections()  # so that a database that was restarted meanwhile is connected to again
        current = JobExecution.objects.select_related("project").filter(pk=execution.pk).first()
        if current is None:
            raise NotFound(f"execution {execution.handle} was deleted")
        if on_output is not None:
            seq = give_output(current, after=seq, on_output=on_output)
        if watcher is not None:
            watcher.see(current)
        if current.is_final or (ends_at is not None and time.monotonic() >= ends_at):
            return current
        time.sleep(PAUSE_S)


def give_output(execution: JobExecution, *, after: int, on_output: Pieces) -> int:
    """Give what follows the piece of that number; returns the number of the last one."""
    while pieces := list(execution.output.filter(seq__gt=after).order_by("seq")[:PAGE]):
        for piece in pieces:
            on_output(piece)
        after = pieces[-1].seq
    return after


class Printer:
    """Writes output as it is, and says where some of it was not kept."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._seq = 0

    def __call__(self, piece: Output) -> None:
        if piece.seq > self._seq + 1:
            self._stream.write("[output that was not kept]\n")
        self._seq = piece.seq
        self._stream.write(piece.text, ending="")
        self._stream.flush()


class Lines:
    """Says what has changed, a line each: for pipes and logs, and beside live output."""

    def __init__(self, stream: Any, *, with_progress: bool) -> None:
        self._stream = stream
        self._with_progress = with_progress
        self._last = ""

    def see(self, execution: JobExecution) -> None:
        is_running = execution.state == State.RUNNING
        said = "" if is_running and not self._with_progress else summary(execution)
        took = f" after {duration(execution)}" if execution.is_final and execution.started_at else ""
        line = f"{execution.handle}: {execution.state}{took}{f' ({said})' if said else ''}"
        if line != self._last:
            self._stream.write(line)
            self._stream.flush()
        self._last = line


class Bar:
    """A progress bar on a terminal."""

    def __init__(self, bar: "Progress") -> None:
        self._bar = bar
        self._task = bar.add_task("queued", total=None, said="")

    def see(self, execution: JobExecution) -> None:
        self._bar.update(
            self._task,
            description=f"{execution.job_name} {execution.state}",
            completed=execution.progress_done or 0,
            total=execution.progress_total,
            said=summary(execution),
        )


@contextmanager
def bar_or_lines(stream: Any) -> Iterator[Watcher]:
    """A progress bar when the stream, which is standard error, is a terminal; else lines."""
    if not stream.isatty():
        yield Lines(stream, with_progress=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as bar:
        yield Bar(bar)

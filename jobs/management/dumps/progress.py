"""How far a dump or a restore is: a bar on a terminal, else nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Advance = Callable[[str, int], None]
"""Called with a table and a number of rows."""


@contextmanager
def bar(stream: Any, count: Callable[[], int]) -> Iterator[Advance]:
    """`stream` is standard error; `count`, which may cost, is asked for the total only where a bar is shown."""
    if not stream.isatty():
        yield lambda table, n_rows: None  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("rows", total=count())
        yield lambda table, n_rows: progress.update(task, description=table, advance=n_rows)

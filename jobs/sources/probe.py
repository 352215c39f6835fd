"""Whether a database can be used: asked now, by a connection of its own, within a time that somebody can wait."""

import threading
from collections.abc import Callable
from queue import Empty, Queue

from jobs.errors import RunFailed
from jobs.sources.causes import causes_of
from jobs.sources.connect import connect, driver_errors
from jobs.sources.urls import SQLITE, SqlUrl

LONGEST_S = 15.0
AT_ONCE = threading.BoundedSemaphore(4)
"""A server that never answers holds its probe's thread, and no other: no more than these wait in a process."""


def probe(url: SqlUrl, *, longest_s: float = LONGEST_S) -> None:
    """Connect as a run would, and read. Raises `RunFailed` with the outermost cause first."""
    if not AT_ONCE.acquire(blocking=False):
        raise RunFailed("too many databases are being tried at once; try again in a moment")
    told: Queue[Exception | None] = Queue(1)
    threading.Thread(target=_work, args=(lambda: _ask(url), told), name="probe", daemon=True).start()
    try:
        error = told.get(timeout=longest_s)
    except Empty:
        error = RunFailed(f"cannot connect to {url.place}: no answer within {longest_s:g} s")
    if error is not None:
        raise error


def _work(ask: Callable[[], None], told: "Queue[Exception | None]") -> None:
    try:
        ask()
        told.put(None)
    except Exception as error:  # noqa: BLE001 - it is raised by whoever waits
        told.put(error)
    finally:
        AT_ONCE.release()


def _ask(url: SqlUrl) -> None:
    what = "SELECT name FROM sqlite_master LIMIT 1" if url.dialect == SQLITE else "SELECT 1"
    try:
        with connect(url, read_only=True) as session:
            session.stream(what, {}).fetchall()
    except driver_errors() as error:
        causes = causes_of(error)
        raise RunFailed(f"cannot connect to {url.place}: {causes[0].splitlines()[0]}", causes=causes) from error

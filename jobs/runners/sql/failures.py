"""What drivers raise, told as a run's failure, and statements that end when the run is told to stop."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from jobs.errors import RunFailed
from jobs.runners.context import Context
from jobs.sources import Session
from jobs.sources.causes import causes_of
from jobs.sources.connect import driver_errors

LOOK_S = 0.2
AGAIN_S = 1.0


@contextmanager
def told(what: str, context: Context) -> Iterator[None]:
    """Turn what a driver raises into a `RunFailed`: what was being done, then the driver's words, outermost first.

    When the run was told to stop, that is why the driver failed: `Stopped`.
    """
    try:
        yield
    except _errors() as error:
        context.raise_if_stopped()
        causes = causes_of(error)
        raise RunFailed(f"{what}: {causes[0].splitlines()[0]}", causes=causes) from error


def _errors() -> tuple[type[Exception], ...]:
    from sqlalchemy.exc import SQLAlchemyError

    return (*driver_errors(), SQLAlchemyError)


@contextmanager
def cancelled_by(context: Context, session: Session) -> Iterator[None]:
    """While the block runs, a stop of the run also ends the statement that the session is at, within seconds."""
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(context, session.cancel, done), name="cancel", daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()


def _watch(context: Context, cancel: Callable[[], None], done: threading.Event) -> None:
    while not done.wait(LOOK_S):
        while context.should_stop() and not done.is_set():
            with suppress(Exception):
                cancel()
            done.wait(AGAIN_S)

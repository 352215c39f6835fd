"""What drivers raise, told as a chain of causes, and statements that end when the run is told to stop."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from jobs.errors import RunFailed
from jobs.runners.context import Context
from jobs.sources import Session
from jobs.sources.connect import driver_errors

LOOK_S = 0.2
AGAIN_S = 1.0
MAX_CAUSES = 10


@contextmanager
def told(what: str, context: Context) -> Iterator[None]:
    """Turn what a driver raises into a `RunFailed`: what was being done, then the driver's words, outermost first.

    When the run was told to stop, that is why the driver failed: `Stopped`.
    """
    try:
        yield
    except _errors() as error:
        context.raise_if_stopped()
        causes = chain(error)
        raise RunFailed(f"{what}: {causes[0].splitlines()[0]}", causes=causes) from error


def _errors() -> tuple[type[Exception], ...]:
    from sqlalchemy.exc import SQLAlchemyError

    return (*driver_errors(), SQLAlchemyError)


def chain(error: BaseException) -> list[str]:
    """The words of an exception and of what it was raised from."""
    found: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(found) < MAX_CAUSES:
        driver = getattr(seen, "orig", None) or seen
        text = _words(driver)
        if text not in found:
            found.append(text)
        seen = driver.__cause__ or (None if driver.__suppress_context__ else driver.__context__)
    return found


def _words(error: BaseException) -> str:
    """MySQL's errors are a number and a text, the others a text."""
    args = error.args
    if len(args) == 2 and isinstance(args[0], int):
        return f"({args[0]}) {args[1]}"
    return str(error).strip() or type(error).__name__


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

"""Runners that do what a test tells them, and threads that begin together."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, ClassVar, TypeVar

from django.db import connections

from jobs.errors import Invalid, RunFailed
from jobs.models import JobExecution, Output
from jobs.runners.base import OnLost, Result, Runner, Spec
from jobs.runners.context import Context

Act = Callable[[Context], Any]
ACTS: dict[str, Act] = {}
RUNNERS_HERE = {
    "puppet": "tests.jobs.puppets:Puppet",
    "boss": "tests.jobs.puppets:Boss",
}
T = TypeVar("T")
PATIENCE_S = 30.0
_numbers = count(1)


class PuppetSpec(Spec):
    act: str
    can_pause: bool = False
    on_lost: str = "rerun"


class Puppet(Runner[PuppetSpec]):
    """Calls the function that a test has put on the stage; it may return a `Result`."""

    name: ClassVar[str] = "puppet"
    Spec: ClassVar[type[Spec]] = PuppetSpec

    def check(self, spec: PuppetSpec) -> None:
        if spec.act not in ACTS:
            raise Invalid.field("act", "nobody can do this any more")

    def can_pause(self, spec: PuppetSpec) -> bool:
        return spec.can_pause

    def on_lost_of(self, spec: PuppetSpec) -> OnLost:
        return OnLost(spec.on_lost)

    def run(self, spec: PuppetSpec, context: Context) -> Result:
        return ACTS[spec.act](context) or Result()


class Boss(Puppet):
    """The same, for admins only."""

    name: ClassVar[str] = "boss"
    privileged: ClassVar[bool] = True


def stage(act: Act) -> str:
    name = f"act-{next(_numbers)}"
    ACTS[name] = act
    return name


def nothing(context: Context) -> None:
    """Ends well at once."""


def listen(context: Context) -> None:
    """Works until it is told to stop, and obeys; gives up when nobody tells it."""
    until = time.monotonic() + PATIENCE_S
    while not context.wait(0.02):
        assert time.monotonic() < until, "nobody told it to stop"
    context.raise_if_stopped()


def fail(context: Context) -> None:
    """Ends badly at once."""
    raise RunFailed("it broke", causes=["because", "of this"], exit_code=7)


class Fails:
    """Fails so many times, then does well."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.calls = 0

    def __call__(self, context: Context) -> None:
        self.calls += 1
        if self.calls <= self.left:
            raise RunFailed(f"failure {self.calls}")


def output_of(execution: JobExecution) -> str:
    return "".join(Output.objects.filter(execution=execution).values_list("text", flat=True))


def at_once(n: int, function: Callable[[int], T]) -> list[T | Exception]:
    """What `n` threads got that called the function with their numbers, all begun at the same moment."""
    barrier = threading.Barrier(n)

    def call(number: int) -> T | Exception:
        try:
            barrier.wait()
            return function(number)
        except Exception as error:  # noqa: BLE001 - it is the answer
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(call, range(n)))

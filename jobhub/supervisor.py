"""Keeps the parts of a hub running on one machine: starts them, restarts what dies, stops them in order."""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from django.db import connections

from jobs.worker.processes import Signals, die_with

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""A part that ran so long starts again after the first pause."""
NAP_S = 60.0
SHORT_NAP_S = 0.05
KILL_AFTER_S = 5.0


class Requests(Signals):
    """What the terminal and the service manager ask for: how often to stop. A closed terminal counts as well."""

    def __init__(self) -> None:
        super().__init__()
        signal.signal(signal.SIGHUP, self._note)
        signal.signal(signal.SIGCHLD, self._wake)

    def _wake(self, *_: object) -> None:
        """The handler alone ends a wait."""


class Part:
    """One child process that should always be there."""

    def __init__(self, name: str, main: Callable[[], None]) -> None:
        self.name = name
        self._main = main
        self._process: BaseProcess | None = None
        self._pause_s = FIRST_PAUSE_S
        self._started_at = 0.0
        self._start_again_at: float | None = None

    def start(self) -> None:
        """Fork it from this process, with which it shares its memory and, when that is killed, its death."""
        connections.close_all()
        self._process = multiprocessing.get_context("fork").Process(
            target=self._run, args=(os.getpid(),), name=self.name
        )
        self._process.start()
        self._started_at, self._start_again_at = time.monotonic(), None

    def _run(self, parent: int) -> None:
        die_with(parent)
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        self._main()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def look_after(self) -> float:
        """Start it again when it has died and its pause is over; returns the seconds until it wants to be seen."""
        if self.is_alive:
            return NAP_S
        now = time.monotonic()
        if self._start_again_at is None:
            self._plan_restart(now)
        if self._start_again_at is not None and now >= self._start_again_at:
            self.start()
            return NAP_S
        return (self._start_again_at or now) - now

    def _plan_restart(self, now: float) -> None:
        self._pause_s = FIRST_PAUSE_S if now - self._started_at > STEADY_S else self._pause_s
        code = None if self._process is None else self._process.exitcode
        log.error("%s has ended (%s); starting it again in %g s", self.name, code, self._pause_s)
        self._start_again_at = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.pid and self.is_alive:
            os.kill(self._process.pid, number)


class Supervisor:
    """Runs parts until it is told to stop; then `stop_first` may end while the others still serve."""

    def __init__(self, parts: list[Part], *, hurry: Callable[[], None]) -> None:
        self.requests = Requests()
        self._parts = parts
        self._hurry = hurry

    def run(self, *, until_ready: Callable[[], bool]) -> None:
        """`until_ready` is asked often until it says yes, and never again."""
        for part in self._parts:
            part.start()
        is_ready = False
        while not self.requests.stop:
            nap_s = min(part.look_after() for part in self._parts)
            is_ready = is_ready or until_ready()
            self.requests.wait(nap_s if is_ready else min(nap_s, SHORT_NAP_S))
        for part in self._parts:
            self._stop(part)

    def _stop(self, part: Part) -> None:
        """One after the other: the second request to stop hurries what still runs, the third kills it."""
        part.send(signal.SIGTERM)
        has_hurried = False
        while part.is_alive:
            self.requests.wait(NAP_S)
            if self.requests.n_stops > 1 and not has_hurried:
                has_hurried = True
                self._hurry()
            if self.requests.n_stops > 2:
                part.send(signal.SIGKILL)

"""Processes beside the workers for what must not take a worker from the jobs: forked when needed, gone when done."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from django.db import connections

from jobs.worker.processes import die_with, kill_group

LEAVE_S = 3.0


class Helper:
    """One such process, as the main process of a cluster sees it. Killed at any moment, it leaves nothing half done."""

    def __init__(self, name: str, *, is_needed: Callable[[], bool], run: Callable[[], None]) -> None:
        self._name, self._is_needed, self._run = name, is_needed, run
        self._process: BaseProcess | None = None

    @property
    def _is_there(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def look_after(self) -> None:
        """Start it when it is needed and not there."""
        if not self._is_there and self._is_needed():
            connections.close_all()
            context = multiprocessing.get_context("fork")
            self._process = context.Process(target=self._main, args=(os.getpid(),), name=self._name)
            self._process.start()

    def leave(self) -> None:
        """When the cluster is draining: what is under way gets a moment to end."""
        if self._process is not None and self._process.pid and self._is_there:
            self._process.join(LEAVE_S)
            kill_group(self._process.pid)
            self._process.join()

    def _main(self, parent: int) -> None:
        os.setsid()
        die_with(parent)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        self._run()

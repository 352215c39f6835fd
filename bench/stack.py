"""The processes that are measured: started, watched from outside, stopped."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from bench.client import Answer, Connection
from bench.databases import Database
from bench.places import ROOT, free_port

PATIENCE_S = 60.0
STOP_S = 45.0
MIB = 1 << 20


def eventually(condition: Callable[[], Any], what: str, *, every_s: float = 0.01, within_s: float = PATIENCE_S) -> Any:
    """What the condition says once it is true. Raises `TimeoutError` that names what was waited for."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(every_s)
    raise TimeoutError(f"not within {within_s:g} s: {what}")


class Stack:
    """Some commands that make one running system, on a database of their own."""

    def __init__(self, folder: Path, database: Database, env: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = database
        self.port = free_port()
        self.in_force: dict[str, Any] = {}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("JOBHUB_", "PEER_"))}
        self.env = {**clean, "PYTHONPATH": str(ROOT), **env}
        self._mains: list[subprocess.Popen[bytes]] = []

    # -- to be said by each ----------------------------------------------------------------------------------------
    def commands(self) -> list[list[str]]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    # -- processes -------------------------------------------------------------------------------------------------
    def start(self) -> float:
        """Returns the seconds until it was ready."""
        began_at = time.monotonic()
        self.launch_all()
        eventually(self.checked_ready, f"{type(self).__name__} ready; its log is {self.log}")
        return time.monotonic() - began_at

    def launch_all(self) -> None:
        for command in self.commands():
            self._launch(command)

    def _launch(self, command: list[str]) -> None:
        with self.log.open("ab") as log:
            main = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True)
        self._mains.append(main)

    def checked_ready(self) -> bool:
        if any(main.poll() is not None for main in self._mains):
            raise RuntimeError(f"it ended: {self.log.read_text()[-2000:]}")
        try:
            return self.is_ready()
        except OSError:
            return False

    def stop(self) -> None:
        """As a service manager would, and by force what does not go."""
        family = self.processes()
        for main in self._mains:
            main.send_signal(signal.SIGTERM)
        _, stubborn = psutil.wait_procs(family, timeout=STOP_S)
        for process in stubborn:
            with contextlib.suppress(psutil.Error):
                process.kill()
        for main in self._mains:
            main.wait()
        self._mains.clear()

    def processes(self) -> list[psutil.Process]:
        found = []
        for main in self._mains:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(main.pid)
                found += [process, *process.children(recursive=True)]
        return found

    def cpu_s(self) -> float:
        """What all its processes have used, with those that ended and were waited for."""
        times = [process.cpu_times() for process in self.processes()]
        return sum(one.user + one.system + one.children_user + one.children_system for one in times)

    def pss_mib(self) -> float:
        return sum(process.memory_full_info().pss for process in self.processes()) / MIB

    # -- talk ------------------------------------------------------------------------------------------------------
    @property
    def log(self) -> Path:
        return self.folder / "log"

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """On a connection of its own."""
        with Connection(self.port, headers) as connection:
            return connection.ask("GET", path)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
        return done.stdout

    def inside(self, what: str, **given: object) -> Any:
        """Call a function of `bench.inside` with the stack's own settings; returns what it returned."""
        return json.loads(self.run("-m", "bench.inside", what, json.dumps(given)))

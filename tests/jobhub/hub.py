"""A hub of real processes, started as an operator starts it."""

import contextlib
import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Hub:
    """Its own folder and port; what its processes say is in `said`."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.port = free_port()
        self._log = folder / "log"
        outside = {name: value for name, value in os.environ.items() if not name.startswith("JOBHUB_")}
        own = {
            "VAR": folder / "var",
            "PORT": self.port,
            "ADMIN_PASSWORD": "a long enough secret",
            "ALLOWED_TARGETS": f"127.0.0.1:{self.port}",
            **settings,
        }
        self.env = outside | {f"JOBHUB_{name}": str(value) for name, value in own.items()}
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def said(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command from its start to its end."""
        manage = [sys.executable, "manage.py", *words]
        return subprocess.run(manage, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=60)

    def start(self, *words: str, before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """A command that stays, in a process group of its own as a terminal would have it."""
        with self._log.open("ab") as log:
            manage = [*before, sys.executable, "manage.py", *words]
            process = subprocess.Popen(manage, cwd=ROOT, env=self.env, stdout=log, stderr=log, process_group=0)
        self.processes.append(process)
        return process

    def up(self) -> subprocess.Popen[bytes]:
        """`manage.py up --setup`, once it says that it is ready."""
        process = self.start("up", "--setup")
        eventually(lambda: "JobHub is ready" in self.said or process.poll() is not None, what="a ready hub")
        assert process.poll() is None, self.said
        return process

    def states(self, job: str) -> list[str]:
        """The states of a job's executions, read past all commands: they take a second each."""
        with contextlib.closing(sqlite3.connect(self._database, timeout=20)) as database:
            rows = database.execute("SELECT state FROM jobs_jobexecution WHERE job_name = ?", [job]).fetchall()
        return [state for (state,) in rows]

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of the engine's tables; without the audit, in which every command may leave its own."""
        with contextlib.closing(sqlite3.connect(self._database, timeout=20)) as database:
            found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'jobs_*'")
            tables = [name for (name,) in found if name != "jobs_auditevent"]
            return {name: database.execute(f"SELECT * FROM {name} ORDER BY id").fetchall() for name in tables}

    @property
    def _database(self) -> Path:
        return Path(self.env["JOBHUB_VAR"]) / "hub" / "jobhub.sqlite3"

    def get(self, path: str) -> int | None:
        """The status of a page, `None` when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status
        return None

    def family(self, process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(process.pid).children(recursive=True)
        return []

    def close(self) -> None:
        for process in self.processes:
            for child in self.family(process):
                with contextlib.suppress(psutil.Error):
                    child.send_signal(signal.SIGKILL)
            process.kill()
            process.wait()

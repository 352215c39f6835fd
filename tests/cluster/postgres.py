"""A PostgreSQL server of a test's own, to be stopped and killed at will."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from tests.waiting import eventually


def binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").exists() else []
    if found:
        return found[-1]
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class Server:
    """In a folder of its own, on a free port of the loopback, trusting everybody there."""

    def __init__(self) -> None:
        where = binaries()
        if where is None:
            pytest.skip("no PostgreSQL server programs (initdb) on this machine")
        self._bin = where
        self._data = Path(tempfile.mkdtemp(prefix="jobhub-postgres-"))
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(self._data, "postgres")
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "jobhub", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://jobhub@127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._data / "log"), "-o", options, "start")
        eventually(self._answers, within_s=20, what="PostgreSQL's answer")

    def stop(self, mode: str) -> None:
        """`fast` ends the sessions, `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def kill_a_backend(self) -> None:
        """Kill -9 one session: the server ends all of them and recovers."""
        witness = psycopg.connect(f"{self.url}/postgres", autocommit=True)
        found = witness.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
        os.kill(found[0][0], signal.SIGKILL)
        eventually(lambda: _has_ended(witness), within_s=20, what="the end of all sessions")
        eventually(self._answers, within_s=20, what="PostgreSQL's recovery")

    def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop("immediate")
        shutil.rmtree(self._data)

    def _answers(self) -> bool:
        try:
            psycopg.connect(f"{self.url}/postgres", connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def _run(self, program: str, *args: str) -> None:
        subprocess.run(
            [*self._user, str(self._bin / program), *args],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )


def _has_ended(session: psycopg.Connection) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        session.execute("SELECT 1")
    return session.closed

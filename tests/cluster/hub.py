"""A hub of real processes for tests that kill them: its own folder, database, broker and workers."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from tests.cluster.templates import ROOT, Templates, manage, run_sql
from tests.waiting import eventually

GUARD = "guard.py"


class Hub:
    """`database` and `broker` are URLs of servers, empty for the embedded ones."""

    def __init__(
        self, folder: Path, templates: Templates, *, database: str = "", broker: str = "", **settings: object
    ) -> None:
        self.folder = folder
        self.marks = folder / "marks"
        self.marks.mkdir(parents=True)
        self._server = database
        self._name = f"jobhub_{uuid.uuid4().hex[:12]}"
        self._broker = broker
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("JOBHUB_")} | {
            "DJANGO_SETTINGS_MODULE": "jobhub.settings",
            "PYTHONPATH": str(ROOT),
            "JOBHUB_VAR": str(folder / "var"),
            "JOBHUB_NODE": self._name,
            "JOBHUB_LEASE_S": "5",
            "JOBHUB_LOG_LEVEL": "WARNING",
            **({"JOBHUB_DATABASE_URL": f"{database}/{self._name}"} if database else {}),
            **({"JOBHUB_REDIS_URL": broker} if broker else {}),
            **{f"JOBHUB_{key.upper()}": str(value) for key, value in settings.items()},
        }
        self.log = folder / "worker.log"
        self.mains: list[subprocess.Popen[bytes]] = []
        templates.copy(self._name, self.env)
        if broker:
            redis.from_url(broker).delete("django_q:jobhub:q")

    # -- commands and data -----------------------------------------------------------------------------------------
    def manage(self, *args: str) -> str:
        return manage(self.env, *args)

    def seed(self, what: str, **given: object) -> Any:
        """Run a function of `tests.cluster.seeds` inside the hub; returns what it returned."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.cluster.seeds", what, json.dumps(given)],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self._server:
            with psycopg.connect(self.env["JOBHUB_DATABASE_URL"]) as connection:
                return connection.execute(sql).fetchall()  # type: ignore[arg-type]
        database = sqlite3.connect(Path(self.env["JOBHUB_VAR"]) / "hub" / "jobhub.sqlite3", timeout=20)
        with contextlib.closing(database):
            return database.execute(sql).fetchall()

    def states(self) -> dict[str, int]:
        return dict(self.rows("SELECT state, count(*) FROM jobs_jobexecution GROUP BY state"))

    def n_active(self) -> int:
        return sum(n for state, n in self.states().items() if state not in ("succeeded", "failed", "aborted"))

    # -- processes -------------------------------------------------------------------------------------------------
    def start(self, **settings: object) -> subprocess.Popen[bytes]:
        """Another `manage.py worker`, in a process group of its own; returns once its pool stands."""
        own = {f"JOBHUB_{key.upper()}": str(value) for key, value in settings.items()}
        with self.log.open("ab") as log:
            main = subprocess.Popen(
                [sys.executable, "manage.py", "worker"],
                cwd=ROOT,
                env={**self.env, **own},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.mains.append(main)
        eventually(lambda: self.workers(main) or main.poll() is not None, within_s=30, what="a pool of workers")
        assert main.poll() is None, self.log.read_text()
        return main

    def pool(self, main: subprocess.Popen[bytes]) -> psutil.Process:
        """Raises `NoSuchProcess` while there is none."""
        for process in psutil.Process(main.pid).children():
            return process
        raise psutil.NoSuchProcess(main.pid)

    def workers(self, main: subprocess.Popen[bytes]) -> list[psutil.Process]:
        """The children of the pool: workers, monitor and pusher."""
        with contextlib.suppress(psutil.Error):
            return self.pool(main).children()
        return []

    def busy(self, main: subprocess.Popen[bytes]) -> list[psutil.Process]:
        return [process for process in self.workers(main) if self._guards(process)]

    def idle(self, main: subprocess.Popen[bytes]) -> list[psutil.Process]:
        return [process for process in self.workers(main) if not self._guards(process)]

    @staticmethod
    def _guards(process: psutil.Process) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return [child for child in process.children() if any(GUARD in word for word in child.cmdline())]
        return []

    def programs(self) -> list[psutil.Process]:
        """Every process that any run of this hub started and that is still there."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("JOBHUB_NODE") == self._name and "JOBHUB_EXECUTION" in process.environ():
                    found.append(process)
        return found

    def close(self) -> None:
        for main in self.mains:
            with contextlib.suppress(psutil.Error):
                family = [psutil.Process(main.pid), *psutil.Process(main.pid).children(recursive=True)]
                for process in family:
                    with contextlib.suppress(psutil.Error):
                        process.send_signal(signal.SIGKILL)
            main.wait()
        if self._broker:
            eventually(self._is_alone_in_redis, within_s=10, what="the end of all who take messages")
        if self._server:
            run_sql(self._server, f"DROP DATABASE {self._name} WITH (FORCE)")

    def _is_alone_in_redis(self) -> bool:
        with redis.from_url(self._broker) as client:
            me = client.client_info()
            return all(one["id"] == str(me["id"]) or one["db"] != str(me["db"]) for one in client.client_list())

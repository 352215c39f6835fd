"""Empty databases with all tables, made once and copied for each hub: the migrations take seconds."""

import contextlib
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]


def manage(env: dict[str, str], *args: str) -> str:
    """What a command says on its way to success."""
    command = [sys.executable, "manage.py", *args]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_sql(server: str, sql: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql)  # type: ignore[arg-type]


class Templates:
    """One SQLite file, and one database on each server that is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Path | None = None
        self._names: dict[str, str] = {}

    def copy(self, name: str, env: dict[str, str]) -> None:
        """Give the hub of this environment its database, `name` where it is on a server."""
        if url := env.get("JOBHUB_DATABASE_URL"):
            server = url.rpartition("/")[0]
            run_sql(server, f"CREATE DATABASE {name} TEMPLATE {self._on(server)}")
        else:
            hub = Path(env["JOBHUB_VAR"]) / "hub"
            hub.mkdir(mode=0o700, parents=True)
            shutil.copy(self._here(), hub)

    def close(self) -> None:
        for server, name in self._names.items():
            with contextlib.suppress(psycopg.OperationalError):  # a test's own server, which has ended
                run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")

    def _here(self) -> Path:
        if self._file is None:
            manage(self._env(), "migrate", "--verbosity=0")
            self._file = self._folder / "var" / "hub" / "jobhub.sqlite3"
        return self._file

    def _on(self, server: str) -> str:
        if server not in self._names:
            name = f"jobhub_{uuid.uuid4().hex[:12]}"
            run_sql(server, f"CREATE DATABASE {name}")
            self._names[server] = name
            manage(self._env(JOBHUB_DATABASE_URL=f"{server}/{name}"), "migrate", "--verbosity=0")
        return self._names[server]

    def _env(self, **settings: str) -> dict[str, str]:
        outside = {key: value for key, value in os.environ.items() if not key.startswith("JOBHUB_")}
        return outside | {"JOBHUB_VAR": str(self._folder / "var"), **settings}

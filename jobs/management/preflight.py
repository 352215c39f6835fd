"""What is looked at before a process of the hub starts, so that it is refused with a line instead of failing later."""

import fcntl
import os
import time
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error, connection, connections
from django.db.migrations.executor import MigrationExecutor

from jobs.management.base import EXIT_DATABASE, EXIT_REFUSED, database_text
from jobs.queue import queue_is_reachable

LEFTOVERS_S = 10.0
"""What the children of a killed cluster get to end."""


def check_database() -> None:
    """Refuses when the database does not answer, or has not the tables of this version."""
    try:
        connection.ensure_connection()
        missing = n_migrations_missing()
    except Error as error:
        raise CommandError(database_text(error), returncode=EXIT_DATABASE) from error
    if missing:
        text = f"the database lacks {missing} migrations of this version; run `manage.py setup` (or `migrate`) first"
        raise CommandError(text, returncode=EXIT_REFUSED)


def check_broker() -> None:
    """Refuses when the Redis that is set does not answer: the workers cannot begin without it."""
    if settings.HUB["REDIS_URL"] and not queue_is_reachable():
        text = "Redis does not answer; start it, or set JOBHUB_REDIS_URL to where it is, or to nothing"
        raise CommandError(text, returncode=EXIT_REFUSED)


def n_migrations_missing() -> int:
    """How many migrations of this version the database has not seen yet."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def check_var() -> None:
    """Refuses when the hub cannot write its own folder."""
    for folder in (Path(settings.HUB_DIR), Path(settings.HUB_DATA)):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise CommandError(f"cannot write {str(folder)!r}; set JOBHUB_VAR", returncode=EXIT_REFUSED)


class ClusterLock:
    """The right to be the one cluster of a SQLite file, held until its last holder ends, however it ends.

    Several clusters may share a PostgreSQL database; there it is free for all.
    """

    def __init__(self) -> None:
        self._file: TextIOWrapper | None = None

    def take(self) -> None:
        """Refuses when another cluster has it. Children made by fork hold it as well, so after a kill -9 of the main
        process it is waited for, until the last of them is gone."""
        if not settings.IS_SQLITE:
            return
        database: dict[str, Any] = connections.settings["default"]
        path = Path(f"{database['NAME']}.lock")
        try:
            self._file = path.open("a+")
            self._lock(self._file)
        except BlockingIOError:
            raise CommandError(self._taken(path), returncode=EXIT_REFUSED) from None
        except OSError as error:
            raise CommandError(f"cannot write {str(path)!r}: {error.strerror}", returncode=EXIT_REFUSED) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def free(self) -> None:
        if self._file is not None:
            self._file.close()

    @staticmethod
    def _lock(file: TextIOWrapper) -> None:
        until = time.monotonic() + LEFTOVERS_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                file.seek(0)
                if psutil.pid_exists(int(file.read() or os.getpid())) or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    @staticmethod
    def _taken(path: Path) -> str:
        holder = path.read_text().strip() or "unknown"
        return (
            f"another cluster (process {holder}) works on {str(path).removesuffix('.lock')!r}; stop it, give this "
            "hub another JOBHUB_VAR, or set JOBHUB_DATABASE_URL to a PostgreSQL database, which several may share"
        )


class WebLock:
    """Says that a web server works on a SQLite file: many may share it, a restore wants it alone."""

    def __init__(self) -> None:
        self._file: TextIOWrapper | None = None

    def share(self) -> None:
        """Held until the last process that was forked from this one ends. Refuses during a restore."""
        self._lock(fcntl.LOCK_SH, "a restore is going on; wait for its end")

    def take(self) -> None:
        self._lock(fcntl.LOCK_EX, "a web server of this hub runs; stop it first")

    def free(self) -> None:
        if self._file is not None:
            self._file.close()

    def _lock(self, kind: int, refusal: str) -> None:
        if not settings.IS_SQLITE:
            return
        database: dict[str, Any] = connections.settings["default"]
        self._file = Path(f"{database['NAME']}.web.lock").open("a+")  # noqa: SIM115 - as long as the lock
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(refusal, returncode=EXIT_REFUSED) from None


class QuietHub:
    """Nobody else works on the database while this lasts: neither workers nor a web server."""

    def __enter__(self) -> None:
        self._locks = (ClusterLock(), WebLock())
        for lock in self._locks:
            lock.take()
        if (n_others := _n_other_sessions()) > 0:
            text = f"{n_others} other sessions use this database; stop the workers and web servers of all its machines"
            raise CommandError(text, returncode=EXIT_REFUSED)

    def __exit__(self, *_: object) -> None:
        for lock in self._locks:
            lock.free()


def _n_other_sessions() -> int:
    """On PostgreSQL, whose sessions end with their processes."""
    if settings.IS_SQLITE:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])

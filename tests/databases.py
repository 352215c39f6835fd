"""Databases of other people: an SQLite file, and one of its own on each server that this machine has."""

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pymysql
import pytest

from jobs import paths as paths_module
from jobs import targets as targets_module
from jobs.paths import PathGuard
from jobs.targets import TargetGuard, parse

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://127.0.0.1:5432")
MYSQL = os.environ.get("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306")
SERVERS = ["127.0.0.1", "localhost"]
"""What a test's guard of targets has to allow."""
DIALECTS = [
    pytest.param("sqlite"),
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("mysql", marks=pytest.mark.mysql),
]


@dataclass
class Database:
    dialect: str
    url: str
    """As a spec names it: without a password."""

    def connect(self) -> Any:
        """With autocommit."""
        if self.dialect == "sqlite":
            return sqlite3.connect(urlsplit(self.url).path[1:], isolation_level=None, timeout=20)
        if self.dialect == "postgresql":
            return psycopg.connect(self.url, autocommit=True)
        return mysql_connection(self.url)

    def run(self, *statements: str) -> None:
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def fill(self, table: str, first: int, last: int) -> None:
        """`table(id, name)` with these ids, made when it is not there."""
        self.run(f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, name VARCHAR(50))")
        if first > last:
            return
        for start in range(first, last + 1, 1000):
            ids = range(start, min(start + 1000, last + 1))
            self.run(f"INSERT INTO {table} VALUES {', '.join(f'({i}, {chr(39)}name {i}{chr(39)})' for i in ids)}")


def mysql_connection(url: str) -> Any:
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=unquote(parts.password or ""),
        database=parts.path[1:] or None,
        autocommit=True,
    )


MakeDatabase = Callable[[str], Database]


@pytest.fixture
def sql_guards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything below `tmp_path` is allowed, but `tmp_path/hub` is the hub's own; no guarded host is."""
    (tmp_path / "hub").mkdir()
    guard = PathGuard(allowed=(tmp_path,), refused=(tmp_path / "hub",), data=tmp_path / "data")
    monkeypatch.setattr(paths_module, "_guard", guard)
    monkeypatch.setattr(targets_module, "_guard", TargetGuard())


@pytest.fixture
def make_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeDatabase]:
    """`make_database("postgresql")`; the servers of this machine are allowed targets."""
    monkeypatch.setattr(targets_module, "_guard", TargetGuard(parse(SERVERS)))
    with contextlib.ExitStack() as stack:
        yield lambda dialect: stack.enter_context(database_of(dialect, tmp_path))


@pytest.fixture(params=DIALECTS)
def database(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """One of each kind, one after the other."""
    return make_database(request.param)


@contextlib.contextmanager
def database_of(dialect: str, folder: Path) -> Iterator[Database]:
    """A new, empty one; the test is skipped where its server does not answer."""
    name = f"jobhub_test_{uuid.uuid4().hex[:12]}"
    if dialect == "sqlite":
        yield Database("sqlite", f"sqlite:///{folder / name}.db")
        return
    server, admin = (POSTGRES, _postgres_admin) if dialect == "postgresql" else (MYSQL, _mysql_admin)
    admin(f"CREATE DATABASE {name}")
    try:
        yield Database(dialect, f"{server}/{name}")
    finally:
        admin(f"DROP DATABASE {name}" + (" WITH (FORCE)" if dialect == "postgresql" else ""))


def _postgres_admin(sql: str) -> None:
    try:
        connection = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.Error as error:
        pytest.skip(f"no PostgreSQL at {POSTGRES}: {error}")
    with connection:
        connection.execute(sql)  # type: ignore[arg-type]


def _mysql_admin(sql: str) -> None:
    try:
        connection = mysql_connection(MYSQL)
    except pymysql.Error as error:
        pytest.skip(f"no MySQL or MariaDB at {MYSQL}: {error}")
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)

"""The databases that stacks work on: made for a run, asked from outside, thrown away."""

import contextlib
import sqlite3
import uuid
from pathlib import Path
from typing import Any, Protocol

import psycopg
import redis


class Database(Protocol):
    url: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...

    def drop(self) -> None: ...


class Sqlite:
    """A file; it goes with its folder."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self._path = path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self._path, timeout=20)) as connection:
            return connection.execute(sql).fetchall()

    def drop(self) -> None:
        """Nothing to do."""


class Postgres:
    """A database of its own on a server."""

    def __init__(self, server: str) -> None:
        self._server = server.rstrip("/")
        self._name = f"jobhub_bench_{uuid.uuid4().hex[:12]}"
        self._admin(f"CREATE DATABASE {self._name}")
        self.url = f"{self._server}/{self._name}"
        self._connection = psycopg.connect(self.url, autocommit=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def drop(self) -> None:
        self._connection.close()
        self._admin(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _admin(self, sql: str) -> None:
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as connection:
            connection.execute(sql)


def postgres_version(server: str) -> str:
    """Raises `psycopg.Error` when it does not answer."""
    with psycopg.connect(f"{server.rstrip('/')}/postgres", connect_timeout=3) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else "?"


def redis_version(url: str) -> str:
    """Raises `redis.RedisError` when it does not answer."""
    with redis.from_url(url, socket_connect_timeout=3) as client:
        return str(client.info("server")["redis_version"])

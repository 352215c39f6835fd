"""Connections to SQL databases by the hub's own drivers: to the checked address, with nothing from the environment."""

import os
import socket
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jobs import targets
from jobs.errors import RunFailed
from jobs.sources.urls import MYSQL, POSTGRESQL, SQLITE, SqlUrl

CONNECT_S = 10
CANCEL_S = 5.0
BUSY_S = 20.0
MAX_VALUE_BYTES = 256 * 1024 * 1024
"""The longest text or blob that SQLite may make."""
NO_FILE = "/dev/null/none"
"""A path that no file can have."""
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
"""Where systems keep the certificates that they trust."""

READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
TEXT = partial(str, encoding="utf-8", errors="surrogateescape")
"""SQLite does not check what is stored as text; what is no UTF-8 is refused where it is written."""
OPEN_FDS = Path("/proc/self/fd")


class Session:
    """One connection, which another thread may stop."""

    def __init__(self, dialect: str, raw: Any, cancel: Callable[[], None]) -> None:
        self.dialect = dialect
        self.raw = raw
        """The driver's own connection."""
        self.cancel = cancel
        """Make the statement that runs now end with an error, from any thread. May do nothing when none runs."""
        self._cursor: Any = None

    def stream(self, sql: str, values: dict[str, Any]) -> Any:
        """A driver's cursor over the rows of a query, which are not held in memory; one a session."""
        self._cursor = self._new_cursor()
        self._cursor.execute(sql, values)
        if self._cursor.description is None:
            raise RunFailed("the query gives no rows")
        return self._cursor

    def _new_cursor(self) -> Any:
        return self.raw.cursor("jobhub") if self.dialect == POSTGRESQL else self.raw.cursor()

    def close(self) -> None:
        """Whatever is unread."""
        for resource in (self._cursor, self.raw):
            with suppress(Exception):
                resource.close()


def placeholder(dialect: str, name: str) -> str:
    """How a bound value stands in a query."""
    return f":{name}" if dialect == SQLITE else f"%({name})s"


def literal(dialect: str, text: str) -> str:
    """A part of a query as the driver wants it where values are bound."""
    return text if dialect == SQLITE else text.replace("%", "%%")


@contextmanager
def connect(url: SqlUrl, *, read_only: bool) -> Iterator[Session]:
    """A session with the database. `read_only`: the database itself refuses every change.

    Raises `RunFailed` for a host or file that is not allowed (any more) and the driver's error when it cannot connect.
    """
    session = OPENERS[url.dialect](url, read_only)
    try:
        yield session
    finally:
        session.close()


def driver_errors() -> tuple[type[Exception], ...]:
    """What the drivers raise."""
    import psycopg
    import pymysql

    return (psycopg.Error, pymysql.MySQLError, sqlite3.Error, sqlite3.Warning)


# -- SQLite ------------------------------------------------------------------------------------------------------------
def _sqlite(url: SqlUrl, read_only: bool) -> Session:
    path = Path(url.database)
    uri = f"file:{quote(url.database)}?mode={'ro' if read_only else 'rwc'}"
    raw = sqlite3.connect(uri, uri=True, timeout=BUSY_S, check_same_thread=False, isolation_level="IMMEDIATE")
    try:
        _check_opened(path)
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        raw.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        raw.text_factory = TEXT
        if read_only:
            raw.set_authorizer(_may_read)
    except BaseException:
        raw.close()
        raise
    return Session(SQLITE, raw, raw.interrupt)


def _check_opened(path: Path) -> None:
    """The file that is open is the one that was checked, though somebody may have put a link there meanwhile."""
    if not OPEN_FDS.exists():
        return
    for fd in OPEN_FDS.iterdir():
        with suppress(OSError):
            if fd.readlink() == path:
                return
    raise RunFailed(f"{str(path)!r} was replaced while it was opened")


def _may_read(action: int, first: str | None, second: str | None, _database: str | None, _inner: str | None) -> int:
    """SQLite asks this while it prepares a statement: no ATTACH, no PRAGMA, no change, no extension."""
    is_fine = action in READING
    if action == sqlite3.SQLITE_FUNCTION:
        is_fine = (second or "").lower() != "load_extension"
    elif action == sqlite3.SQLITE_PRAGMA:
        is_fine = (first, second) == ("data_version", None)  # full text search asks for it
    elif action == sqlite3.SQLITE_UPDATE:
        is_fine = first == "sqlite_master"  # so does every virtual table that opens; SQLite itself refuses a change
    return sqlite3.SQLITE_OK if is_fine else sqlite3.SQLITE_DENY


# -- PostgreSQL --------------------------------------------------------------------------------------------------------
def _postgresql(url: SqlUrl, read_only: bool) -> Session:
    import psycopg

    target = targets.guard().resolve(url.host, url.port)
    ssl_mode = url.properties.get("sslmode", "prefer")
    raw = psycopg.connect(
        host=",".join([target.host] * len(target.addresses)),
        hostaddr=",".join(target.addresses),
        port=target.port,
        dbname=url.database,
        user=url.user or None,
        # The hub's own credentials (environment, ~/.pgpass, client certificate, Kerberos) are for nobody else.
        password=url.password,
        passfile=NO_FILE,
        sslcertmode="disable",
        gssencmode="disable",
        require_auth="!gss,!sspi",
        sslmode=ssl_mode,
        sslrootcert=_bundle() if ssl_mode == "verify-full" else NO_FILE,
        connect_timeout=CONNECT_S,
        keepalives_idle=60,
        client_encoding="UTF8",
        application_name="jobhub",
    )
    raw.execute("SET TIME ZONE 'UTC'")
    raw.commit()
    raw.read_only = read_only
    return Session(POSTGRESQL, raw, lambda: raw.cancel_safe(timeout=CANCEL_S))


def _bundle() -> str:
    found = next((path for path in (os.environ.get("SSL_CERT_FILE"), *BUNDLES) if path and Path(path).exists()), None)
    if found is None:
        raise RunFailed("sslmode=verify-full needs the system's certificates (on Debian: ca-certificates)")
    return found


# -- MySQL and MariaDB -------------------------------------------------------------------------------------------------
def _mysql(url: SqlUrl, read_only: bool) -> Session:
    target = targets.guard().resolve(url.host, url.port)
    raw, spare = _mysql_connection(url, target)
    with raw.cursor() as cursor:
        # A target that is slow for a while must not make the server give up the source.
        cursor.execute("SET SESSION net_write_timeout = 3600, time_zone = '+00:00'")
        if read_only:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
    return _MysqlSession(url, target, raw, spare)


def _mysql_connection(url: SqlUrl, target: targets.Target) -> tuple[Any, socket.socket]:
    """The connection, and a second handle of its socket."""
    import pymysql

    raw = pymysql.connect(
        host=target.host,
        port=target.port,
        user=url.user or None,
        password=url.password,
        database=url.database,
        charset="utf8mb4",
        local_infile=False,
        autocommit=False,
        defer_connect=True,
        **_mysql_tls(url.properties.get("sslmode", "prefer")),
    )
    sock = _socket(target)
    spare = sock.dup()
    try:
        _limit_reads(spare, CONNECT_S)
        raw.connect(sock)
        _limit_reads(spare, 0)
    except BaseException:
        spare.close()
        raise
    return raw, spare


def _mysql_tls(mode: str) -> dict[str, Any]:
    if mode == "disable":
        return {"ssl_disabled": True}
    if mode == "require":
        return {"ssl": {"check_hostname": False, "verify_mode": "none"}}
    return {"ssl_ca": _bundle(), "ssl_verify_identity": True} if mode == "verify-full" else {}


def _socket(target: targets.Target) -> socket.socket:
    import pymysql

    problem: OSError | None = None
    for address in target.addresses:
        try:
            sock = socket.create_connection((address, target.port), CONNECT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return sock
        except OSError as error:
            problem = error
    raise pymysql.OperationalError(2003, f"Can't connect to MySQL server on {target.host!r} ({problem})")


def _limit_reads(sock: socket.socket, seconds: int) -> None:
    """So long may the other side be silent; 0: for ever. The driver itself knows only one time for all reads."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", seconds, 0))


class _MysqlSession(Session):
    def __init__(self, url: SqlUrl, target: targets.Target, raw: Any, spare: socket.socket) -> None:
        super().__init__(MYSQL, raw, self._kill)
        self._url = url
        self._target = target
        self._spare = spare

    def _kill(self) -> None:
        """By a second connection; where that fails, this one is cut."""
        try:
            raw, spare = _mysql_connection(self._url, self._target)
            with spare, raw, raw.cursor() as cursor:
                cursor.execute(f"KILL QUERY {int(self.raw.thread_id())}")
        except Exception:  # noqa: BLE001 - whatever it was, the run must end
            self._cut()

    def _cut(self) -> None:
        with suppress(OSError):
            self._spare.shutdown(socket.SHUT_RDWR)

    def _new_cursor(self) -> Any:
        from pymysql.cursors import SSCursor

        return self.raw.cursor(SSCursor)

    def close(self) -> None:
        """PyMySQL would read a result to its end before it leaves it."""
        self._cut()
        if self._cursor is not None and self._cursor._result is not None:
            self._cursor._result.unbuffered_active = False
        super().close()
        self._spare.close()


OPENERS: dict[str, Callable[[SqlUrl, bool], Session]] = {
    SQLITE: _sqlite,
    POSTGRESQL: _postgresql,
    MYSQL: _mysql,
}

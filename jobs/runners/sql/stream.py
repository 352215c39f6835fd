"""The rows of a query, batch by batch, never all in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from jobs.errors import Invalid, RunFailed
from jobs.runners.context import Context
from jobs.runners.sql.failures import cancelled_by, told
from jobs.runners.sql.spec import Database
from jobs.runners.sql.template import Template, Values
from jobs.runners.sql.values import Record, Row
from jobs.sources import POSTGRESQL, SQLITE, Session, connect

FIRST_ROWS = 100
BATCH_BYTES = 16 * 1024 * 1024
"""A batch of wide rows has fewer of them than asked for, so that it does not outgrow this much."""

SAMPLE = 50
"""So many rows of a batch tell how wide they are."""


class Rows:
    """Iterates over batches of tuples."""

    def __init__(self, cursor: Any, size: int, guard: Callable[[], Any]) -> None:
        self.columns = [str(column[0]) for column in cursor.description]
        self.batch_bytes = 0
        """About the length of the last batch, as a sample of its rows tells it."""
        self._cursor = cursor
        self._size = size
        self._guard = guard
        if len(set(self.columns)) < len(self.columns):
            twice = next(name for name in self.columns if self.columns.count(name) > 1)
            raise RunFailed(f"the query gives two columns {twice!r}: name one of them with AS")

    def __iter__(self) -> Iterator[list[Row]]:
        n = min(FIRST_ROWS, self._size)
        while rows := self._fetch(n):
            widths = [_width(row) for row in rows[:: 1 + len(rows) // SAMPLE]]
            self.batch_bytes = sum(widths) * len(rows) // len(widths)
            yield rows
            n = min(self._size, max(1, BATCH_BYTES // max(widths)))

    def _fetch(self, n: int) -> list[Row]:
        with self._guard():
            return list(self._cursor.fetchmany(n))


def _width(row: Row) -> int:
    """About its bytes."""
    return sum(len(value) if isinstance(value, str | bytes) else 16 for value in row)


@contextmanager
def rows_of(source: Database, query: Template, values: Values, size: int, context: Context) -> Iterator[Rows]:
    """The rows of the query with these values. A stop of the run ends it, whatever the database is doing.

    Raises `RunFailed` with the driver's words as its causes.
    """
    url = source.resolve(context, "source")
    try:
        bound = query.bind(url.dialect, values)
    except Invalid as error:
        raise RunFailed(error.message) from None

    def guard() -> Any:
        return told(f"cannot read from {source.title or url.place}", context)

    with _session(url, guard) as session, cancelled_by(context, session):
        with guard():
            cursor = session.stream(bound.sql, _bindable(bound.values, url.dialect))
        yield Rows(cursor, size, guard)


def _bindable(values: dict[str, Any], dialect: str) -> dict[str, Any]:
    """SQLite and MySQL know no zones: they get times as UTC, which the session's zone is."""
    return values if dialect == POSTGRESQL else {name: _in_utc(value, dialect) for name, value in values.items()}


def _in_utc(value: Any, dialect: str) -> Any:
    if not isinstance(value, datetime):
        return value
    value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return value.isoformat(" ") if dialect == SQLITE else value


@contextmanager
def _session(url: Any, guard: Callable[[], Any]) -> Iterator[Session]:
    connection = connect(url, read_only=True)
    with guard():
        session = connection.__enter__()
    try:
        yield session
    finally:
        connection.__exit__(None, None, None)


def records_of(columns: list[str], rename: dict[str, str]) -> Callable[[list[Row]], list[Record]]:
    """The function that makes records of rows, under the names that the target wants."""
    if missing := sorted(set(rename) - set(columns)):
        raise RunFailed(f"the query gives no column {missing[0]!r} to rename; it gives {', '.join(columns)}")
    names = [rename.get(name, name) for name in columns]
    if len(set(names)) < len(names):
        raise RunFailed(f"after renaming two columns have the same name: {', '.join(names)}")
    return lambda rows: [dict(zip(names, row, strict=True)) for row in rows]

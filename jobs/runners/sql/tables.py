"""SQL tables as targets: rows and bookkeeping in one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.pool import StaticPool

from jobs.errors import RunFailed
from jobs.runners.context import Context
from jobs.runners.sql.columns import adapters, column_types
from jobs.runners.sql.failures import cancelled_by, told
from jobs.runners.sql.sink import Drops
from jobs.runners.sql.spec import Table
from jobs.runners.sql.values import Record
from jobs.sources import MYSQL, SQLITE, Session, connect
from jobs.sources.causes import causes_of

DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
BAD_RECORD = (IntegrityError, DataError, ProgrammingError, ValueError, TypeError, OverflowError)
"""What a driver raises for a record that it cannot write, and not for a server that is gone."""


@contextmanager
def opened(spec: Table, context: Context) -> Iterator[sa.Connection]:
    """A connection to the table's database. Statements on it end when the run is told to stop."""
    url = spec.resolve(context, "target")
    with (
        told(f"cannot write to {url.place}", context),
        connect(url, read_only=False) as session,
        cancelled_by(context, session),
    ):
        engine = _engine(session)
        with engine.connect() as connection:
            yield connection


def _engine(session: Session) -> sa.Engine:
    engine = sa.create_engine(
        f"{DIALECTS[session.dialect]}://",
        creator=lambda: session.raw,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    if session.dialect == SQLITE:
        session.raw.isolation_level = None
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _exactly(name: str) -> sa.quoted_name:
    """Quoted always: databases have more reserved words than anybody lists."""
    return sa.quoted_name(name, quote=True)


class TableWriter:
    """Inserts records into a table, which it makes from the first ones when it does not exist."""

    def __init__(self, connection: sa.Connection, spec: Table, drops: Drops, key: str | None) -> None:
        self.connection = connection
        self.spec = spec
        self._drops = drops
        self._key = key
        self._insert: Any = None
        self._adapters: dict[str, Callable[[Any], Any]] = {}
        self.replaces = False
        """Whether a record takes the place of the one with its key."""

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name.replace("mariadb", MYSQL)

    def exists(self) -> bool:
        return sa.inspect(self.connection).has_table(self.spec.name, schema=self.spec.schema_name)

    def check_engine(self) -> None:
        """MySQL has tables without transactions: a run that is killed would leave half a batch in them."""
        if self.dialect != MYSQL:
            return
        engine = self.connection.scalar(
            sa.text(
                "SELECT engine FROM information_schema.tables "
                "WHERE table_name = :name AND table_schema = coalesce(:schema, database())"
            ),
            {"name": self.spec.name, "schema": self.spec.schema_name},
        )
        if engine is not None and engine.lower() != "innodb":
            raise RunFailed(f"the table {self.spec.table} is kept by {engine}, which has no transactions; use InnoDB")

    def empty(self) -> None:
        if self.exists():
            self.connection.execute(sa.delete(self._table([])))

    def write(self, records: list[Record]) -> None:
        if records:
            self._prepare(records)
            self._write(records)

    def _prepare(self, records: list[Record]) -> None:
        if self._insert is not None:
            return
        names = list(records[0])
        if not self.exists():
            self._make(records)
        there = {
            column["name"]: column["type"]
            for column in sa.inspect(self.connection).get_columns(self.spec.name, schema=self.spec.schema_name)
        }
        if unknown := [name for name in names if name not in there]:
            raise RunFailed(
                f"the table {self.spec.table} has no column {unknown[0]!r} (it has {', '.join(there)}): "
                "rename it, or leave it out of the query"
            )
        self._adapters = adapters(self.dialect, {name: there[name] for name in names})
        self._insert = self._table(names).insert()

    def _make(self, records: list[Record]) -> None:
        metadata = sa.MetaData()
        columns = [
            sa.Column(_exactly(name), kind, primary_key=name == self._key, autoincrement=False)
            for name, kind in column_types(records, self._key, self.dialect).items()
        ]
        sa.Table(_exactly(self.spec.name), metadata, *columns, schema=self.spec.schema_name)
        metadata.create_all(self.connection)

    def _table(self, names: list[str]) -> sa.TableClause:
        columns: list[sa.ColumnClause[Any]] = [sa.column(_exactly(name)) for name in names]
        return sa.table(_exactly(self.spec.name), *columns, schema=self.spec.schema_name)

    def _write(self, records: list[Record]) -> None:
        """All at once; when that fails, in halves, until the ones that the table does not take are alone."""
        try:
            with self.connection.begin_nested():
                self._insert_all(records)
        except BAD_RECORD as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            if len(records) == 1:
                self._drops.drop(records[0], causes_of(error)[0], self._key)
                return
            half = len(records) // 2
            self._write(records[:half])
            self._write(records[half:])

    def _insert_all(self, records: list[Record]) -> None:
        rows = [{name: adapt(record[name]) for name, adapt in self._adapters.items()} for record in records]
        if self.replaces and self._key is not None:
            table, key = self._table([self._key]), self._key
            self.connection.execute(
                sa.delete(table).where(table.c[key] == sa.bindparam("old")), [{"old": row[key]} for row in rows]
            )
        self.connection.execute(self._insert, rows)

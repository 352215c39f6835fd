"""SQL tables as targets of an ingestion: the cursor is kept beside the rows, in the same transaction."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from jobs.errors import LeaseLost, RunFailed
from jobs.runners.context import Context, RunInfo
from jobs.runners.sql.place import Place, storable
from jobs.runners.sql.sink import Drops
from jobs.runners.sql.spec import Table
from jobs.runners.sql.tables import TableWriter, opened
from jobs.runners.sql.values import Record

CURSOR = sa.Table(
    "jobhub_cursor",
    sa.MetaData(),
    sa.Column("stream", sa.String(36), primary_key=True),
    sa.Column("execution", sa.String(36), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("changed_at", sa.String(32), nullable=False),
)
"""One row per series of runs: where it is, and whose it is. It belongs to the target, beside its tables."""


class TableSink:
    """A table that grows (a commit per batch) or is replaced (one commit, with the old rows' end)."""

    def __init__(self, writer: TableWriter, info: RunInfo, *, replace: bool) -> None:
        self._writer = writer
        self._connection = writer.connection
        self._info = info
        self._replace = replace
        self._stream = ""
        self._is_claimed = False

    def start(self, place: Place | None) -> Place:
        self._writer.check_engine()
        self._make_cursor()
        place = place or Place()
        self._stream = place.stream
        is_new = self._replace or not self._writer.exists()
        self._connection.rollback()
        kept = self._take_over(Place(stream=place.stream) if is_new else place, is_new)
        self._connection.commit()
        if self._replace:
            self._claim()
            self._writer.empty()
        return kept

    def _make_cursor(self) -> None:
        """Two runs may make it at once."""
        try:
            CURSOR.create(self._connection, checkfirst=True)
            self._connection.commit()
        except (IntegrityError, ProgrammingError, OperationalError):
            self._connection.rollback()
            if not sa.inspect(self._connection).has_table(CURSOR.name):
                raise

    def _take_over(self, place: Place, is_new: bool) -> Place:
        """The place as the target knows it. From now on nobody else's commit counts."""
        query = sa.select(CURSOR).where(CURSOR.c.stream == place.stream).with_for_update()
        row = self._connection.execute(query).mappings().first()
        if row is None:
            self._connection.execute(CURSOR.insert(), {"stream": place.stream, **self._owned(place)})
            return place
        if row["execution"] == self._info.execution and row["attempt"] > self._info.attempt:
            raise LeaseLost
        kept = place if is_new else Place.from_json(json.loads(row["place"]))
        self._update(self._owned(kept), place.stream)
        return kept

    def _owned(self, place: Place) -> dict[str, object]:
        return {
            "execution": self._info.execution,
            "attempt": self._info.attempt,
            "place": json.dumps(storable(place)),
            "changed_at": datetime.now(UTC).isoformat(),
        }

    def _update(self, values: dict[str, object], stream: str) -> None:
        self._connection.execute(sa.update(CURSOR).where(CURSOR.c.stream == stream).values(values))

    def write(self, records: list[Record]) -> None:
        self._claim()
        self._writer.write(records)

    def commit(self, place: Place) -> Place:
        self._claim()
        self._update(self._owned(place), place.stream)
        self._connection.commit()
        self._is_claimed = False
        return place

    def _claim(self) -> None:
        """Hold the cursor's row to the end of this transaction; whoever takes over waits for it, or has been here."""
        if self._is_claimed:
            return
        mine = sa.select(CURSOR.c.stream).where(
            CURSOR.c.stream == self._stream,
            CURSOR.c.execution == self._info.execution,
            CURSOR.c.attempt == self._info.attempt,
        )
        if self._connection.execute(mine.with_for_update()).first() is None:
            raise RunFailed("another run of this job has taken over the target")
        self._is_claimed = True


@contextmanager
def table_sink(
    spec: Table, drops: Drops, key: str | None, context: Context, *, replace: bool, overwrite: bool
) -> Iterator[TableSink]:
    """`overwrite`: rows may come again with a key that is there already, and take its place."""
    with opened(spec, context) as connection:
        writer = TableWriter(connection, spec, drops, key)
        writer.replaces = overwrite
        yield TableSink(writer, context.info, replace=replace)

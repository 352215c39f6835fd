"""Ingestion into SQL tables: rows and cursor in one transaction, on every kind of database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from jobs.errors import RunFailed, Stopped
from jobs.runners.context import Context, RunInfo
from tests.databases import DIALECTS, Database, MakeDatabase
from tests.jobs.runners.ingest import EVERYTHING, Crash, Crashing, Stopping, ingest, spec_of


@pytest.fixture
def source(make_database: MakeDatabase) -> Database:
    database = make_database("sqlite")
    database.fill("t", 1, 25)
    return database


def into(database: Database, **fields: Any) -> dict[str, Any]:
    return {"table": {"url": database.url, "table": "copy", **fields}}


def ids(database: Database) -> list[int]:
    return [number for (number,) in database.rows("SELECT id FROM copy ORDER BY id")]


# -- it works ----------------------------------------------------------------------------------------------------------
def test_a_table_is_made_and_grows(source: Database, database: Database, context: Context) -> None:
    ingest(spec_of(source, into(database)), context)
    source.fill("t", 26, 33)

    result = ingest(spec_of(source, into(database)), context)

    assert result.records == 8
    assert ids(database) == [*range(1, 34)]


@pytest.mark.parametrize("kind", DIALECTS)
def test_every_kind_of_source_fits_every_kind_of_target(
    database: Database, make_database: MakeDatabase, kind: str, context: Context
) -> None:
    source = make_database(kind)
    source.fill("t", 1, 1500)

    ingest(spec_of(source, into(database), batch_size=700), context)

    assert database.rows("SELECT count(*), min(name), max(id) FROM copy") == [(1500, "name 1", 1500)]


def test_replace_keeps_the_table_and_its_indexes(source: Database, database: Database, context: Context) -> None:
    database.fill("copy", 100, 110)
    database.run("CREATE INDEX of_name ON copy (name)")

    ingest(spec_of(source, into(database), strategy="replace", query=EVERYTHING), context)

    assert ids(database) == [*range(1, 26)]
    with pytest.raises(Exception, match=r"(?i)exists|duplicate"):
        database.run("CREATE INDEX of_name ON copy (name)")


def test_replace_is_all_or_nothing(source: Database, database: Database, context: Context) -> None:
    database.run("CREATE TABLE copy (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL)")
    database.run("INSERT INTO copy VALUES (100, 'old')")
    source.run("CREATE TABLE u AS SELECT * FROM t", "INSERT INTO u VALUES (26, NULL)")

    with pytest.raises(RunFailed, match="record with id 26 cannot be written"):
        ingest(spec_of(source, into(database), strategy="replace", query="SELECT id, name FROM u"), context)
    assert ids(database) == [100]


def test_rows_that_come_again_take_their_place(database: Database, context: Context) -> None:
    database.run("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)", "INSERT INTO t VALUES (1, 10), (2, 20)")
    where = "{{#last_record.n}}WHERE n > {{last_record.n}}{{/last_record.n}}"
    raw = spec_of(database, into(database), query=f"SELECT id, n FROM t {where} ORDER BY n")
    ingest(raw, context)
    database.run("UPDATE t SET n = 30 WHERE id = 1")

    ingest(raw, context)

    assert database.rows("SELECT id, n FROM copy ORDER BY id") == [(1, 30), (2, 20)]


# -- being stopped -----------------------------------------------------------------------------------------------------
def test_a_stop_leaves_whole_batches(source: Database, database: Database, tmp_path: Path) -> None:
    context = Stopping(workdir=tmp_path)
    context.after = 2
    with pytest.raises(Stopped):
        ingest(spec_of(source, into(database)), context)
    assert ids(database) == [*range(1, 11)]

    ingest(spec_of(source, into(database)), Context(workdir=tmp_path, cursor=context.cursor))

    assert ids(database) == [*range(1, 26)]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_the_targets_own_cursor_wins(source: Database, database: Database, tmp_path: Path, after: int) -> None:
    context = Crashing(workdir=tmp_path)
    context.after = after
    with pytest.raises(Crash):
        ingest(spec_of(source, into(database)), context)

    ingest(spec_of(source, into(database)), Context(workdir=tmp_path, cursor=context.cursor))

    assert ids(database) == [*range(1, 26)]


class Overtaken(Stopping):
    """Another attempt of the same execution begins after the first batch."""

    raw: dict[str, Any]
    other: Context

    def save_cursor(self, value: Any) -> None:
        Context.save_cursor(self, value)
        self.after -= 1
        if self.after == 0:
            self.other.cursor = value
            ingest(self.raw, self.other)


def test_an_attempt_that_was_overtaken_writes_nothing_more(
    source: Database, make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("sqlite")
    raw = spec_of(source, into(database))
    context = Overtaken(workdir=tmp_path, info=RunInfo(execution="one", attempt=1))
    context.after, context.raw = 2, raw
    context.other = Context(workdir=tmp_path, info=RunInfo(execution="one", attempt=2))

    with pytest.raises(RunFailed, match="has taken over the target"):
        ingest(raw, context)
    assert ids(database) == [*range(1, 26)]


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_a_column_that_the_table_has_not_is_named(source: Database, database: Database, context: Context) -> None:
    database.run("CREATE TABLE copy (id INTEGER PRIMARY KEY)")

    with pytest.raises(RunFailed, match=r"has no column 'name' \(it has id\): rename it"):
        ingest(spec_of(source, into(database)), context)


def test_a_row_that_the_table_does_not_take_ends_the_run(
    source: Database, database: Database, context: Context
) -> None:
    database.fill("copy", 17, 17)

    with pytest.raises(RunFailed, match=r"record with id 17 cannot be written: .*(UNIQUE|duplicate|Duplicate)"):
        ingest(spec_of(source, into(database)), context)
    assert ids(database) == [*range(1, 11), 17]


def test_some_rows_may_be_dropped(source: Database, database: Database, context: Context) -> None:
    database.fill("copy", 3, 3)
    database.fill("copy", 17, 18)

    result = ingest(spec_of(source, into(database), max_errors=3), context)

    assert (result.records, result.message) == (22, "22 records, 3 records dropped")
    assert (context.n_dropped, context.warnings) == (3, ["3 records could not be written"])
    assert ids(database) == [*range(1, 26)]


def test_one_dropped_row_too_many_ends_the_run(source: Database, database: Database, context: Context) -> None:
    database.fill("copy", 3, 8)

    with pytest.raises(RunFailed, match=r"6 records could not be written \(max_errors is 5\)"):
        ingest(spec_of(source, into(database), max_errors=5), context)


@pytest.mark.mysql
def test_a_table_without_transactions_is_refused(
    source: Database, make_database: MakeDatabase, context: Context
) -> None:
    database = make_database("mysql")
    database.run("CREATE TABLE copy (id INTEGER PRIMARY KEY, name TEXT) ENGINE=MyISAM")

    with pytest.raises(RunFailed, match="kept by MyISAM, which has no transactions"):
        ingest(spec_of(source, into(database)), context)


# -- values ------------------------------------------------------------------------------------------------------------
VALUES = {
    "id": 1,
    "whole": 2**60,
    "part": 0.1,
    "exact": Decimal("12345678901234567890.12345"),
    "text": "naïve 🎉 it's \\ 100% :x",
    "data": b"\x00\xff",
    "at": datetime(2020, 2, 29, 23, 59, 59, 123456),  # noqa: DTZ001
    "aware": datetime(2020, 2, 29, 23, 59, 59, tzinfo=UTC),
    "day": date(2020, 2, 29),
    "uuid": UUID("11e247fa-ccb1-11e8-ad75-c293294ec513"),
    "doc": {"a": [1, {"b": None}]},
    "void": None,
}
POSTGRES_TABLE = (
    "CREATE TABLE t (id bigint, whole bigint, part float8, exact numeric, text text, data bytea, at timestamp, "
    "aware timestamptz, day date, uuid uuid, doc jsonb, void text)"
)


@pytest.mark.postgres
def test_postgresql_to_postgresql_is_exact(make_database: MakeDatabase, context: Context) -> None:
    from psycopg.types.json import Jsonb

    source = make_database("postgresql")
    source.run(POSTGRES_TABLE)
    values = {**VALUES, "doc": Jsonb(VALUES["doc"])}
    with source.connect() as connection:
        marks = ", ".join(f"%({name})s" for name in values)
        connection.execute(f"INSERT INTO t VALUES ({marks})", values)
    query = "SELECT * FROM t {{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}}"

    ingest(spec_of(source, into(source), query=query), context)

    assert source.rows("SELECT * FROM copy") == source.rows("SELECT * FROM t")
    kinds = source.rows(
        "SELECT data_type FROM information_schema.columns WHERE table_name = 'copy' ORDER BY ordinal_position"
    )
    assert [kind for (kind,) in kinds] == [
        *("bigint", "bigint", "double precision", "numeric", "text", "bytea", "timestamp without time zone"),
        *("timestamp with time zone", "date", "uuid", "jsonb", "text"),
    ]


@pytest.mark.postgres
@pytest.mark.parametrize("kind", [DIALECTS[0], DIALECTS[2]])
def test_postgresql_fits_the_others(make_database: MakeDatabase, kind: str, context: Context) -> None:
    from psycopg.types.json import Jsonb

    source, target = make_database("postgresql"), make_database(kind)
    source.run(POSTGRES_TABLE)
    values = {**VALUES, "doc": Jsonb(VALUES["doc"])}
    with source.connect() as connection:
        marks = ", ".join(f"%({name})s" for name in values)
        connection.execute(f"INSERT INTO t VALUES ({marks})", values)

    ingest(spec_of(source, into(target), strategy="replace", query="SELECT * FROM t"), context)

    [row] = target.rows("SELECT id, whole, text, data, uuid, void FROM copy")
    assert row == (1, 2**60, VALUES["text"], b"\x00\xff", str(VALUES["uuid"]), None)

"""Exports: a query in a file or a table, whole or not at all."""

import csv
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Invalid, RunFailed, Stopped
from jobs.runners.base import Result
from jobs.runners.context import Context, Stop
from jobs.runners.export import ExportRunner
from tests.databases import Database, MakeDatabase
from tests.jobs.runners.ingest import EVERYTHING, ids_of


@pytest.fixture
def sqlite(make_database: MakeDatabase) -> Database:
    database = make_database("sqlite")
    database.fill("t", 1, 25)
    return database


def export(source: Database, target: dict[str, Any], context: Context, **fields: Any) -> Result:
    runner = ExportRunner()
    raw = {"source": source.url, "query": EVERYTHING, "target": target, **fields}
    return runner.run(runner.validate(raw), context)


def refusal(fields: dict[str, Any], folder: Path) -> str:
    here = {"source": f"sqlite:///{folder}/a.db", "target": {"jsonl": f"{folder}/a.jsonl"}}
    raw = {"query": EVERYTHING, **here, **fields}
    with pytest.raises(Invalid) as error:
        ExportRunner().validate(raw)
    return error.value.message


# -- files -------------------------------------------------------------------------------------------------------------
def test_rows_as_csv(database: Database, tmp_path: Path, context: Context) -> None:
    database.fill("t", 1, 1234)

    result = export(database, {"csv": str(tmp_path / "t.csv")}, context)

    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["id", "name"], *([str(i), f"name {i}"] for i in range(1, 1235))]
    assert (result.records, result.message) == (1234, "1234 rows, 16.3 kB")


def test_csv_with_another_delimiter_and_without_a_header(sqlite: Database, tmp_path: Path, context: Context) -> None:
    query = "SELECT 1 AS a, 'x;y' AS b, NULL AS c, 'say \"hi\"\nthere' AS d, 1.5 AS e, X'00' AS f"

    export(sqlite, {"csv": {"path": str(tmp_path / "t"), "delimiter": ";", "header": False}}, context, query=query)

    assert (tmp_path / "t").read_text() == '1;"x;y";;"say ""hi""\nthere";1.5;AA==\n'


def test_rows_as_json_lines(sqlite: Database, tmp_path: Path, context: Context) -> None:
    export(sqlite, {"jsonl": str(tmp_path / "t.jsonl")}, context)

    assert ids_of(tmp_path / "t.jsonl") == [*range(1, 26)]


def test_rows_as_parquet(sqlite: Database, tmp_path: Path, context: Context) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow: pip install pyarrow")

    export(sqlite, {"parquet": str(tmp_path / "t.parquet")}, context, query="SELECT id, name, NULL AS x FROM t")

    rows = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert rows == [{"id": i, "name": f"name {i}", "x": None} for i in range(1, 26)]


@pytest.mark.postgres
def test_parquet_keeps_types(make_database: MakeDatabase, tmp_path: Path, context: Context) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow: pip install pyarrow")
    query = "SELECT 1.25::numeric AS n, true AS b, '{\"a\": 1}'::jsonb AS doc, '\\x00'::bytea AS data"

    export(make_database("postgresql"), {"parquet": str(tmp_path / "t.parquet")}, context, query=query)

    [row] = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert row == {"n": Decimal("1.25"), "b": True, "doc": '{"a":1}', "data": b"\x00"}


def test_an_empty_parquet_file_has_its_columns(sqlite: Database, tmp_path: Path, context: Context) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow: pip install pyarrow")

    export(sqlite, {"parquet": str(tmp_path / "t.parquet")}, context, query="SELECT id FROM t WHERE id < 0")

    assert parquet.read_table(tmp_path / "t.parquet").column_names == ["id"]


def test_without_pyarrow_the_way_out_is_told(
    sqlite: Database, tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(RunFailed, match="pip install pyarrow"):
        export(sqlite, {"parquet": str(tmp_path / "t.parquet")}, context)
    assert [path.name for path in tmp_path.iterdir() if "parquet" in path.name] == []


def test_the_old_file_stays_until_the_new_one_is_whole(sqlite: Database, tmp_path: Path, context: Context) -> None:
    (tmp_path / "t.csv").write_text("old")
    context.stop(Stop.ABORT)

    with pytest.raises(Stopped):
        export(sqlite, {"csv": str(tmp_path / "t.csv")}, context)

    assert (tmp_path / "t.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_a_killed_run_left_is_no_hindrance(sqlite: Database, tmp_path: Path, context: Context) -> None:
    (tmp_path / ".t.csv.jobhub-part").write_text("half a li")

    export(sqlite, {"csv": str(tmp_path / "t.csv")}, context)

    assert len((tmp_path / "t.csv").read_text().splitlines()) == 26
    assert not (tmp_path / ".t.csv.jobhub-part").exists()


# -- tables ------------------------------------------------------------------------------------------------------------
def test_rows_as_a_table(sqlite: Database, database: Database, context: Context) -> None:
    target = {"table": {"url": database.url, "table": "copy"}}
    export(sqlite, target, context)
    sqlite.run("DELETE FROM t WHERE id > 2")

    assert export(sqlite, target, context, rename={"name": "name"}).message == "2 rows"
    assert database.rows("SELECT id, name FROM copy ORDER BY id") == [(1, "name 1"), (2, "name 2")]


def test_a_failed_export_leaves_the_old_rows(sqlite: Database, database: Database, context: Context) -> None:
    database.run("CREATE TABLE copy (id INTEGER PRIMARY KEY)", "INSERT INTO copy VALUES (7)")

    with pytest.raises(RunFailed, match="cannot be written"):
        export(
            sqlite,
            {"table": {"url": database.url, "table": "copy"}},
            context,
            query="SELECT id FROM t UNION ALL SELECT 1",
        )
    assert database.rows("SELECT id FROM copy") == [(7,)]


# -- parameters --------------------------------------------------------------------------------------------------------
def test_parameters_are_bound_never_text(sqlite: Database, tmp_path: Path, context: Context) -> None:
    evil = "x' OR '1'='1"
    context.params = {"name": evil}
    query = "SELECT id, {{params.name}} AS given FROM t WHERE name = {{params.name}} OR id = {{params.id}}"

    export(sqlite, {"csv": str(tmp_path / "t.csv")}, context, query=query, params={"id": 3, "name": "default"})

    assert (tmp_path / "t.csv").read_text() == f"id,given\n3,{evil}\n"


def test_a_section_stands_when_its_parameter_is_given(sqlite: Database, tmp_path: Path, context: Context) -> None:
    query = "SELECT id FROM t {{#params.up_to}}WHERE id <= {{params.up_to}}{{/params.up_to}}"

    assert export(sqlite, {"csv": str(tmp_path / "t.csv")}, context, query=query).records == 25
    context.params = {"up_to": 4}
    assert export(sqlite, {"csv": str(tmp_path / "t.csv")}, context, query=query).records == 4


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"target": {}}, "wanted one of csv, jsonl, parquet, table"),
        ({"target": {"csv": "/a", "jsonl": "/b"}}, "wanted one of"),
        ({"target": {"csv": "/etc/passwd"}}, "outside the allowed paths"),
        ({"target": {"csv": "relative.csv"}}, "absolute path"),
        ({"target": {"csv": {"path": "/a", "delimiter": "ab"}}}, "target.csv.delimiter"),
        ({"query": "DELETE FROM t"}, "wanted a query"),
        ({"query": "SELECT {{max_primary_key}}"}, "there is no variable 'max_primary_key'"),
        ({"source": "postgresql://jane:secret@db.example.org/x"}, "a password does not belong into a spec"),
        ({"target": {"table": {"url": "postgresql://a:b@db.example.org/x", "table": "t"}}}, "a password does not"),
        ({"target": {"table": {"url": "sqlite:////etc/x.db", "table": "t"}}}, "outside the allowed paths"),
        ({"target": {"table": {"url": "postgresql://db.example.org/x", "table": "t; DROP"}}}, "target.table.table"),
        ({"batch_size": 0}, "batch_size"),
        ({"rename": {"a": "x", "b": "x"}}, "two columns get the same name"),
    ],
)
def test_bad_specs_are_refused_when_saved(
    make_database: MakeDatabase, tmp_path: Path, fields: dict[str, Any], why: str
) -> None:
    assert why in refusal(fields, tmp_path)


def test_it_may_be_done_again() -> None:
    assert ExportRunner.on_lost == "rerun"

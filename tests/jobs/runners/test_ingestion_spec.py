"""What an ingestion's spec may say, and how its query's variables are bound."""

from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Invalid, RunFailed
from jobs.runners.context import Context
from jobs.runners.ingestion import IngestionRunner
from jobs.runners.sql import spec
from tests.databases import Database, MakeDatabase
from tests.jobs.runners.ingest import ids_of, ingest, lines_of, spec_of


@pytest.fixture
def sqlite(make_database: MakeDatabase) -> Database:
    database = make_database("sqlite")
    database.fill("t", 1, 5)
    return database


BAD = [
    ({"source": "postgresql://jane:pw@db.example.org/x"}, "a password does not belong into a spec"),
    ({"source": {"url": "postgresql://jane:pw@db.example.org/x"}}, "a password does not belong into a spec"),
    ({"source": "postgresql://jane@127.0.0.1/x?passfile=/x"}, "passfile"),
    ({"source": {"secret": "../evil"}}, "source.url"),
    ({"source": {"url": "postgresql://db.example.org/x", "password": "plain"}}, "source.password"),
    ({"source": "sqlite:////etc/shadow"}, "outside the allowed paths"),
    ({"query": "SELECT {{max_primary_kei}}"}, "there is no variable 'max_primary_kei'"),
    ({"query": "SELECT {{last_record}}"}, "there is no variable 'last_record'"),
    ({"query": "SELECT {{params.x}}"}, "there is no variable 'params.x'"),
    ({"query": "SELECT {{> partial}}"}, "is no variable"),
    ({"query": "SELECT {{max_primary_key"}, "opened and never closed"),
    ({"query": "SELECT {{#max_primary_key}} 1"}, "is never closed"),
    ({"query": "SELECT 1 {{/max_primary_key}}"}, "closes no section"),
    ({"query": "SELECT 'a{{max_primary_key}}'"}, "inside quotes or a comment"),
    ({"query": "SELECT 1 -- {{max_primary_key}}\n"}, "inside quotes or a comment"),
    ({"query": "SELECT 1 {{^max_primary_key}}; DROP TABLE t{{/max_primary_key}}"}, "one statement"),
    ({"query": "SELECT 1 {{#max_primary_key}}; DROP TABLE t{{/max_primary_key}}"}, "one statement"),
    ({"query": "SELECT id FROM t ORDER BY id"}, "where does a run go on"),
    ({"pk_field": None}, "needs to know which column is the key"),
    ({"strategy": "INCREMENT"}, "strategy"),
    ({"batch_size": 0}, "batch_size"),
    ({"batch_size": 10_001}, "batch_size"),
    ({"max_errors": -1}, "max_errors"),
    ({"target": {}}, "wanted one of jsonl, table, index"),
    ({"target": {"jsonl": "/x", "index": "y"}}, "wanted one of"),
    ({"target": {"jsonl": "/etc/passwd"}}, "outside the allowed paths"),
    ({"target": {"index": "UPPER"}}, "target.index"),
    ({"target": {"index": "_bulk"}}, "target.index"),
    ({"target": {"table": {"url": "postgresql://db.example.org/x", "table": 'x"; DROP'}}}, "target.table.table"),
    ({"rename": {"a": "x", "b": "x"}}, "two columns get the same name"),
    ({"target": {"index": {"name": "x", "password": "plain"}}}, "target.index.password"),
    ({"warnings": "x"}, "warnings"),
    ({"secret": "x"}, "unknown field"),
]


@pytest.mark.parametrize(("fields", "why"), BAD)
def test_bad_specs_are_refused_when_saved(sqlite: Database, tmp_path: Path, fields: dict[str, Any], why: str) -> None:
    raw = spec_of(sqlite, {"jsonl": str(tmp_path / "out.jsonl")})

    with pytest.raises(Invalid) as error:
        IngestionRunner().validate({**raw, **fields})
    assert why in error.value.message
    assert "jane:pw" not in error.value.message


def test_the_hubs_own_files_are_no_target(sqlite: Database, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="belongs to the hub itself"):
        IngestionRunner().validate(spec_of(sqlite, {"jsonl": str(tmp_path / "hub" / "jobhub.sqlite3")}))


def test_a_link_in_the_way_of_the_target_is_not_followed(sqlite: Database, tmp_path: Path, context: Context) -> None:
    runner = IngestionRunner()
    spec = runner.validate(spec_of(sqlite, {"jsonl": str(tmp_path / "out.jsonl")}))
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "keys").write_text("precious")
    (tmp_path / "out.jsonl").symlink_to(tmp_path / "hub" / "keys")

    with pytest.raises(RunFailed, match="belongs to the hub itself"):
        runner.run(spec, context)
    assert (tmp_path / "hub" / "keys").read_text() == "precious"


# -- secrets -----------------------------------------------------------------------------------------------------------
def test_the_whole_url_may_be_a_secret(sqlite: Database, tmp_path: Path, context: Context) -> None:
    context.secrets = {"shop": sqlite.url}

    result = ingest(spec_of({"secret": "shop"}, {"jsonl": str(tmp_path / "o.jsonl")}), context)

    assert result.records == 5


@pytest.mark.postgres
def test_a_password_is_masked_in_what_the_driver_says(
    make_database: MakeDatabase, tmp_path: Path, context: Context
) -> None:
    url = make_database("postgresql").url.replace("//", "//nobody-hunter22:hunter22-pass@")
    context.secrets = {"shop": url}

    with pytest.raises(RunFailed) as error:
        ingest(spec_of({"secret": "shop"}, {"jsonl": str(tmp_path / "o.jsonl")}), context)
    told = " ".join([error.value.message, *error.value.causes])
    assert "hunter22-pass" not in context.masked(told)
    assert 'role "nobody-hunter22" does not exist' in told


def test_user_and_password_may_stand_beside_the_url(sqlite: Database) -> None:
    """Instead of those in it."""
    context = Context(workdir=Path("/"), secrets={"shop": "mysql://jane:old@h.example.org/x", "pw": "p@ss"})
    database = spec.Database.model_validate({"url": {"secret": "shop"}, "user": "joe", "password": {"secret": "pw"}})
    found = database.resolve(context, "source")

    assert (found.user, found.password) == ("joe", "p@ss")


def test_a_secret_url_is_guarded_too(tmp_path: Path, sqlite: Database, context: Context) -> None:
    context.secrets = {"shop": "postgresql://jane:pw@169.254.169.254/x"}

    with pytest.raises(RunFailed, match="JOBHUB_ALLOWED_TARGETS"):
        ingest(spec_of({"secret": "shop"}, {"jsonl": str(tmp_path / "o.jsonl")}), context)


# -- the order of rows -------------------------------------------------------------------------------------------------
def rows_in(database: Database, kind: str, values: list[str]) -> None:
    database.run(f"CREATE TABLE k (id {kind}, place INTEGER)")
    for place, value in enumerate(values):
        database.run(f"INSERT INTO k VALUES ({value}, {place})")


ORDERLESS = "SELECT id FROM k {{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}} ORDER BY place"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["1", "3", "2"], r"do not come in increasing order of id \(2 came after 3\): add ORDER BY id"),
        (["1", "2", "2"], r"two rows have the same id \(2\): it must be unique"),
        (["1", "NULL"], "a row has no value in id"),
    ],
)
def test_rows_without_order_are_refused(
    database: Database, tmp_path: Path, context: Context, values: list[str], why: str
) -> None:
    rows_in(database, "INTEGER", values)

    with pytest.raises(RunFailed, match=why):
        ingest(spec_of(database, {"jsonl": str(tmp_path / "o.jsonl")}, query=ORDERLESS), context)


def test_the_last_row_may_come_again(sqlite: Database, tmp_path: Path, context: Context) -> None:
    query = "SELECT id FROM t {{#max_primary_key}}WHERE id >= {{max_primary_key}}{{/max_primary_key}} ORDER BY id"
    raw = spec_of(sqlite, {"jsonl": str(tmp_path / "o.jsonl")}, query=query)
    ingest(raw, context)
    sqlite.fill("t", 6, 7)

    ingest(raw, context)

    assert ids_of(tmp_path / "o.jsonl") == [*range(1, 8)]


KEYS = {
    "VARCHAR(20)": ["'A'", "'b'", "'c d'", "'it''s'"],
    "NUMERIC(30, 2)": ["1.10", "2.00", "12345678901234567890.55"],
    "TIMESTAMP": ["'2020-01-01 00:00:00'", "'2020-01-02 00:00:01'", "'2021-01-01 12:00:00'"],
    "DATE": ["'2020-01-01'", "'2020-01-02'"],
    "BIGINT": ["-5", "7", "9007199254740993"],
}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_many_types(database: Database, tmp_path: Path, context: Context, kind: str) -> None:
    where = "{{#max_primary_key}}WHERE id > '{{ max_primary_key }}'{{/max_primary_key}}"
    raw = spec_of(
        database,
        {"jsonl": str(tmp_path / "o.jsonl")},
        query=f"SELECT id, place FROM k {where} ORDER BY id",
        batch_size=1,
    )
    rows_in(database, kind, KEYS[kind][:-1])
    ingest(raw, context)
    database.run(f"INSERT INTO k VALUES ({KEYS[kind][-1]}, 99)")

    assert ingest(raw, context).records == 1
    assert lines_of(tmp_path / "o.jsonl")[-1]["place"] == 99


def test_two_columns_may_make_the_order(sqlite: Database, tmp_path: Path, context: Context) -> None:
    sqlite.run("CREATE TABLE u (a INTEGER, id INTEGER)", "INSERT INTO u VALUES (1, 5), (1, 9), (2, 1), (2, 3)")
    where = "{{#last_record}}WHERE (a, id) > ({{last_record.a}}, {{last_record.id}}){{/last_record}}"
    raw = spec_of(
        sqlite,
        {"jsonl": str(tmp_path / "o.jsonl")},
        query=f"SELECT a, id FROM u {where} ORDER BY a, id",
        batch_size=1,
    )
    ingest(raw, context)
    sqlite.run("INSERT INTO u VALUES (2, 4), (3, 0)")

    ingest(raw, context)

    assert ids_of(tmp_path / "o.jsonl") == [5, 9, 1, 3, 4, 0]


def test_a_forgotten_section_is_pointed_out(sqlite: Database, tmp_path: Path, context: Context) -> None:
    query = "SELECT id FROM t WHERE id > {{max_primary_key}} ORDER BY id"

    ingest(spec_of(sqlite, {"jsonl": str(tmp_path / "o.jsonl")}, query=query), context)

    assert "{{#max_primary_key}}WHERE" in context.warnings[0]


def test_two_columns_of_one_name_are_refused(database: Database, tmp_path: Path, context: Context) -> None:
    database.fill("t", 1, 1)
    query = "SELECT id, name AS id FROM t"

    with pytest.raises(RunFailed, match="two columns 'id'"):
        ingest(spec_of(database, {"jsonl": str(tmp_path / "o.jsonl")}, query=query, strategy="replace"), context)


# -- values ------------------------------------------------------------------------------------------------------------
@pytest.mark.postgres
def test_values_of_postgresql_as_json(make_database: MakeDatabase, tmp_path: Path, context: Context) -> None:
    query = """SELECT 1.10::numeric AS exact, 'NaN'::float8 AS nan, 'NaN'::numeric AS nan_too, 2::numeric ^ 70 AS huge,
        '2020-02-29 23:59:59.5+02'::timestamptz AS aware, '2020-02-29 23:59:59'::timestamp AS naive,
        '2020-02-29'::date AS day, '10:30'::time AS clock, '\\x00ff'::bytea AS data, '{"a": [1, 1.5]}'::jsonb AS doc,
        '11e247fa-ccb1-11e8-ad75-c293294ec513'::uuid AS uuid, NULL AS void, ARRAY[1, 2] AS list,
        '1 day'::interval AS span, true AS yes, '100% :x {{! comment }}' AS text"""

    ingest(
        spec_of(
            make_database("postgresql"), {"jsonl": str(tmp_path / "o")}, query=query, strategy="replace", pk_field=None
        ),
        context,
    )

    assert (tmp_path / "o").read_text() == (
        '{"exact":1.10,"nan":null,"nan_too":null,"huge":1180591620717411303424.0000000000000000,'
        '"aware":"2020-02-29T21:59:59.500000Z","naive":"2020-02-29T23:59:59","day":"2020-02-29","clock":"10:30:00",'
        '"data":"AP8=","doc":{"a":[1,1.5]},"uuid":"11e247fa-ccb1-11e8-ad75-c293294ec513","void":null,"list":[1,2],'
        '"span":"24:00:00","yes":true,"text":"100% :x "}\n'
    )


# -- warnings ----------------------------------------------------------------------------------------------------------
def test_each_run_warns_of_what_was_asked_in_vain(sqlite: Database, tmp_path: Path, context: Context) -> None:
    raw = spec_of(sqlite, {"jsonl": str(tmp_path / "o.jsonl")}, warnings=["the mapping is not applied"])

    assert ingest(raw, context).records == 5
    assert context.warnings == ["the mapping is not applied"]

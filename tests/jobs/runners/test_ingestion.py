"""Ingestion into JSON Lines files: all of it, the rest of it, and what stops it in the middle."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import RunFailed, Stopped
from jobs.runners.base import OnLost
from jobs.runners.context import Context, Stop
from jobs.runners.ingestion import IngestionRunner
from tests.databases import Database, MakeDatabase
from tests.jobs.runners.disks import small_disk
from tests.jobs.runners.ingest import EVERYTHING, Crash, Crashing, Stopping, ids_of, ingest, lines_of, spec_of
from tests.programs import running

__all__ = ["small_disk"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def sqlite(make_database: MakeDatabase) -> Database:
    database = make_database("sqlite")
    database.fill("t", 1, 25)
    return database


# -- it works ----------------------------------------------------------------------------------------------------------
def test_all_rows_come_in_batches(database: Database, out: Path, context: Context) -> None:
    database.fill("t", 1, 2345)

    result = ingest(spec_of(database, {"jsonl": str(out)}, batch_size=1000), context)

    assert (result.records, result.last_id, result.message) == (2345, "2345", "2345 records")
    assert lines_of(out) == [{"id": i, "name": f"name {i}"} for i in range(1, 2346)]


def test_the_next_run_goes_on_after_the_last_key(database: Database, out: Path, context: Context) -> None:
    database.fill("t", 1, 15)
    ingest(spec_of(database, {"jsonl": str(out)}), context)
    database.run("DELETE FROM t WHERE id > 5")
    database.fill("t", 20, 32)

    result = ingest(spec_of(database, {"jsonl": str(out)}), context)

    assert result.records == 13
    assert ids_of(out) == [*range(1, 16), *range(20, 33)]


def test_reports_are_made_as_it_goes(sqlite: Database, out: Path, tmp_path: Path) -> None:
    context = Stopping(workdir=tmp_path)
    context.after = 3  # the start, and two batches

    with pytest.raises(Stopped):
        ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    assert (context.records, context.last_id, context.done, context.unit) == (20, "20", 20, "rows")


def test_the_volume_of_a_run_is_told(sqlite: Database, out: Path, context: Context) -> None:
    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    assert (context.n_dropped, context.volume_bytes) == (0, sum(16 + len(f"name {i}") for i in range(1, 26)))


def test_nothing_new_is_no_failure(sqlite: Database, out: Path, context: Context) -> None:
    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    result = ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    assert (result.message, context.warnings) == ("0 records", [])


def test_columns_get_other_names(sqlite: Database, out: Path, context: Context) -> None:
    ingest(spec_of(sqlite, {"jsonl": str(out)}, rename={"name": "title", "id": "key"}), context)

    assert lines_of(out)[0] == {"key": 1, "title": "name 1"}


def test_two_targets_of_a_job_have_places_of_their_own(sqlite: Database, tmp_path: Path, context: Context) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    ingest(spec_of(sqlite, {"jsonl": str(one)}), context)

    ingest(spec_of(sqlite, {"jsonl": str(two)}), context)

    assert ids_of(one) == ids_of(two) == [*range(1, 26)]


def test_the_cursor_keeps_what_others_keep_in_it(sqlite: Database, out: Path, context: Context) -> None:
    context.cursor = {"mine": 1}

    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    assert context.cursor["mine"] == 1


def test_an_existing_file_is_appended_to(sqlite: Database, out: Path, context: Context) -> None:
    out.write_text('{"id": 0}\n')

    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    assert ids_of(out) == [*range(26)]


def test_a_query_by_time_brings_what_changed_since_the_last_run_began(database: Database, out: Path) -> None:
    context = Context(workdir=out.parent)
    database.run("CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL)")
    database.run("INSERT INTO t VALUES (1, '2020-01-01 00:00:00'), (2, '2020-01-01 00:00:00')")
    when = "{{#last_record_timestamp}}WHERE at > {{last_record_timestamp}}{{/last_record_timestamp}}"
    raw = spec_of(database, {"jsonl": str(out)}, query=f"SELECT id FROM t {when} ORDER BY id DESC")
    ingest(raw, context)
    database.run("UPDATE t SET at = '2037-01-01 00:00:00' WHERE id = 1")

    ingest(raw, context)

    assert ids_of(out) == [2, 1, 1]


# -- replace -----------------------------------------------------------------------------------------------------------
def test_replace_brings_all_rows_anew(sqlite: Database, out: Path, context: Context) -> None:
    raw = spec_of(sqlite, {"jsonl": str(out)}, strategy="replace", query=EVERYTHING)
    ingest(raw, context)
    sqlite.run("DELETE FROM t WHERE id < 20")

    ingest(raw, context)

    assert ids_of(out) == [*range(20, 26)]


def test_replace_leaves_the_old_file_when_it_fails(sqlite: Database, out: Path, context: Context) -> None:
    out.write_text("old\n")
    sqlite.run("INSERT INTO t VALUES (26, CAST(X'ff' AS TEXT))")

    with pytest.raises(RunFailed, match="UTF-8"):
        ingest(spec_of(sqlite, {"jsonl": str(out)}, strategy="replace", query=EVERYTHING), context)

    assert out.read_text() == "old\n"
    assert [path.name for path in out.parent.glob("*jsonl*")] == [out.name]
    assert [path.name for path in out.parent.glob(".*part")] == []


# -- being stopped -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("reason", [Stop.ABORT, Stop.PAUSE, Stop.SHUTDOWN])
def test_a_stop_between_batches_leaves_whole_batches(sqlite: Database, out: Path, tmp_path: Path, reason: Stop) -> None:
    context = Stopping(workdir=tmp_path)
    context.after, context.reason = 2, reason
    with pytest.raises(Stopped):
        ingest(spec_of(sqlite, {"jsonl": str(out)}), context)
    assert ids_of(out) == [*range(1, 11)]

    ingest(spec_of(sqlite, {"jsonl": str(out)}), Context(workdir=tmp_path, cursor=context.cursor))

    assert ids_of(out) == [*range(1, 26)]


@pytest.mark.parametrize("after", [2, 3, 4])
def test_a_crash_before_a_cursor_is_saved_doubles_nothing(
    sqlite: Database, out: Path, tmp_path: Path, after: int
) -> None:
    context = Crashing(workdir=tmp_path)
    context.after = after
    with pytest.raises(Crash):
        ingest(spec_of(sqlite, {"jsonl": str(out)}), context)
    with out.open("a") as file:
        file.write('{"id": 99, "na')

    ingest(spec_of(sqlite, {"jsonl": str(out)}), Context(workdir=tmp_path, cursor=context.cursor))

    assert ids_of(out) == [*range(1, 26)]


def test_a_crash_before_the_first_cursor_is_saved_leaves_no_row(sqlite: Database, out: Path, tmp_path: Path) -> None:
    with pytest.raises(Crash):
        ingest(spec_of(sqlite, {"jsonl": str(out)}), Crashing(workdir=tmp_path))

    assert out.read_text() == ""


def test_counts_go_on_over_the_attempts_of_an_execution(sqlite: Database, out: Path, tmp_path: Path) -> None:
    context = Stopping(workdir=tmp_path)
    context.info = type(context.info)(execution="one")
    context.after = 2
    with pytest.raises(Stopped):
        ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    again = Context(workdir=tmp_path, cursor=context.cursor, info=context.info)

    assert ingest(spec_of(sqlite, {"jsonl": str(out)}), again).records == 25
    assert again.volume_bytes == sum(16 + len(f"name {i}") for i in range(1, 26))


ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS id FROM n",
    "postgresql": "SELECT pg_sleep(600), 1 AS id",
    "mysql": "SELECT count(*) AS id FROM information_schema.columns a, information_schema.columns b, "
    "information_schema.columns c, information_schema.columns d",
}


def test_a_query_that_runs_is_cancelled(database: Database, out: Path, context: Context) -> None:
    database.fill("t", 1, 1)
    timer = threading.Timer(0.5, lambda: context.stop(Stop.ABORT))
    timer.start()
    query = ENDLESS[database.dialect]

    with pytest.raises(Stopped):
        ingest(spec_of(database, {"jsonl": str(out)}, query=query, strategy="replace"), context)
    timer.join()


def test_a_deadline_ends_a_query_too(database: Database, out: Path, context: Context) -> None:
    database.fill("t", 1, 1)
    context.deadline = time.monotonic() + 0.5

    with pytest.raises(Stopped):
        ingest(spec_of(database, {"jsonl": str(out)}, query=ENDLESS[database.dialect], strategy="replace"), context)
    assert context.stop_reason is Stop.TIMEOUT


@pytest.mark.postgres
def test_a_source_that_goes_away_is_told_in_its_own_words(
    make_database: MakeDatabase, out: Path, context: Context
) -> None:
    database = make_database("postgresql")
    query = "SELECT i AS id, pg_sleep(0.01)::text AS name FROM generate_series(1, 100000) AS i"
    name = database.url.rpartition("/")[2]
    others = (
        f"FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid() AND application_name = 'jobhub'"
    )
    killer = killing(database, f"SELECT 'SELECT pg_terminate_backend(' || pid || ')' {others}")

    with pytest.raises(RunFailed) as error:
        ingest(spec_of(database, {"jsonl": str(out)}, query=query, strategy="replace"), context)
    killer.join()

    assert error.value.message.startswith(f"cannot read from {database.url}: ")
    assert "terminating connection due to administrator command" in error.value.causes[0]


@pytest.mark.mysql
def test_a_killed_mysql_connection_is_told_too(make_database: MakeDatabase, out: Path, context: Context) -> None:
    database = make_database("mysql")
    name = database.url.rpartition("/")[2]
    others = f"FROM information_schema.processlist WHERE db = '{name}' AND id <> connection_id() AND time_ms > 100"
    killer = killing(database, f"SELECT concat('KILL ', id) {others} AND command = 'Query'")

    with pytest.raises(RunFailed, match=r"cannot read from mysql://.*\(2013\)"):
        ingest(spec_of(database, {"jsonl": str(out)}, query=ENDLESS["mysql"], strategy="replace"), context)
    killer.join()


def killing(database: Database, find: str) -> threading.Thread:
    """Runs what the query gives, once it gives something."""

    def kill() -> None:
        for _ in range(300):
            if found := database.rows(find):
                database.run(*[sql for (sql,) in found])
                return
            time.sleep(0.1)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


# -- a file that others touch ------------------------------------------------------------------------------------------
def test_a_file_that_shrank_is_refused(sqlite: Database, out: Path, context: Context) -> None:
    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)
    os.truncate(out, 100)

    with pytest.raises(RunFailed, match="was changed by somebody else"):
        ingest(spec_of(sqlite, {"jsonl": str(out)}), context)


def test_a_file_that_is_gone_is_made_anew(sqlite: Database, out: Path, context: Context) -> None:
    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)
    out.unlink()

    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    assert ids_of(out) == [*range(1, 26)]


def test_a_run_waits_for_another_one_that_has_the_file(sqlite: Database, out: Path, context: Context) -> None:
    script = "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, 2); print(flush=True); time.sleep(60)"
    with running([sys.executable, "-c", script, str(out)], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        timer = threading.Timer(0.5, other.kill)
        timer.start()

        assert ingest(spec_of(sqlite, {"jsonl": str(out)}), context).records == 25
        timer.join()


def test_a_full_disk_is_told(sqlite: Database, context: Context, small_disk: Path) -> None:
    sqlite.fill("t", 26, 50_000)

    with pytest.raises(RunFailed, match="is full"):
        ingest(spec_of(sqlite, {"jsonl": str(small_disk / "out.jsonl")}, batch_size=5000), context)


# -- what it is --------------------------------------------------------------------------------------------------------
def test_it_is_run_again_when_its_worker_is_lost() -> None:
    assert IngestionRunner.on_lost is OnLost.RERUN


@pytest.mark.parametrize(
    ("fields", "can_pause"),
    [
        ({}, True),
        ({"strategy": "replace"}, False),
        ({"query": "SELECT id FROM t WHERE at > {{last_record_timestamp}}"}, False),
        ({"query": "SELECT id, n FROM t WHERE n > {{last_record.n}} ORDER BY n"}, True),
    ],
)
def test_it_can_pause_where_it_can_go_on(sqlite: Database, out: Path, fields: dict[str, Any], can_pause: bool) -> None:
    runner = IngestionRunner()

    assert runner.can_pause(runner.validate(spec_of(sqlite, {"jsonl": str(out)}, **fields))) is can_pause


def test_it_leaves_no_thread(sqlite: Database, out: Path, context: Context) -> None:
    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    assert [thread.name for thread in threading.enumerate() if thread.name == "cancel"] == []


def test_the_source_is_not_changed(sqlite: Database, out: Path, context: Context) -> None:
    before = Path(sqlite.url.removeprefix("sqlite:///")).read_bytes()

    ingest(spec_of(sqlite, {"jsonl": str(out)}), context)

    assert Path(sqlite.url.removeprefix("sqlite:///")).read_bytes() == before

"""Connections to SQL databases: what they cannot do, whatever the query says, and how they are stopped."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from jobs import targets as targets_module
from jobs.errors import RunFailed
from jobs.sources import connect, parse
from jobs.sources.connect import driver_errors
from jobs.targets import TargetGuard
from jobs.targets import parse as rules
from tests.databases import SERVERS, Database, MakeDatabase

pytestmark = pytest.mark.usefixtures("sql_guards")


# -- what a connection cannot do ---------------------------------------------------------------------------------------
def attempt(database: Database, sql: str) -> None:
    """Past the check of the text, as if it had been fooled."""
    with connect(parse(database.url), read_only=True) as session:
        session.stream(sql, {}).fetchmany(10)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "INSERT INTO t VALUES (2, 'x')",
        "UPDATE t SET name = 'x'",
        "DROP TABLE t",
        "CREATE TABLE u (id INTEGER)",
        "SELECT 1; DROP TABLE t",
        "SELECT 1; COMMIT; DELETE FROM t",
    ],
)
def test_the_database_itself_refuses_to_change(database: Database, sql: str) -> None:
    database.fill("t", 1, 1)

    with pytest.raises((*driver_errors(), RunFailed)):
        attempt(database, sql)
    assert database.rows("SELECT id, name FROM t") == [(1, "name 1")]


@pytest.mark.postgres
@pytest.mark.parametrize(
    "sql",
    [
        "WITH gone AS (DELETE FROM t RETURNING id) SELECT id FROM gone",
        "SELECT set_config('transaction_read_only', 'off', false); DELETE FROM t",
        "SELECT set_config('transaction_read_only', 'off', false), nextval('s')",
        "COPY t TO PROGRAM 'touch {there}'",
        "SELECT lo_from_bytea(0, 'left behind')",
    ],
)
def test_postgresql_stays_read_only(make_database: MakeDatabase, tmp_path: Path, sql: str) -> None:
    database = make_database("postgresql")
    database.fill("t", 1, 1)
    database.run("CREATE SEQUENCE s")

    with contextlib.suppress(*driver_errors(), RunFailed):
        attempt(database, sql.format(there=tmp_path / "there"))
    left = database.rows("SELECT count(*), (SELECT is_called FROM s), (SELECT count(*) FROM pg_largeobject) FROM t")
    assert left == [(1, False, 0)]
    assert not (tmp_path / "there").exists()


@pytest.mark.postgres
def test_what_a_role_may_read_is_the_servers_word(make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    role = "reader_" + database.url.rpartition("_")[2]
    database.run(f"CREATE ROLE {role} LOGIN")
    try:
        reader = Database("postgresql", database.url.replace("://", f"://{role}@"))
        with pytest.raises(driver_errors(), match="permission denied"):
            attempt(reader, "SELECT pg_read_file('/etc/passwd')")
    finally:
        database.run(f"DROP ROLE {role}")


@pytest.mark.mysql
def test_mysql_reads_no_files_for_an_account_without_the_right(make_database: MakeDatabase) -> None:
    database = make_database("mysql")
    name = "reader_" + database.url.rpartition("_")[2]
    database.run(f"CREATE USER {name}@'%' IDENTIFIED BY 'x'", f"GRANT SELECT ON *.* TO {name}@'%'")
    try:
        url = parse(database.url.replace("root@", f"{name}:x@"), is_secret=True)
        with connect(url, read_only=True) as session:
            assert list(session.stream("SELECT LOAD_FILE('/etc/passwd')", {})) == [(None,)]
    finally:
        database.run(f"DROP USER {name}@'%'")


@pytest.mark.mysql
def test_mysql_sends_no_file_of_this_machine(make_database: MakeDatabase) -> None:
    database = make_database("mysql")
    database.fill("t", 1, 1)

    with pytest.raises(driver_errors()), connect(parse(database.url), read_only=False) as session:
        session.stream("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t", {})


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE '{root}/hub/jobhub.sqlite3' AS hub",
        "PRAGMA query_only = 0",
        "PRAGMA table_info(t)",
        "SELECT * FROM pragma_table_info('t')",
        "SELECT load_extension('{root}/evil.so')",
        "CREATE TEMP TABLE u (id INTEGER)",
        "UPDATE sqlite_master SET sql = ''",
        "VACUUM INTO '{root}/copy.db'",
    ],
)
def test_sqlite_neither_attaches_nor_loads(tmp_path: Path, sql: str) -> None:
    database = Database("sqlite", f"sqlite:///{tmp_path}/a.db")
    database.fill("t", 1, 1)

    with pytest.raises(driver_errors()):
        attempt(database, sql.format(root=tmp_path))
    assert not (tmp_path / "copy.db").exists()


def test_sqlite_searches_full_texts(tmp_path: Path) -> None:
    database = Database("sqlite", f"sqlite:///{tmp_path}/a.db")
    database.run("CREATE VIRTUAL TABLE t USING fts5(body)", "INSERT INTO t VALUES ('the quick fox')")

    with connect(parse(database.url), read_only=True) as session:
        assert list(session.stream("SELECT body FROM t WHERE t MATCH :v0", {"v0": "quick"})) == [("the quick fox",)]


# -- what leaves this machine ------------------------------------------------------------------------------------------
def test_a_guarded_address_is_refused_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets_module, "_guard", TargetGuard(rules(SERVERS)))
    url = parse("postgresql://jane@127.0.0.1:1/shop")
    monkeypatch.setattr(targets_module, "_guard", TargetGuard())

    with pytest.raises(RunFailed, match="JOBHUB_ALLOWED_TARGETS"), connect(url, read_only=True):
        pass


@pytest.mark.postgres
def test_the_operators_own_credentials_are_for_nobody_else(
    make_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = make_database("postgresql")
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:*:*:operators-own\n")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    monkeypatch.setenv("PGPASSWORD", "operators-own")

    with connect(parse(database.url), read_only=True) as session:
        assert session.raw.info.password == ""
        assert session.raw.pgconn.used_password == 0


# -- stopping ----------------------------------------------------------------------------------------------------------
ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
    "mysql": "SELECT count(*) FROM information_schema.columns a, information_schema.columns b, "
    "information_schema.columns c, information_schema.columns d",
}


def test_a_running_query_can_be_cancelled_from_another_thread(database: Database) -> None:
    database.fill("t", 1, 1)
    with connect(parse(database.url), read_only=True) as session:
        timer = threading.Timer(0.5, session.cancel)
        timer.start()
        with pytest.raises(driver_errors()):
            session.stream(ENDLESS[database.dialect], {}).fetchmany(1)
        timer.join()


@pytest.mark.mysql
def test_leaving_a_long_result_does_not_read_it_to_its_end(make_database: MakeDatabase) -> None:
    database = make_database("mysql")
    # Long rows, as the server keeps short ones back until it has 16 KiB of them.
    rows = "SELECT i, SLEEP(0.01), REPEAT('x', 20000) FROM n"
    endless = f"WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) {rows}"

    with connect(parse(database.url), read_only=True) as session:
        assert session.stream(endless, {}).fetchmany(1) == [(1, 0, "x" * 20000)]


def test_no_descriptor_stays_open(database: Database) -> None:
    database.fill("t", 1, 1)
    attempt(database, "SELECT 1")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        attempt(database, "SELECT 1")
        with contextlib.suppress(Exception):
            attempt(database, "SELECT nonsense")

    assert len(os.listdir("/proc/self/fd")) == before

"""The guard of SQL: which URLs and queries a spec may name."""

from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Invalid, RunFailed
from jobs.sources import check_query, connect, parse
from jobs.sources.connect import driver_errors
from tests.databases import Database

pytestmark = pytest.mark.usefixtures("sql_guards")


def refusal(text: str, **given: Any) -> str:
    with pytest.raises(Invalid) as error:
        parse(text, field="source", **given)
    return error.value.message


# -- URLs --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+pg8000"])
def test_the_driver_of_a_url_does_not_matter(scheme: str) -> None:
    url = parse(f"{scheme}://jane@db.example.org/shop")

    assert (url.dialect, url.place) == ("postgresql", "postgresql://db.example.org:5432/shop")


def test_mariadb_is_mysql() -> None:
    assert parse("mariadb://jane@db.example.org:3307/shop").place == "mysql://db.example.org:3307/shop"


def test_a_secret_url_may_hold_a_password() -> None:
    url = parse("postgresql://jane:p%40ss@db.example.org/shop", is_secret=True)

    assert url.password == "p@ss"
    assert "p@ss" not in repr(url)


def test_a_password_in_a_spec_is_refused_with_the_way_out() -> None:
    text = refusal("postgresql://jane:p4ssw0rd@db.example.org/shop")

    assert '{"secret": "its name"}' in text
    assert "p4ssw0rd" not in text


@pytest.mark.parametrize("scheme", ["oracle", "mssql", "duckdb", "file", "access+pyodbc", "", "sqlite3"])
def test_other_dialects_are_refused(scheme: str) -> None:
    assert "wanted a URL that begins with" in refusal(f"{scheme}://jane@db.example.org/shop")


EVIL_PROPERTIES = [
    "passfile=/root/.pgpass",
    "service=production",
    "sslkey=/etc/ssl/private/key.pem",
    "sslcert=/x",
    "sslrootcert=/x",
    "host=/run/postgresql",
    "hostaddr=169.254.169.254",
    "options=-c%20default_transaction_read_only=off",
    "init_command=DROP%20TABLE%20x",
    "read_default_file=/root/.my.cnf",
    "local_infile=1",
    "unix_socket=/run/mysqld/mysqld.sock",
    "ssl_ca=/x",
    "dbname=other",
    "user=root",
    "target_session_attrs=any",
    "SSLMODE=disable",
]


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
@pytest.mark.parametrize("evil", EVIL_PROPERTIES)
def test_properties_are_refused_by_name(dialect: str, evil: str) -> None:
    assert f"the property '{evil.partition('=')[0]}'" in refusal(f"{dialect}://jane@db.example.org/shop?{evil}")


@pytest.mark.parametrize("query", ["sslmode=none", "sslmode=", "sslmode=require&sslmode=disable"])
def test_the_allowed_property_wants_an_allowed_value(query: str) -> None:
    assert "one of disable, prefer, require, verify-full" in refusal(f"mysql://jane@db.example.org/shop?{query}")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql:///shop",
        "postgresql://%2Frun%2Fpostgresql/shop",
        "postgresql://one.example.org,two.example.org/shop",
        "postgresql://db.example.org",
        "postgresql://db.example.org:port/shop",
        "mysql://[::1/shop",
        "postgresql://db.example.org/shop#frag",
        "postgresql://db.example.org\\@evil.example.org/shop",
        "postgresql://db.example.org/shop\n?passfile=x",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(text: str) -> None:
    assert refusal(text).startswith("source: ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "0x7f000001", "127.1"])
def test_guarded_hosts_are_refused_when_saved(host: str) -> None:
    assert "JOBHUB_ALLOWED_TARGETS" in refusal(f"postgresql://jane@{host}/shop")


# -- files -------------------------------------------------------------------------------------------------------------
def test_an_sqlite_file_below_an_allowed_path(tmp_path: Path) -> None:
    assert parse(f"sqlite:///{tmp_path}/a%20b.db").database == str(tmp_path / "a b.db")


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:///{root}/hub/jobhub.sqlite3",
        "sqlite:///{root}/data/../hub/jobhub.sqlite3",
        "sqlite:///{root}/data/%2e%2e/hub/jobhub.sqlite3",
        "sqlite:////etc/passwd",
        "sqlite:///{root}/../../x.db",
        "sqlite:///relative.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///{root}/a.db?mode=rwc",
        "sqlite:///{root}/a.db?vfs=unix-none",
        "sqlite://host/{root}/a.db",
        "sqlite:///file:{root}/a.db?mode=memory",
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    refusal(text.format(root=tmp_path))


def test_a_link_to_the_hubs_own_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hub" / "jobhub.sqlite3").touch()
    (tmp_path / "innocent.db").symlink_to(tmp_path / "hub" / "jobhub.sqlite3")

    assert "belongs to the hub itself" in refusal(f"sqlite:///{tmp_path}/innocent.db")


def test_a_link_that_is_put_there_after_the_check_is_found_out(tmp_path: Path) -> None:
    Database("sqlite", f"sqlite:///{tmp_path}/hub/jobhub.sqlite3").fill("t", 1, 1)
    url = parse(f"sqlite:///{tmp_path}/innocent.db")
    (tmp_path / "innocent.db").symlink_to(tmp_path / "hub" / "jobhub.sqlite3")

    with pytest.raises(RunFailed, match="was replaced while it was opened"), connect(url, read_only=True):
        pass


def test_a_source_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(driver_errors()), connect(parse(f"sqlite:///{tmp_path}/none.db"), read_only=True):
        pass
    assert not (tmp_path / "none.db").exists()


# -- queries -----------------------------------------------------------------------------------------------------------
ALL = ("sqlite", "postgresql", "mysql")
FINE = [
    (ALL, "SELECT 1"),
    (ALL, "select 1;"),
    (ALL, "SELECT ';' AS a -- ; DROP TABLE t\n"),
    (ALL, "WITH x AS (SELECT 1) SELECT * FROM x"),
    (ALL, "(SELECT 1) UNION (SELECT 2)"),
    (ALL, "VALUES (1)"),
    (ALL, 'SELECT "into" FROM t'),
    (("sqlite", "mysql"), "SELECT `into` FROM t"),
    (("sqlite",), "SELECT [into] FROM t"),
    (("postgresql",), "SELECT $$ ; DROP TABLE t; $$"),
    (("postgresql",), "SELECT $a$ ; $b$ $a$"),
    (("postgresql",), "SELECT /* a /* nested */ ; */ 1"),
    (("postgresql",), "SELECT E'\\'; DROP TABLE t; --'"),
    (("mysql",), "SELECT '\\'; DROP TABLE t; --'"),
    (("mysql",), "SELECT 5--3 # ; DROP TABLE t"),
]
BAD = [
    (ALL, "", "wanted a query"),
    (ALL, "DROP TABLE t", "wanted a query"),
    (ALL, "INSERT INTO t VALUES (1)", "wanted a query"),
    (ALL, "COPY t TO PROGRAM 'id'", "wanted a query"),
    (ALL, "ATTACH DATABASE '/x' AS y", "wanted a query"),
    (ALL, "PRAGMA writable_schema = 1", "wanted a query"),
    (ALL, "CALL p()", "wanted a query"),
    (ALL, "EXPLAIN ANALYZE DELETE FROM t", "wanted a query"),
    (ALL, "SELECT 1; DROP TABLE t", "one statement"),
    (ALL, "SELECT 1; COMMIT; DROP TABLE t", "one statement"),
    (ALL, "SELECT 1;;SELECT 2", "one statement"),
    (ALL, "SELECT '''; DROP TABLE t; --", "never closed"),
    (ALL, "SELECT 'a", "never closed"),
    (ALL, "SELECT * INTO OUTFILE '/tmp/x' FROM t", "INTO"),
    (ALL, "SELECT 1 into\ndumpfile '/tmp/x'", "INTO"),
    (("mysql",), "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */", "MySQL executes"),
    (("mysql",), "SELECT 1 /*M! INTO OUTFILE '/tmp/x' */", "MySQL executes"),
    (("postgresql",), "SELECT '\\'; DROP TABLE t; --'", "one statement"),
    (("postgresql",), "SELECT /* /* */ 1", "never closed"),
    (("sqlite", "mysql"), "SELECT /* /* */ 1; DROP TABLE t /* */", "one statement"),
    (("postgresql",), "SELECT a$$; DROP TABLE t; SELECT b$$ FROM t", "one statement"),
    (("mysql",), "SELECT 1 --;DROP TABLE t", "one statement"),
    (ALL, "SELECT 1 \0", "NUL"),
    (ALL, "SELECT " + "1," * 10_000 + "1", "characters"),
]


@pytest.mark.parametrize(("dialect", "sql"), [(dialect, sql) for dialects, sql in FINE for dialect in dialects])
def test_one_reading_statement_is_fine(dialect: str, sql: str) -> None:
    check_query(sql, dialect)


@pytest.mark.parametrize(
    ("dialect", "sql", "why"), [(dialect, sql, why) for dialects, sql, why in BAD for dialect in dialects]
)
def test_anything_else_is_refused(dialect: str, sql: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        check_query(sql, dialect)

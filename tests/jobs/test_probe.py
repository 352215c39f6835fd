"""Whether a database can be used: tried for real, and never waited for too long."""

import socket
from pathlib import Path

import pytest

from jobs import targets as targets_module
from jobs.errors import RunFailed
from jobs.sources import parse
from jobs.sources.probe import probe
from jobs.sources.urls import SqlUrl
from jobs.targets import TargetGuard
from jobs.targets import parse as rules
from tests.databases import Database, MakeDatabase

pytestmark = pytest.mark.usefixtures("sql_guards")


def test_a_database_that_answers(database: Database) -> None:
    database.run("CREATE TABLE t (id INTEGER)")

    probe(parse(database.url))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database " * 100)

    with pytest.raises(RunFailed, match=r"cannot connect to sqlite:////.*: file is not a database"):
        probe(parse(f"sqlite:///{tmp_path}/notes.txt"))


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="unable to open database file"):
        probe(parse(f"sqlite:///{tmp_path}/none.db"))
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_nobody_at_the_port(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets_module, "_guard", TargetGuard(rules(["127.0.0.1"])))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(RunFailed, match=f"cannot connect to {dialect}://127.0.0.1:{port}/d: .*refused"):
        probe(parse(f"{dialect}://127.0.0.1:{port}/d"))


@pytest.mark.postgres
def test_a_wrong_name_is_told_in_the_servers_words(make_database: MakeDatabase) -> None:
    there = parse(make_database("postgresql").url)

    with pytest.raises(RunFailed) as error:
        probe(parse(f"postgresql://{there.host}:{there.port}/jobhub_none"))
    assert 'database "jobhub_none" does not exist' in error.value.causes[0]


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_server_that_says_nothing_is_not_waited_for(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets_module, "_guard", TargetGuard(rules(["127.0.0.1"])))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(RunFailed, match=r"no answer within 0\.2 s"):
            probe(parse(f"{dialect}://127.0.0.1:{port}/d"), longest_s=0.2)


def test_a_guarded_host_is_not_tried() -> None:
    with pytest.raises(RunFailed, match="is not an allowed target"):
        probe(SqlUrl("postgresql", "d", host="127.0.0.1", port=5432))

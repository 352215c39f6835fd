"""The hub's own data: out while it runs, and into another hub, also of the other database."""

import json
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cluster.conftest import MakeHub, postgres
from tests.cluster.hub import ROOT, Hub
from tests.programs import running
from tests.waiting import eventually

pytestmark = pytest.mark.cluster
SQLITE = pytest.param("sqlite")
POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
DATABASES = [SQLITE, POSTGRES]

HubOn = Callable[[str], Hub]


@pytest.fixture
def hub_on(make_hub: MakeHub) -> HubOn:
    return lambda kind: make_hub(database=postgres()) if kind == "postgres" else make_hub()


def manage(hub: Hub, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *args]
    done = subprocess.run(command, cwd=ROOT, env=hub.env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done


def furnish(hub: Hub, n_more: int = 0) -> None:
    command = [sys.executable, "-m", "tests.cluster.furnish", str(n_more)]
    done = subprocess.run(command, cwd=ROOT, env=hub.env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def dump(hub: Hub, name: str = "dump.zip", *options: str) -> Path:
    path = hub.folder / name
    manage(hub, "dump", str(path), *options)
    return path


def content(path: Path) -> dict[str, list[Any]]:
    """The rows of a dump, by table; without the audit, in which dumps and restores leave their own."""
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if name.endswith(".jsonl") and "audit" not in name]
        return {name: [json.loads(line) for line in archive.read(name).splitlines()] for name in members}


# -- it works ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("there", DATABASES)
@pytest.mark.parametrize("here", DATABASES)
def test_a_restored_hub_is_the_same(hub_on: HubOn, here: str, there: str) -> None:
    source, target = hub_on(here), hub_on(there)
    furnish(source, 1200)
    path = dump(source, "first.zip", "--with-keys")
    manage(target, "restore", str(path))

    was, became = content(path), content(dump(target, "second.zip"))
    assert len(was["jobs_jobexecution.jsonl"]) == 1204
    assert {name: len(rows) for name, rows in became.items()} == {name: len(rows) for name, rows in was.items()}
    assert became == was


@pytest.mark.parametrize("there", DATABASES)
def test_a_restored_hub_works_on(hub_on: HubOn, there: str) -> None:
    source, target = hub_on("sqlite"), hub_on(there)
    furnish(source)
    manage(target, "restore", str(dump(source, "d.zip", "--with-keys")))
    manage(target, "user", "create", "new", "--generate")
    manage(target, "job", "release", "näme/☃")
    manage(target, "trigger", "näme/☃")

    assert target.rows("SELECT count(*) FROM jobs_user") == [(2,)]
    assert json.loads(manage(target, "audit", "--deed", "restore", "--json").stdout)[0]["who"] == "operator"
    assert "secrets encrypted with a new key: 1" in manage(target, "secret", "rotate").stdout


def test_a_database_without_tables_gets_them(hub_on: HubOn) -> None:
    source, target = hub_on("sqlite"), hub_on("sqlite")
    furnish(source)
    for file in (Path(target.env["JOBHUB_VAR"]) / "hub").glob("jobhub.sqlite3*"):
        file.unlink()
    manage(target, "restore", str(dump(source)))

    assert target.rows("SELECT username FROM jobs_user") == [("ada",)]


@pytest.mark.parametrize("kind", DATABASES)
def test_a_dump_is_one_moment_while_others_write(hub_on: HubOn, kind: str) -> None:
    hub = hub_on(kind)
    furnish(hub, 2000)
    with running([sys.executable, "-c", WRITER], cwd=ROOT, env=hub.env) as writer:
        eventually(lambda: hub.rows("SELECT count(*) FROM jobs_node")[0][0] > 10, within_s=30, what="writes")
        rows = content(dump(hub))
        assert writer.poll() is None
    nodes = sorted(row[1] for row in rows["jobs_node.jsonl"] if row[1].startswith("pair"))
    assert len(nodes) > 10
    assert nodes == [f"pair-{n}-{half}" for n in sorted(range(len(nodes) // 2), key=str) for half in "ab"]


WRITER = """
import itertools, django
django.setup()
from django.db import transaction
from jobs.models import Node
for n in itertools.count():
    with transaction.atomic():
        Node.objects.create(name=f"pair-{n}-a")
        Node.objects.create(name=f"pair-{n}-b")
"""


# -- what it gives away ------------------------------------------------------------------------------------------------
def test_only_its_owner_can_read_it_and_no_secret_is_in_it(hub_on: HubOn) -> None:
    hub = hub_on("sqlite")
    furnish(hub)
    path = dump(hub)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())
        assert "secret.keys" not in archive.namelist()
    assert b"open sesame" not in text
    assert (Path(hub.env["JOBHUB_VAR"]) / "hub" / "secret.keys").read_bytes().strip() not in text


def test_secrets_without_their_keys_are_named(hub_on: HubOn) -> None:
    source, target = hub_on("sqlite"), hub_on("sqlite")
    furnish(source)
    done = manage(target, "restore", str(dump(source)))

    assert "secrets cannot be read without the keys" in done.stderr
    assert "default/door" in done.stderr


def test_keys_that_were_there_stay(hub_on: HubOn) -> None:
    source, target = hub_on("sqlite"), hub_on("sqlite")
    furnish(source)
    furnish(target)
    keys = Path(target.env["JOBHUB_VAR"]) / "hub" / "secret.keys"
    mine = keys.read_text().split()
    done = manage(target, "restore", str(dump(source, "d.zip", "--with-keys")), "--replace", "everything")

    assert "cannot be read" not in done.stderr
    assert keys.read_text().split()[1:] == mine


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_a_hub_with_data_is_left_alone(hub_on: HubOn) -> None:
    source, target = hub_on("sqlite"), hub_on("sqlite")
    furnish(source)
    furnish(target)
    path = str(dump(source))

    assert "--replace everything" in manage(target, "restore", path, code=2).stderr
    assert "the word 'everything'" in manage(target, "restore", path, "--replace", "yes", code=2).stderr
    assert target.rows("SELECT count(*) FROM jobs_auditevent WHERE deed = 'restore'") == [(0,)]


@pytest.mark.parametrize("kind", DATABASES)
def test_a_running_hub_is_left_alone(hub_on: HubOn, kind: str) -> None:
    source, target = hub_on("sqlite"), hub_on(kind)
    furnish(source)
    path = str(dump(source))
    target.start()

    assert "stop" in manage(target, "restore", path, "--replace", "everything", code=2).stderr


def damaged(path: Path, change: Callable[[str, bytes], bytes]) -> str:
    other = path.with_name("damaged.zip")
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(other, "w") as bad:
        for name in good.namelist():
            bad.writestr(name, change(name, good.read(name)))
    return str(other)


def test_a_dump_that_was_changed_is_refused(hub_on: HubOn) -> None:
    source, target = hub_on("sqlite"), hub_on("sqlite")
    furnish(source)
    path = dump(source)
    changed = damaged(path, lambda name, text: text.replace(b"ada", b"eve") if "user" in name else text)
    cut = path.with_name("cut.zip")
    cut.write_bytes(path.read_bytes()[:-100])

    assert "damaged in jobs_user.jsonl" in manage(target, "restore", changed, code=2).stderr
    later = damaged(path, lambda _, text: text.replace(b'"version": "0', b'"version": "9'))
    assert "restore it with that version" in manage(target, "restore", later, code=2).stderr
    assert "no dump of a hub, or not all of one" in manage(target, "restore", str(cut), code=2).stderr
    assert "no dump of a hub" in manage(target, "restore", str(ROOT / "README.md"), code=2).stderr
    assert target.rows("SELECT count(*) FROM jobs_user") == [(0,)]


def test_a_file_is_never_overwritten(hub_on: HubOn) -> None:
    hub = hub_on("sqlite")
    path = dump(hub)
    was = path.read_bytes()

    assert "exists already" in manage(hub, "dump", str(path), code=2).stderr
    assert "cannot write" in manage(hub, "dump", str(hub.folder / "no" / "such"), code=2).stderr
    assert path.read_bytes() == was
    assert [one for one in hub.folder.iterdir() if one.name.startswith(".dump")] == []


# -- interrupted -------------------------------------------------------------------------------------------------------
def is_writing(hub: Hub) -> bool:
    """Whether somebody has begun to replace its rows. Seen from outside: a restore wants the database alone."""
    if url := hub.env.get("JOBHUB_DATABASE_URL"):
        server, _, name = url.rpartition("/")
        with psycopg.connect(f"{server}/postgres") as connection:
            writes = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND query LIKE 'INSERT INTO \"jobs_%%'"
            return connection.execute(writes, [name]).fetchone() is not None
    database = sqlite3.connect(Path(hub.env["JOBHUB_VAR"]) / "hub" / "jobhub.sqlite3", timeout=0, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        return False
    except sqlite3.OperationalError:
        return True
    finally:
        database.close()


@pytest.mark.parametrize("kind", DATABASES)
def test_a_killed_restore_leaves_what_was_there(hub_on: HubOn, kind: str) -> None:
    source, target = hub_on("sqlite"), hub_on(kind)
    furnish(source, 3000)
    furnish(target)
    before = content(dump(target, "before.zip"))
    command = [sys.executable, "manage.py", "restore", str(dump(source)), "--replace", "everything"]
    with running(command, cwd=ROOT, env=target.env):
        eventually(lambda: is_writing(target), within_s=60, what="the restore's writes")

    assert content(dump(target, "after.zip")) == before
    manage(target, "restore", command[3], "--replace", "everything")
    assert target.rows("SELECT count(*) FROM jobs_jobexecution") == [(3004,)]

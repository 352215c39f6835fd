"""The official Elasticsearch clients 7, 8 and 9, each in an environment of its own."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.clients.hub import PASSWORD, ClientsHub
from tests.clients.venvs import environment

PROGRAM = Path(__file__).with_name("program.py")
CONNECTOR = "/_siren/connector"
ALL = [7, 8, 9]
Client = Callable[..., list[dict[str, Any]]]
_numbers = count(1)


def call(method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """One call below the connector."""
    return {"method": method, "path": f"{CONNECTOR}/{path}", **({} if body is None else {"body": body}), **more}


def run_program(version: int, hub: ClientsHub, *calls: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    """What the script says of each call. The client's own warnings are failures."""
    python = environment(f"elasticsearch-{version}") / "python"
    basic = "http_auth" if version == 7 else "basic_auth"
    asked = {
        "url": f"http://127.0.0.1:{hub.port}{given.get('below', '')}",
        "login": given.get("login", {basic: ["admin", PASSWORD]}),
        "through": given.get("through", "client"),
        "calls": calls,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBHUB_", "PYTHON", "ELASTIC"))}
    done = subprocess.run(
        [str(python), "-W", "error", str(PROGRAM)],
        input=json.dumps(asked),
        env={**kept, **given.get("env", {})},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(params=ALL, ids=lambda version: f"client {version}")
def version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def client(version: int, hub: ClientsHub) -> Client:
    """`client(call(…), …, login=…, through=…)`: what came back of each call."""
    return lambda *calls, **given: run_program(version, hub, *calls, **given)


@pytest.fixture
def name() -> str:
    """Of this test's documents and jobs: no other test's."""
    return f"shop-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def jdbc(hub: ClientsHub, name: str) -> str:
    """The URL of a database with 2,500 events, as Siren's documents write it."""
    path = hub.data / f"{name}.sqlite3"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO events VALUES (?, ?)", [(n, f"name {n}") for n in range(1, 2501)])
    return f"jdbc:sqlite:{path}"

"""What tests of the connector share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import JobExecution, User
from jobs.worker import lease
from jobs.worker.drain import drain
from tests.conftest import ClientOf
from tests.databases import Database, MakeDatabase

CONNECTOR = "/_siren/connector"
JOBS, INGESTION, DATASOURCE, INDEX = (f"{CONNECTOR}/{noun}" for noun in ("jobs", "ingestion", "datasource", "index"))
GOLDEN: dict[str, dict[str, Any]] = {
    one["name"]: one for one in json.loads((Path(__file__).parent / "golden/pages.json").read_text())
}
EVENTS = "SELECT id, name FROM events ORDER BY id"
NEXT = "SELECT id, name FROM events {{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}} ORDER BY id"
Put = Callable[..., Any]


@pytest.fixture
def client(client_of: ClientOf, bob: User) -> APIClient:
    """Bob's, a member of `alpha`."""
    return client_of(bob)


@pytest.fixture
def stranger(client_of: ClientOf, charlie: User) -> APIClient:
    return client_of(charlie)


@pytest.fixture
def shop(sql_guards: None, make_database: MakeDatabase, tmp_path: Path) -> Database:
    """Five events in a database, and a place for what stands for indices."""
    (tmp_path / "data" / "index").mkdir(parents=True)
    database = make_database("sqlite")
    database.fill("events", 1, 5)
    return database


@pytest.fixture
def datasource(client: APIClient, shop: Database) -> str:
    """`shop` as a datasource."""
    body = {"jdbc": {"driver": "org.sqlite.JDBC", "url": jdbc_of(shop)}}
    response = client.put(f"{DATASOURCE}/shop", body, format="json")
    assert response.status_code == 201, response.content
    return "shop"


@pytest.fixture
def put(client: APIClient, datasource: str) -> Put:
    """`put("events", query=…, **fields)`: the answer to a PUT of that ingestion."""

    def send(id: str, **fields: Any) -> Any:
        ingest = {"datasource": datasource, "query": EVENTS, "target": "events", "pk_field": "id", **fields}
        return client.put(f"{INGESTION}/{id}", {"ingest": ingest}, format="json")

    return send


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A worker's turn in this process."""
    monkeypatch.setattr(lease.LeaseKeeper, "_beat", lambda keeper, context: None)

    def turn() -> None:
        drain()

    return turn


def jdbc_of(database: Database) -> str:
    return f"jdbc:{database.url.replace('sqlite:///', 'sqlite:')}"


def reason_of(response: Any) -> str:
    """Of an error in Elasticsearch's form."""
    body = response.json()
    error = body["error"]
    assert error["root_cause"] == [{"type": error["type"], "reason": error["reason"]}]
    assert body["status"] == response.status_code
    return str(error["reason"])


def last_run() -> JobExecution:
    return JobExecution.objects.latest("pk")

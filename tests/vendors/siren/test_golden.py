"""The exchanges of the vendor's pages, compared as whole texts, in their order. Nothing is set aside but the host."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.siren.conftest import GOLDEN
from vendors.wire.times import from_epoch_millis

WITHOUT_PASSWORDS = {"ds_credentials": {"username": "user"}, "es_credentials": {"username": "user"}}


def asked(client: APIClient, name: str) -> Any:
    golden = GOLDEN[name]
    return getattr(client, golden["method"].lower())(golden["path"], golden.get("request"), format="json")


def is_answered(client: APIClient, name: str) -> bool:
    response, golden = asked(client, name), GOLDEN[name]
    assert response.content.decode() == as_text(golden["response"])
    assert response.status_code == golden["status"]
    return True


def as_text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def ended(status: dict[str, Any]) -> dict[str, datetime]:
    return {
        f"{name}ed_at": from_epoch_millis(status[key])
        for name, key in (("start", "start_time"), ("finish", "end_time"))
        if key in status
    }


@pytest.fixture
def events(make_job: MakeJob) -> Job:
    return make_job("postgres-events", kind="ingestion")


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("job running", State.RUNNING),
        ("job successful", State.SUCCEEDED),
        ("job error", State.FAILED),
        ("abort", State.ABORTED),
    ],
)
def test_a_status(client: APIClient, events: Job, make_execution: MakeExecution, name: str, state: State) -> None:
    status = GOLDEN[name]["response"]["status"]
    kept = {"records": status["count"], "last_id": status.get("last_id"), "errors": status.get("error", [])}
    make_execution(events, state, **ended(status), **kept)

    assert is_answered(client, name)


def test_the_job_log(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    [hit] = GOLDEN["job log search"]["response"]["hits"]["hits"]
    entry = UUID(hit["_id"].removeprefix("postgresevents"))
    job = make_job("postgresevents", kind="ingestion", concurrency_limit=0)
    make_execution(job, State.SUCCEEDED)
    make_execution(job, State.SUCCEEDED, **ended(hit["_source"]["ingestion"]), records=0, log_uuid=entry)

    assert is_answered(client, "job log search")


def test_an_entry_of_the_log_is_called_as_the_vendors_are(make_execution: MakeExecution) -> None:
    found: JobExecution = make_execution()

    assert found.log_uuid.version == 1


def test_the_ingestion_of_the_page_comes_back_without_its_passwords(client: APIClient, datasource: str) -> None:
    golden = GOLDEN["put ingestion"]
    path = golden["path"].replace("<id>", "postgres-events")
    wanted = {**golden["request"]["ingest"], "datasource": datasource}
    client.put(path, {"ingest": wanted}, format="json")
    found = client.get(path)

    source = {"ingest": {**wanted, **WITHOUT_PASSWORDS}}
    body = {"_id": "postgres-events", "_version": 1, "found": True, "_source": source}
    assert found.content.decode() == as_text(body)


@pytest.mark.parametrize("name", ["put datasource", "put elastic datasource", "put virtual index"])
def test_a_document_of_the_page_comes_back(client: APIClient, db: None, name: str) -> None:
    golden = GOLDEN[name]
    path = golden["path"].replace("<id>", "example")
    made = client.put(path, golden["request"], format="json")
    source = json.loads(as_text(golden["request"]))
    source.get("jdbc", {}).pop("password", None)

    assert (made.status_code, made.json()) == (
        201,
        {"_id": "example", "_version": 1, "result": "created", "created": True},
    )
    assert client.get(path).content.decode() == as_text(
        {"_id": "example", "_version": 1, "found": True, "_source": source}
    )

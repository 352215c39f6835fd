"""`POST ingestion/<id>/_run`: rows from a database to where the document says, by a worker."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from jobs import targets as targets_module
from jobs.models import Job, JobExecution
from jobs.runners.sql import index
from jobs.targets import TargetGuard, parse
from tests.databases import SERVERS, Database
from tests.jobs.puppets import output_of
from tests.jobs.runners import elastic as elastics
from tests.jobs.runners.elastic import Elastic
from tests.vendors.siren.conftest import DATASOURCE, INGESTION, JOBS, NEXT, Put, jdbc_of, last_run, reason_of

RUN = f"{INGESTION}/events/_run"
STATUS = f"{JOBS}/ingestion/events"
Work = Callable[[], None]


@pytest.fixture
def elastic(monkeypatch: pytest.MonkeyPatch, shop: Database) -> Iterator[Elastic]:
    with elastics.running() as server:
        monkeypatch.setattr(index, "_url", server.url)
        monkeypatch.setitem(settings.HUB, "ELASTICSEARCH_URL", server.url)
        monkeypatch.setattr(targets_module, "_guard", TargetGuard(parse(SERVERS)))
        yield server


def lines(tmp_path: Path, target: str = "events") -> list[Any]:
    return [json.loads(line) for line in (tmp_path / "data/index" / f"{target}.jsonl").read_text().splitlines()]


# -- it works ----------------------------------------------------------------------------------------------------------
def test_the_answer_says_that_it_runs(client: APIClient, put: Put) -> None:
    put("events")
    response = client.post(RUN)

    assert response.status_code == 200
    assert (response.json()["_id"], response.json()["type"], response.json()["found"]) == ("events", "ingestion", True)
    assert response.json()["status"] == client.get(STATUS).json()["status"]
    assert response.json()["status"]["infos"] == "The job is running."


def test_the_rows_arrive(client: APIClient, put: Put, work: Work, tmp_path: Path) -> None:
    put("events", transforms=[{"input": [{"source": "name"}], "output": "title"}])
    client.post(RUN)
    work()
    status = client.get(STATUS).json()["status"]

    assert (status["state"], status["count"], status["last_id"]) == ("successful", 5, "5")
    assert lines(tmp_path)[0] == {"id": 1, "title": "name 1"}


def test_an_increment_goes_on_after_the_last_key(
    client: APIClient, put: Put, work: Work, shop: Database, tmp_path: Path
) -> None:
    put("events", query=NEXT, strategy="INCREMENT")
    client.post(RUN)
    work()
    shop.fill("events", 6, 8)
    client.post(RUN)
    work()

    assert client.get(STATUS).json()["status"]["count"] == 3
    assert [line["id"] for line in lines(tmp_path)] == [*range(1, 9)]


def test_it_reads_where_the_datasource_leads_now(
    client: APIClient, put: Put, work: Work, shop: Database, tmp_path: Path, make_database: Callable[[str], Database]
) -> None:
    put("events")
    other = make_database("sqlite")
    other.fill("events", 1, 2)
    client.put(f"{DATASOURCE}/shop", {"jdbc": {"url": jdbc_of(other)}}, format="json")
    client.post(RUN)
    work()

    assert len(lines(tmp_path)) == 2


def test_each_run_warns_of_what_is_not_applied(client: APIClient, put: Put, work: Work) -> None:
    put("events", mapping={"properties": {}}, pipeline={"processors": []})
    for n_runs in (1, 2):
        client.post(RUN)
        work()
        assert (last_run().n_warnings, JobExecution.objects.count()) == (2, n_runs)
    assert "warning: the mapping is not applied" in output_of(last_run())


def test_a_failure_tells_its_causes(client: APIClient, put: Put, work: Work) -> None:
    put("events", query="SELECT id FROM nonsense")
    client.post(RUN)
    work()
    status = client.get(STATUS).json()["status"]

    assert (status["state"], status["count"]) == ("error", 0)
    why = "no such table: nonsense"
    assert status["error"] == [f"cannot read from the datasource shop: {why}", why]


def test_a_datasource_that_is_gone_is_the_runs_failure(client: APIClient, put: Put, work: Work) -> None:
    put("events")
    client.delete(f"{DATASOURCE}/shop")
    client.post(RUN)
    work()

    assert "there is no secret 'siren:datasource-shop-" in client.get(STATUS).json()["status"]["error"][0]


# -- into an index -----------------------------------------------------------------------------------------------------
def test_the_target_is_an_index_where_there_is_an_elasticsearch(
    client: APIClient, elastic: Elastic, put: Put, work: Work
) -> None:
    put("events", staging_prefix="staging", es_credentials={"username": "jane", "password": "s3cret"})
    client.post(RUN)
    work()

    assert client.get(STATUS).json()["status"]["state"] == "successful"
    assert sorted(elastic.documents("events")) == ["1", "2", "3", "4", "5"]
    assert list(elastic.indices) == ["staging-events-jobhub-1"]
    assert elastic.logins == {"Basic amFuZTpzM2NyZXQ="}


# -- refused -----------------------------------------------------------------------------------------------------------
def test_one_that_runs_is_left_alone(client: APIClient, put: Put) -> None:
    put("events")
    client.post(RUN)
    response = client.post(RUN)

    assert (response.status_code, response.json()["error"]["type"]) == (409, "status_exception")
    assert reason_of(response) == "Ingestion job [events] is already running."
    assert JobExecution.objects.count() == 1


def test_an_unknown_one(client: APIClient, db: None) -> None:
    response = client.post(RUN)

    assert (response.status_code, response.json()) == (404, {"_id": "events", "type": "ingestion", "found": False})


def test_a_foreign_one_is_unknown(stranger: APIClient, put: Put) -> None:
    put("events")

    assert stranger.post(RUN).status_code == 404
    assert not JobExecution.objects.exists()


def test_one_on_hold_says_so(client: APIClient, put: Put) -> None:
    put("events")
    Job.objects.update(is_held=True, hold_reason="maintenance")
    response = client.post(RUN)

    assert response.status_code == 409
    assert reason_of(response) == "the job 'events' is on hold: maintenance"

"""`GET jobs/<type>`: the jobs of a type that run."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import JobExecution
from jobs.states import ACTIVE, State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.siren.conftest import JOBS

RUNNING = f"{JOBS}/ingestion"


def ids(client: APIClient) -> list[str]:
    body: dict[str, Any] = client.get(RUNNING).json()
    found = [hit["_id"] for hit in body["hits"]["hits"]]
    assert body["hits"]["total"] == len(found)
    return found


def test_nothing_runs(client: APIClient) -> None:
    assert client.get(RUNNING).json() == {"hits": {"total": 0, "hits": []}}


def test_it_is_shown_as_in_the_log(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    make_execution(make_job("events", kind="ingestion"), State.RUNNING)
    [hit] = client.get(RUNNING).json()["hits"]["hits"]

    assert hit == {"_id": "events", "_source": {"ingestion": client.get(f"{RUNNING}/events").json()["status"]}}


def test_what_is_active_of_this_type_the_last_started_first(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    for state in sorted(State):
        make_execution(make_job(f"its-{state}", kind="ingestion"), state)
    make_execution(make_job("other", kind="backup"), State.RUNNING)
    began = {one.job_name: one.started_at or one.queued_at for one in JobExecution.objects.all()}

    assert ids(client) == sorted((f"its-{state}" for state in ACTIVE), key=lambda name: began[name], reverse=True)


@pytest.mark.parametrize("first", [State.RUNNING, State.PAUSED, State.QUEUED])
def test_a_job_is_shown_once_by_its_current_run(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution, first: State
) -> None:
    job = make_job("events", kind="ingestion", concurrency_limit=0)
    make_execution(job, first, records=1)
    make_execution(job, State.QUEUED, records=2)
    [hit] = client.get(RUNNING).json()["hits"]["hits"]

    assert hit["_source"]["ingestion"]["count"] == 1


def test_foreign_ones_are_not_shown(stranger: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    make_execution(make_job("events", kind="ingestion"), State.RUNNING)

    assert ids(stranger) == []

"""`GET jobs/<type>/<id>`: a job by its current run, else by its last."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.engine.rights import Actor
from jobs.engine.verbs import delete_job
from jobs.models import Job
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.siren.conftest import JOBS

EVENTS = f"{JOBS}/ingestion/events"


@pytest.fixture
def events(make_job: MakeJob) -> Job:
    return make_job("events", kind="ingestion", concurrency_limit=0)


# -- which run it is ---------------------------------------------------------------------------------------------------
def test_the_one_at_work_comes_before_those_that_wait_and_those_that_ended(
    client: APIClient, events: Job, make_execution: MakeExecution
) -> None:
    make_execution(events, State.SUCCEEDED)
    make_execution(events, State.RUNNING, records=7)
    make_execution(events, State.QUEUED)
    make_execution(events, State.FAILED)

    assert client.get(EVENTS).json()["status"]["count"] == 7


def test_of_those_that_wait_the_oldest_is_shown(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    for records in (1, 2):
        make_execution(events, State.QUEUED, records=records)
    make_execution(events, State.SUCCEEDED, records=3)

    assert client.get(EVENTS).json()["status"]["count"] == 1


def test_of_those_that_ended_the_newest_is_shown(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    make_execution(events, State.SUCCEEDED)
    make_execution(events, State.FAILED)

    assert client.get(EVENTS).json()["status"]["state"] == "error"


def test_a_deleted_job_is_shown_by_its_last_run(
    client: APIClient, events: Job, make_execution: MakeExecution, op: Actor
) -> None:
    make_execution(events, State.SUCCEEDED)
    delete_job(events, actor=op)

    assert client.get(EVENTS).json()["status"]["infos"] == "The job is done."


def test_it_is_asked_in_one_query_beside_the_key(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    make_execution(events, State.RUNNING)
    client.get(EVENTS)

    with CaptureQueriesContext(connection) as asked:
        client.get(EVENTS)
    assert len(asked) == 2


# -- how it is shown ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.PAUSED])
def test_what_has_not_ended_runs(client: APIClient, events: Job, make_execution: MakeExecution, state: State) -> None:
    execution = make_execution(events, state)
    status = client.get(EVENTS).json()["status"]

    assert list(status) == ["version", "id", "is_running", "start_time", "infos", "state", "count"]
    assert (status["is_running"], status["state"], status["infos"]) == (True, "running", "The job is running.")
    assert status["start_time"] == int((execution.started_at or execution.queued_at).timestamp() * 1000)


def test_an_abort_that_is_under_way(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    make_execution(events, State.ABORTING)
    status = client.get(EVENTS).json()["status"]

    assert (status["is_running"], status["is_aborting"], status["state"]) == (True, True, "aborting")
    assert status["infos"] == "The job is aborting."


def test_an_error_without_causes_is_its_message(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    make_execution(events, State.FAILED, message="worker lost", errors=[])

    assert client.get(EVENTS).json()["status"]["error"] == ["worker lost"]


def test_a_run_that_never_started_began_when_it_was_asked_for(
    client: APIClient, events: Job, make_execution: MakeExecution
) -> None:
    execution = make_execution(events, State.ABORTED)
    status = client.get(EVENTS).json()["status"]

    assert status["start_time"] == int(execution.queued_at.timestamp() * 1000)
    assert status["end_time"] >= status["start_time"]


def test_what_is_no_ingestion_counts_its_progress(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    make_execution(make_job("nightly/db"), State.RUNNING, progress_done=3, progress_total=10)
    body = client.get(f"{JOBS}/python/nightly%2Fdb").json()

    assert (body["_id"], body["type"], body["status"]["count"]) == ("nightly/db", "python", 3)


# -- what is not found -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("id", ["nothing", "never-run", "x" * 3000, "%00", "a/b/c", "_search", "%C3%BC"])
def test_an_unknown_one(client: APIClient, make_job: MakeJob, id: str) -> None:
    make_job("never-run", kind="ingestion")
    response = client.get(f"{JOBS}/ingestion/{id}")

    assert response.status_code == 404
    assert list(response.json()) == ["_id", "type", "found"]


def test_one_of_another_type(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    make_execution(events, State.SUCCEEDED)
    response = client.get(f"{JOBS}/backup/events")

    assert (response.status_code, response.json()) == (404, {"_id": "events", "type": "backup", "found": False})


def test_a_foreign_one_as_an_unknown_one(
    client: APIClient, stranger: APIClient, events: Job, make_execution: MakeExecution
) -> None:
    make_execution(events, State.SUCCEEDED)

    assert stranger.get(EVENTS).content == client.get(EVENTS.replace("events", "Events")).content.replace(
        b"Events", b"events"
    )


@pytest.mark.parametrize("path", ["export2/events", "Ingestion/events", "%00/events", "export2", "%C3%BC"])
def test_a_type_that_no_job_has(client: APIClient, events: Job, path: str) -> None:
    response = client.get(f"{JOBS}/{path}")

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "illegal_argument_exception"
    assert response.json()["error"]["reason"].startswith("Unknown job type [")


def test_a_kind_that_somebody_has_made_up_is_a_type(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    make_execution(make_job("tidy", kind="housekeeping"), State.SUCCEEDED)

    assert client.get(f"{JOBS}/housekeeping/tidy").status_code == 200
    assert client.get(f"{JOBS}/housekeeping/other").status_code == 404

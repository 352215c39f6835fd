"""`POST jobs/<type>/<id>/_abort`: the end of a job's current run."""

import threading
import time

import pytest
from django.db import connections
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.siren.conftest import JOBS, reason_of
from vendors.siren.views import jobs as views

ABORT = f"{JOBS}/ingestion/events/_abort"


@pytest.fixture
def events(make_job: MakeJob) -> Job:
    return make_job("events", kind="ingestion", concurrency_limit=0)


def test_one_that_waits_is_aborted_at_once(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    make_execution(events, State.QUEUED)
    body = client.post(ABORT).json()

    assert (body["_id"], body["type"], body["found"]) == ("events", "ingestion", True)
    assert body["status"]["infos"] == "The job has been aborted."
    assert (body["status"]["is_running"], body["status"]["is_aborting"]) == (False, True)


def test_one_that_does_not_stop_in_time_is_aborting(
    client: APIClient, events: Job, make_execution: MakeExecution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "ABORT_WAIT_S", 0.1)
    make_execution(events, State.RUNNING)

    assert client.post(ABORT).json()["status"]["state"] == "aborting"


@pytest.mark.django_db(transaction=True)
def test_the_answer_waits_for_the_worker(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(events, State.RUNNING)
    worker = threading.Thread(target=obey, args=[execution.pk])
    worker.start()
    status = client.post(ABORT).json()["status"]
    worker.join()

    assert status["state"] == "aborted"


def obey(pk: int) -> None:
    """As a worker does: it looks whether its run is to end, and ends it."""
    until = time.monotonic() + 30
    execution = JobExecution.objects.get(pk=pk)
    while execution.state != State.ABORTING and time.monotonic() < until:
        time.sleep(0.02)
        execution.refresh_from_db()
    execution.move(State.ABORTED)
    connections.close_all()


def test_asking_again_does_not_wait_again(
    client: APIClient, events: Job, make_execution: MakeExecution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "ABORT_WAIT_S", 3600)
    make_execution(events, State.ABORTING)

    assert client.post(ABORT).json()["status"]["state"] == "aborting"


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.ABORTED])
def test_what_has_ended_stays_as_it_is(
    client: APIClient, events: Job, make_execution: MakeExecution, state: State
) -> None:
    make_execution(events, state)
    before = client.get(f"{JOBS}/ingestion/events").content
    response = client.post(ABORT)

    assert (response.status_code, response.content) == (200, before)


def test_only_the_current_run_is_ended(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    for _ in range(2):
        make_execution(events, State.QUEUED)
    client.post(ABORT)

    assert [one.state for one in JobExecution.objects.order_by("pk")] == [State.ABORTED, State.QUEUED]


def test_an_unknown_one(client: APIClient, db: None) -> None:
    response = client.post(ABORT)

    assert (response.status_code, response.json()) == (404, {"_id": "events", "type": "ingestion", "found": False})


def test_a_reader_is_refused_in_elasticsearchs_words(
    client_of: ClientOf, rita: User, events: Job, make_execution: MakeExecution
) -> None:
    make_execution(events, State.RUNNING)
    response = client_of(rita).post(ABORT)

    action = "cluster:admin/federate/connector/jobs/abort"
    assert response.status_code == 403
    assert response.json()["error"]["type"] == "security_exception"
    assert reason_of(response) == f"action [{action}] is unauthorized for user [rita]"
    assert JobExecution.objects.get().state == State.RUNNING


def test_it_cannot_be_got(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    make_execution(events, State.RUNNING)
    response = client.get(ABORT)

    assert response.json() == {
        "error": f"Incorrect HTTP method for uri [{ABORT}] and method [GET], allowed: [POST]",
        "status": 405,
    }
    assert JobExecution.objects.get().state == State.RUNNING

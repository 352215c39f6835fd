"""`/api/job-execution/<file-id>|<uuid>|<path>`: the status of a file, its start and its stop."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution, Project, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob

NO_FILE = {"status": "failure", "reason": "File doesn't exist or isn't accessible with current permissions"}
NAME = "Data/ImportJobs/Umlaute äöü 1.imp"


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job(NAME)


def status(client: APIClient, job: Job) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/api/job-execution/{job.pk}/status").json()
    return body


# -- the ways to name a file -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path",
    [
        "{job.pk}",
        "{job.uuid}",
        "{job.uuid.hex}",
        NAME,
        f"/{NAME}",
        "Data%2FImportJobs%2FUmlaute%20%C3%A4%C3%B6%C3%BC%201.imp",
        "%2FData%2FImportJobs%2FUmlaute%20%C3%A4%C3%B6%C3%BC%201.imp",
    ],
)
@pytest.mark.parametrize("mount", ["", "/datameer"])
def test_a_file_by_each_of_its_names(
    client: APIClient, job: Job, make_execution: MakeExecution, mount: str, path: str
) -> None:
    execution = make_execution(job, State.SUCCEEDED)
    response = client.get(f"{mount}/api/job-execution/{path.format(job=job)}/status")

    assert (response.status_code, response.json().get("job-execution-id")) == (200, execution.pk)


def test_a_file_that_ends_like_a_command(client: APIClient, make_job: MakeJob) -> None:
    make_job("a/status")

    assert client.get("/api/job-execution/a/status/status").json()["job-status"] == "_NONE"


# -- the status --------------------------------------------------------------------------------------------------------
def test_the_usual_time_of_a_job_tells_what_is_left(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    now = datetime(2018, 9, 28, 18, 45, tzinfo=UTC)
    for seconds in (10, 30):
        began_at = now - timedelta(days=1)
        make_execution(job, State.SUCCEEDED, started_at=began_at, finished_at=began_at + timedelta(seconds=seconds))
    make_execution(job, State.RUNNING, started_at=now - timedelta(seconds=9), progress_done=5, progress_total=8)
    with time_machine.travel(now, tick=False):
        body = status(client, job)

    assert (body["estimate-time"], body["job-progress"]) == ("11s", "62")


def test_the_first_run_is_estimated_by_its_own_pace(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    now = timezone.now()
    make_execution(job, State.RUNNING, started_at=now - timedelta(seconds=10), progress_done=1, progress_total=4)
    with time_machine.travel(now, tick=False):
        body = status(client, job)

    assert (body["estimate-time"], body["job-progress"]) == ("30s", "25")


@pytest.mark.parametrize(("done", "total"), [(None, None), (7, None), (0, 9), (9, 0)])
def test_nothing_known_is_no_time_left(
    client: APIClient, job: Job, make_execution: MakeExecution, done: int | None, total: int | None
) -> None:
    make_execution(job, State.RUNNING, progress_done=done, progress_total=total)
    body = status(client, job)

    assert (body["estimate-time"], body["job-progress"]) == ("0s", "0")


def test_progress_stays_between_its_ends(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    make_execution(job, State.RUNNING, progress_done=12, progress_total=9)

    assert status(client, job)["job-progress"] == "100"


def test_a_stopping_run_is_still_running(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    make_execution(job, State.ABORTING)

    assert status(client, job)["job-status"] == "RUNNING"


def test_a_failed_one_has_both_times(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    began_at = datetime(2018, 9, 28, 0, 5, 7, tzinfo=UTC)
    execution = make_execution(job, State.FAILED, started_at=began_at, finished_at=began_at + timedelta(hours=12))

    assert status(client, job) == {
        "status": "success",
        "file-id": job.pk,
        "job-execution-id": execution.pk,
        "job-status": "ERROR",
        "start-time": "Sep 28, 2018 12:05:07 AM",
        "stop-time": "Sep 28, 2018 12:05:07 PM",
    }


def test_what_waits_has_no_times(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    make_execution(job, State.RUNNING)
    execution = make_execution(job)

    assert status(client, job) == {
        "status": "success",
        "file-id": job.pk,
        "job-execution-id": execution.pk,
        "job-status": "WAITING_FOR_OTHER_JOB",
        "start-time": None,
    }


# -- start and stop ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["post", "put"])
def test_a_file_is_started(client: APIClient, job: Job, method: str) -> None:
    response = getattr(client, method)(f"/api/job-execution/{NAME}")

    assert (response.status_code, response.json()["job-execution-id"]) == (200, JobExecution.objects.get().pk)


def test_a_stopped_file_has_nothing_active(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    for state in (State.SUCCEEDED, State.RUNNING, State.QUEUED, State.QUEUED):
        make_execution(job, state)
    other = make_execution(None, State.RUNNING)
    response = client.delete(f"/api/job-execution/{job.pk}")
    states = JobExecution.objects.filter(job=job).order_by("pk").values_list("state", flat=True)
    other.refresh_from_db()

    assert (response.status_code, response.content) == (200, b"")
    assert list(states) == [State.SUCCEEDED, State.ABORTING, State.ABORTED, State.ABORTED]
    assert other.state == State.RUNNING


def test_a_stop_of_what_does_not_run_is_fine(client: APIClient, job: Job) -> None:
    response = client.delete(f"/api/job-execution/{job.pk}")

    assert (response.status_code, response.content) == (200, b"")


def test_a_reader_stops_nothing(client_of: ClientOf, rita: User, job: Job) -> None:
    response = client_of(rita).delete(f"/api/job-execution/{job.pk}")

    assert (response.status_code, response.json()["status"]) == (403, "failure")


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ref", ["999999", "Data/none.imp", "Data/", "%00", "x" * 3000, "9" * 40, "%ED%A0%80"])
@pytest.mark.parametrize(("method", "end"), [("get", "/status"), ("post", ""), ("delete", "")])
def test_an_unknown_file(client: APIClient, job: Job, ref: str, method: str, end: str) -> None:
    response = getattr(client, method)(f"/api/job-execution/{ref}{end}")

    assert (response.status_code, response.json()) == (404, NO_FILE)


def test_a_file_of_another_project(
    stranger: APIClient, job: Job, make_job: MakeJob, beta: Project, client: APIClient
) -> None:
    theirs = make_job("Data/theirs.imp", project=beta)
    answers = [client.get(f"/api/job-execution/{ref}/status") for ref in (theirs.pk, theirs.uuid, theirs.name)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, NO_FILE)] * 3


def test_a_path_is_looked_up_in_ones_own_project(
    stranger: APIClient, job: Job, make_job: MakeJob, beta: Project
) -> None:
    make_job(NAME, project=beta)

    assert stranger.get(f"/api/job-execution/{NAME}/status").json()["job-status"] == "_NONE"

"""`POST /rest/job-execution?configuration=<id>`, and one job after the other by `…/sequential`."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine.rights import operator
from jobs.engine.verbs import hold
from jobs.models import Job, JobExecution, User
from jobs.states import State
from jobs.worker.report import WorkerContext
from tests.conftest import ClientOf, MakeExecution, MakeJob

TRIGGER = "/rest/job-execution"
SEQUENTIAL = "/rest/job-execution/sequential"


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("Data/ImportJobs/URLS.imp")


# -- it works ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [TRIGGER, f"{TRIGGER}/", f"/datameer{TRIGGER}"])
def test_it_starts_a_run_that_is_there_at_once(client: APIClient, job: Job, path: str) -> None:
    response = client.post(f"{path}?configuration={job.pk}")
    execution = JobExecution.objects.get()

    assert (response.status_code, response.json()) == (
        200,
        {
            "status": "success",
            "job-execution-id": execution.pk,
            "job-execution-user": "alice",
            "job-execution-trigger": "RESTAPI",
        },
    )
    assert client.get(f"/rest/job-configuration/job-status/{job.pk}").json()["jobStatus"] == "QUEUED"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json", "text/plain", ""])
def test_the_body_and_its_type_are_of_no_matter(client: APIClient, job: Job, content_type: str) -> None:
    response = client.generic("POST", f"{TRIGGER}?configuration={job.pk}", "{", content_type=content_type)

    assert response.status_code == 200


def test_a_job_that_is_active_is_queued_once_more(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    make_execution(job, State.RUNNING)
    client.post(f"{TRIGGER}?configuration={job.pk}")

    assert client.get(f"/rest/job-configuration/job-status/{job.pk}").json()["jobStatus"] == "WAITING_FOR_OTHER_JOB"


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "query", ["", "?configuration=", "?configuration=x", "?configuration=999999", "?configuration=%00"]
)
@pytest.mark.parametrize("path", [TRIGGER, SEQUENTIAL])
def test_an_unknown_job(client: APIClient, job: Job, path: str, query: str) -> None:
    response = client.post(f"{path}{query}")

    assert response.status_code == 404
    assert response.json()["status"] == "failure"
    assert response.json()["reason"].startswith("there is no job")


def test_a_foreign_job(stranger: APIClient, job: Job) -> None:
    assert stranger.post(f"{TRIGGER}?configuration={job.pk}").status_code == 404


def test_a_reader_without_a_key(client_of: ClientOf, rita: User, job: Job) -> None:
    client = APIClient()
    client.force_login(rita)
    response = client.post(f"{TRIGGER}?configuration={job.pk}")

    assert (response.status_code, response.json()["status"]) == (403, "failure")
    assert not JobExecution.objects.exists()


def test_a_job_on_hold(client: APIClient, job: Job) -> None:
    hold(job, actor=operator("test"), reason="maintenance")
    response = client.post(f"{TRIGGER}?configuration={job.pk}")

    assert (response.status_code, "maintenance" in response.json()["reason"]) == (409, True)


# -- one after the other -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "query", ["configuration={}&configuration={}", "configuration={},{}", "configuration={},%20{}"]
)
def test_each_waits_for_the_one_before(client: APIClient, make_job: MakeJob, query: str) -> None:
    jobs = [make_job(), make_job()]
    body = client.post(f"{SEQUENTIAL}?{query.format(*[job.pk for job in jobs])}").json()
    first, second = JobExecution.objects.order_by("pk")

    assert body == {
        "status": "success",
        "job-execution-id": first.pk,
        "job-execution-user": "alice",
        "job-execution-trigger": "RESTAPI",
        "job-execution-ids": [first.pk, second.pk],
    }
    assert [one.job for one in (first, second)] == jobs
    assert [run["jobStatus"] for run in client.get("/rest/jobs/list-running").json()] == [
        "QUEUED",
        "WAITING_FOR_OTHER_JOB",
    ]


@pytest.mark.parametrize(
    ("end", "then"),
    [(State.SUCCEEDED, [State.QUEUED, State.QUEUED]), (State.FAILED, [State.ABORTED, State.ABORTED])],
)
def test_the_sequence_stops_at_the_first_error(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution, end: State, then: list[State]
) -> None:
    ids = ",".join(str(make_job().pk) for _ in range(3))
    client.post(f"{SEQUENTIAL}?configuration={ids}")
    first, *others = JobExecution.objects.order_by("pk")
    first.move(State.RUNNING, attempt=1, worker="w", lease_until=timezone.now(), started_at=timezone.now())
    WorkerContext(first).end(end)
    for one in others:
        one.refresh_from_db()

    assert [one.state for one in others] == then
    assert [one.n_blocks for one in others] == ([0, 1] if end is State.SUCCEEDED else [1, 1])


def test_a_sequence_with_an_unknown_job_starts_nothing(client: APIClient, job: Job) -> None:
    response = client.post(f"{SEQUENTIAL}?configuration={job.pk}&configuration=999999")

    assert response.status_code == 404
    assert not JobExecution.objects.exists()


def test_a_sequence_in_which_one_is_refused_starts_nothing(client: APIClient, job: Job, make_job: MakeJob) -> None:
    other = make_job()
    hold(other, actor=operator("test"))
    response = client.post(f"{SEQUENTIAL}?configuration={job.pk},{other.pk}")

    assert response.status_code == 409
    assert not JobExecution.objects.exists()


def test_a_sequence_has_an_end(client: APIClient, job: Job) -> None:
    response = client.post(f"{SEQUENTIAL}?configuration={','.join([str(job.pk)] * 101)}")

    assert response.status_code == 400
    assert not JobExecution.objects.exists()

"""`GET /rest/job-configuration/job-status/<id>`: the last run of a job."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.engine.verbs import delete_job, hold
from jobs.models import Job
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("Data/ImportJobs/URLS.imp")


def word(client: APIClient, job: Job) -> str:
    answer: str = client.get(f"/rest/job-configuration/job-status/{job.pk}").json()["jobStatus"]
    return answer


# -- it works ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("state", "n_warnings", "told"),
    [
        (State.QUEUED, 0, "QUEUED"),
        (State.RUNNING, 0, "RUNNING"),
        (State.PAUSED, 0, "QUEUED"),
        (State.ABORTING, 0, "RUNNING"),
        (State.SUCCEEDED, 0, "COMPLETED"),
        (State.SUCCEEDED, 2, "COMPLETED_WITH_Warnings"),
        (State.FAILED, 2, "ERROR"),
        (State.ABORTED, 0, "CANCELED"),
    ],
)
def test_it_says_how_the_last_run_stands(
    client: APIClient, job: Job, make_execution: MakeExecution, state: State, n_warnings: int, told: str
) -> None:
    make_execution(job, State.FAILED)
    execution = make_execution(job, state, n_warnings=n_warnings)
    response = client.get(f"/rest/job-configuration/job-status/{job.pk}")

    assert response.content.decode() == f'{{\n  "id": {execution.pk},\n  "jobStatus": "{told}"\n}}'


def test_a_job_that_never_ran_is_an_empty_object(client: APIClient, job: Job) -> None:
    response = client.get(f"/rest/job-configuration/job-status/{job.pk}")

    assert (response.status_code, response.content) == (200, b"{}")


# -- what waits for another run ----------------------------------------------------------------------------------------
def test_a_run_waits_for_the_one_that_runs(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    make_execution(job, State.RUNNING)
    make_execution(job)

    assert word(client, job) == "WAITING_FOR_OTHER_JOB"


def test_a_run_waits_for_the_one_that_is_queued_before_it(
    client: APIClient, job: Job, make_execution: MakeExecution
) -> None:
    first = make_execution(job)
    make_execution(job)
    before = word(client, job)
    first.move(State.ABORTED)

    assert (before, word(client, job)) == ("WAITING_FOR_OTHER_JOB", "QUEUED")


def test_a_run_waits_for_its_predecessor(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    predecessor = make_execution()
    trigger(job, actor=operator("test"), after=[predecessor])

    assert word(client, job) == "WAITING_FOR_OTHER_JOB"


def test_a_run_waits_for_a_slot_that_another_job_has(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    one, other = (make_job(name, concurrency_key="warehouse") for name in ("one", "other"))
    make_execution(other, State.RUNNING)
    make_execution(one)

    assert word(client, one) == "WAITING_FOR_OTHER_JOB"


def test_side_by_side_runs_wait_for_nobody(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job(concurrency_limit=0)
    make_execution(job, State.RUNNING)
    make_execution(job)

    assert word(client, job) == "QUEUED"


def test_the_last_free_slot_is_no_waiting(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job(concurrency_limit=2)
    make_execution(job, State.RUNNING)
    make_execution(job)
    with_one = word(client, job)
    make_execution(job)

    assert (with_one, word(client, job)) == ("QUEUED", "WAITING_FOR_OTHER_JOB")


def test_a_hold_is_no_other_job(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    make_execution(job)
    hold(job, actor=operator("test"))

    assert word(client, job) == "QUEUED"


def test_a_run_whose_time_has_not_come_keeps_nobody_waiting(
    client: APIClient, job: Job, make_execution: MakeExecution
) -> None:
    make_execution(job, run_at=timezone.now() + timedelta(days=1))
    make_execution(job)

    assert word(client, job) == "QUEUED"


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ref", ["999999", "abc", "1.0", "-1", "1" * 30, "٣", "%00", "x" * 3000])
def test_an_unknown_one(client: APIClient, job: Job, ref: str) -> None:
    response = client.get(f"/rest/job-configuration/job-status/{ref}")

    assert response.status_code == 404
    assert list(response.json()) == ["error"]


def test_a_job_is_not_known_by_its_name_or_uuid_here(client: APIClient, make_job: MakeJob) -> None:
    job = make_job("plain")
    answers = [client.get(f"/rest/job-configuration/job-status/{ref}") for ref in ("plain", job.uuid)]

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("has_run", [True, False])
def test_a_foreign_one_is_an_unknown_one(
    client: APIClient, stranger: APIClient, job: Job, make_execution: MakeExecution, has_run: bool
) -> None:
    _ = make_execution(job) if has_run else None
    response = stranger.get(f"/rest/job-configuration/job-status/{job.pk}")
    unknown = client.get("/rest/job-configuration/job-status/999999")

    assert response.status_code == unknown.status_code == 404
    assert response.content.replace(str(job.pk).encode(), b"999999") == unknown.content


def test_a_deleted_job_is_an_unknown_one(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    make_execution(job, State.SUCCEEDED)
    delete_job(job, actor=operator("test"))

    assert client.get(f"/rest/job-configuration/job-status/{job.pk}").status_code == 404

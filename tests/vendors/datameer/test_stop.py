"""`POST /rest/job-execution/job-kill/<execution>` and `DELETE /rest/data/<execution>`."""

import pytest
from rest_framework.test import APIClient

from jobs.models import JobExecution, Output
from jobs.states import ACTIVE, State
from tests.conftest import MakeExecution, MakeJob

KILL = "/rest/job-execution/job-kill"


# -- a stop ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", State)
def test_a_stop_answers_nothing(client: APIClient, make_execution: MakeExecution, state: State) -> None:
    response = client.post(f"{KILL}/{make_execution(None, state).pk}")

    assert (response.status_code, response.content, "Content-Type" in response.headers) == (200, b"", False)


def test_a_stop_ends_what_runs(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(None, State.RUNNING)
    client.post(f"{KILL}/{execution.pk}")
    execution.refresh_from_db()

    assert (execution.state, execution.abort_requested_by) == (State.ABORTING, "alice")


def test_the_id_of_a_configuration_stops_nothing(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    make_job(), make_job()
    job = make_job()
    execution = make_execution(job, State.RUNNING)
    response = client.post(f"{KILL}/{job.pk}")
    execution.refresh_from_db()

    assert job.pk != execution.pk
    assert (response.status_code, execution.state) == (404, State.RUNNING)
    assert response.json() == {"status": "failure", "reason": f"there is no execution '{job.pk}'"}


@pytest.mark.parametrize("ref", ["handle", "uuid"])
def test_a_run_is_stopped_by_its_id_only(client: APIClient, make_execution: MakeExecution, ref: str) -> None:
    execution = make_execution()

    assert client.post(f"{KILL}/{getattr(execution, ref)}").status_code == 404


def test_a_foreign_one_is_left_alone(stranger: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution()
    response = stranger.post(f"{KILL}/{execution.pk}")
    execution.refresh_from_db()

    assert (response.status_code, execution.state) == (404, State.QUEUED)


# -- deleting the data of a run ----------------------------------------------------------------------------------------
def test_a_deleted_run_is_gone_from_the_history(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    job = make_job()
    kept, gone = make_execution(job, State.SUCCEEDED), make_execution(job, State.SUCCEEDED)
    Output.objects.create(execution=gone, seq=1, stream="stdout", text="hello")
    response = client.delete(f"/rest/data/{gone.pk}")

    assert (response.status_code, response.json()) == (200, {"status": "success"})
    assert client.get(f"/rest/job-configuration/job-history/{job.pk}").json() == [
        {"id": kept.pk, "jobStatus": "COMPLETED"}
    ]
    assert not Output.objects.exists()


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_an_active_one_is_not_deleted(client: APIClient, make_execution: MakeExecution, state: State) -> None:
    execution = make_execution(None, state)
    response = client.delete(f"/rest/data/{execution.pk}")

    assert (response.status_code, response.json()["status"]) == (409, "failure")
    assert JobExecution.objects.filter(pk=execution.pk).exists()

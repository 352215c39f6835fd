"""What may be done to an execution: abort, pause, resume, retry; and to a job: hold, release."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import AuditEvent, Job, JobExecution
from jobs.states import FINAL, State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.conftest import fields_of

URL = "/hub/v1/executions"


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (State.QUEUED, "aborted"),
        (State.PAUSED, "aborted"),
        (State.RUNNING, "aborting"),
        (State.ABORTING, "aborting"),
    ],
)
def test_an_active_one_is_aborted(state: State, becomes: str, client: APIClient, make_execution: MakeExecution) -> None:
    response = client.post(f"{URL}/{make_execution(state=state).pk}/abort")

    assert (response.status_code, response.json()["state"]) == (200, becomes)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_an_ended_one_is_not_aborted(state: State, client: APIClient, make_execution: MakeExecution) -> None:
    response = client.post(f"{URL}/{make_execution(state=state).pk}/abort")

    assert (response.status_code, response.json()["type"]) == (409, "urn:jobhub:problem:illegal-move")
    assert state.value in response.json()["detail"]


def test_one_is_kept_for_ever_and_let_go_again(client: APIClient, make_execution: MakeExecution) -> None:
    path = f"{URL}/{make_execution(state=State.FAILED).pk}"
    told = [client.post(f"{path}/{verb}").json() for verb in ("keep", "unkeep")]

    assert [one["is_kept"] for one in told] == [True, False]
    assert [one["expires_at"] is None for one in told] == [True, False]


def test_a_deed_is_audited_with_its_key(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution()
    client.post(f"{URL}/{execution.pk}/abort")

    event = AuditEvent.objects.get(deed="abort")
    assert (event.username, event.face, event.subject) == ("alice", "native", execution.handle)
    assert event.key_id


def test_what_cannot_be_paused_says_so(client: APIClient, make_execution: MakeExecution) -> None:
    response = client.post(f"{URL}/{make_execution(state=State.RUNNING).pk}/pause")

    assert response.status_code == 409
    assert "cannot be paused" in response.json()["detail"]


@pytest.mark.parametrize("state", sorted(set(State) - {State.RUNNING}))
def test_only_a_running_one_is_paused(state: State, client: APIClient, make_execution: MakeExecution) -> None:
    assert client.post(f"{URL}/{make_execution(state=state).pk}/pause").status_code == 409


def test_a_paused_one_is_resumed(client: APIClient, make_execution: MakeExecution) -> None:
    response = client.post(f"{URL}/{make_execution(state=State.PAUSED).pk}/resume")

    assert (response.status_code, response.json()["state"]) == (200, "queued")


@pytest.mark.parametrize("state", sorted(set(State) - {State.PAUSED}))
def test_only_a_paused_one_is_resumed(state: State, client: APIClient, make_execution: MakeExecution) -> None:
    assert client.post(f"{URL}/{make_execution(state=state).pk}/resume").status_code == 409


def test_a_retry_is_a_new_execution(client: APIClient, make_execution: MakeExecution) -> None:
    failed = make_execution(state=State.FAILED, params={"day": 1})
    response = client.post(f"{URL}/{failed.pk}/retry")

    new = JobExecution.objects.latest("pk")
    assert (response.status_code, response.headers["Location"]) == (202, f"http://testserver{URL}/{new.pk}")
    assert (response.json()["retry_of"], response.json()["params"]) == (failed.pk, {"day": 1})


@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_an_active_one_is_not_retried(state: State, client: APIClient, make_execution: MakeExecution) -> None:
    assert client.post(f"{URL}/{make_execution(state=state).pk}/retry").status_code == 409


def test_one_without_its_job_is_not_retried(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    failed = make_execution(make_job("a"), State.FAILED)
    client.delete("/hub/v1/jobs/a")

    assert client.post(f"{URL}/{failed.pk}/retry").status_code == 409


def test_a_held_job_shows_its_hold(client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db")
    until = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    body = {"reason": "the disk is full", "until": until.isoformat()}
    shown = client.post("/hub/v1/jobs/nightly/db/hold", body, format="json").json()

    assert shown["hold"] == {
        "reason": "the disk is full",
        "until": until.isoformat().replace("+00:00", "Z"),
        "by": "alice",
    }


def test_a_released_job_has_none(client: APIClient, make_job: MakeJob) -> None:
    make_job("a")
    client.post("/hub/v1/jobs/a/hold")

    assert client.post("/hub/v1/jobs/a/release").json()["hold"] is None
    assert client.post("/hub/v1/jobs/a/release").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "soon"}, "until"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": None}, "reason"),
        ({"unti": None}, "unti"),
    ],
)
def test_a_wrong_hold_changes_nothing(body: dict, field: str, client: APIClient, make_job: MakeJob) -> None:
    make_job("a")

    assert fields_of(client.post("/hub/v1/jobs/a/hold", body, format="json")) == [field]
    assert not Job.objects.get().is_held

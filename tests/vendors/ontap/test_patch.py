"""`PATCH /api/cluster/jobs/{uuid}?action=…`: pause, resume and cancel, and why they are refused."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from jobs.models import AuditEvent, JobExecution, Level, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.ontap.conftest import HAL, JOBS, error
from tests.vendors.ontap.rights import UNKNOWN

SLEEP = {"runner": "python", "spec": {"callable": "sleep"}}
TERMINAL = {"message": "Job is already in a terminal state.", "code": "458762"}
RUNNING = {"message": "The specified job is running.", "code": "458771"}
NOT_RUNNING = {"message": "The specified job is not currently running.", "code": "458776"}
NO_PAUSE = {"message": "This job does not support pause.", "code": "458783"}


@pytest.fixture
def a_run(make_job: MakeJob, make_execution: MakeExecution) -> Any:
    """`a_run(state)`: a run of a job that can be paused."""
    return lambda state: make_execution(make_job(actions=[SLEEP]), state)


def path(execution: JobExecution, action: str = "") -> str:
    return f"{JOBS}/{execution.uuid}" + (f"?action={action}" if action else "")


def now(execution: JobExecution) -> JobExecution:
    execution.refresh_from_db()
    return execution


# -- it works ----------------------------------------------------------------------------------------------------------
def test_the_recorded_answer(client: APIClient, a_run: Any) -> None:
    response = client.patch(path(a_run(State.RUNNING), "cancel"), {}, format="json")

    assert (response.status_code, response.content) == (200, b"{\n}")
    assert response.headers["Content-Type"] == HAL


@pytest.mark.parametrize(
    ("state", "then", "word"),
    [
        (State.QUEUED, State.ABORTED, "failure"),
        (State.PAUSED, State.ABORTED, "failure"),
        (State.RUNNING, State.ABORTING, "running"),
        (State.ABORTING, State.ABORTING, "running"),
    ],
)
def test_a_cancel(state: State, then: State, word: str, client: APIClient, a_run: Any) -> None:
    run = a_run(state)
    client.patch(path(run, "cancel"))

    assert now(run).state == then
    assert client.get(path(run)).json()["state"] == word


def test_who_cancelled_is_told(client: APIClient, a_run: Any) -> None:
    run = a_run(State.QUEUED)
    client.patch(path(run, "cancel"))
    body = client.get(path(run)).json()

    assert (body["message"], body["code"]) == ("aborted by alice before it ran", 458785)
    assert body["error"] == {"message": "aborted by alice before it ran", "code": "458785"}
    assert AuditEvent.objects.filter(deed="abort", face="ontap", subject=run.handle).count() == 1


def test_a_pause_is_asked_for(client: APIClient, a_run: Any) -> None:
    run = a_run(State.RUNNING)
    response = client.patch(path(run, "pause"))

    assert (response.status_code, now(run).state) == (200, State.RUNNING)
    assert run.pause_requested_at is not None


def test_a_resume_queues_it_again(client: APIClient, a_run: Any) -> None:
    run = a_run(State.PAUSED)
    response = client.patch(path(run, "resume"))

    assert (response.status_code, now(run).state) == (200, State.QUEUED)


def test_without_an_action_nothing_happens(client: APIClient, a_run: Any) -> None:
    run = a_run(State.RUNNING)
    response = client.patch(path(run), {}, format="json")

    assert (response.status_code, response.content, now(run).state) == (200, b"{\n}", State.RUNNING)


@pytest.mark.parametrize("action", ["CANCEL", "Cancel"])
def test_capitals_do_as_well(action: str, client: APIClient, a_run: Any) -> None:
    run = a_run(State.QUEUED)
    client.patch(path(run, action))

    assert now(run).state == State.ABORTED


@pytest.mark.parametrize(
    ("body", "kind"), [(b"", "application/json"), (b"{}", "application/json"), (b"{}", "text/plain"), (b"", "")]
)
def test_what_clients_send_along(body: bytes, kind: str, client: APIClient, a_run: Any) -> None:
    run = a_run(State.QUEUED)
    response = client.generic("PATCH", path(run, "cancel"), body, content_type=kind)

    assert (response.status_code, now(run).state) == (200, State.ABORTED)


@pytest.mark.parametrize("query", ["return_timeout=0", "return_records=true", "x=1&ignore_unknown_fields=true"])
def test_parameters_of_other_patches_do_no_harm(query: str, client: APIClient, a_run: Any) -> None:
    assert client.patch(f"{path(a_run(State.QUEUED), 'cancel')}&{query}").status_code == 200


def test_at_the_end_of_a_doubled_slash(client: APIClient, a_run: Any) -> None:
    run = a_run(State.QUEUED)
    response = client.patch(f"/api//cluster/jobs/{run.uuid}/?action=cancel")

    assert (response.status_code, now(run).state) == (200, State.ABORTED)


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_key_that_may_only_trigger(client_of: ClientOf, bob: User, a_run: Any) -> None:
    run = a_run(State.RUNNING)
    response = client_of(bob, Level.RESTRICTED).patch(path(run, "cancel"))

    assert error(response) == (403, {"message": "not authorized for that command", "code": "6"})
    assert now(run).state == State.RUNNING


def test_a_session_needs_its_token(alice: User, a_run: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    run = a_run(State.QUEUED)

    assert browser.patch(path(run, "cancel")).status_code == 403
    assert now(run).state == State.QUEUED


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.ABORTED])
def test_what_has_ended_is_terminal(state: State, action: str, client: APIClient, a_run: Any) -> None:
    assert error(client.patch(path(a_run(state), action))) == (409, TERMINAL)


@pytest.mark.parametrize(
    ("action", "state", "said"),
    [
        ("resume", State.QUEUED, RUNNING),
        ("resume", State.RUNNING, RUNNING),
        ("resume", State.ABORTING, RUNNING),
        ("pause", State.QUEUED, NOT_RUNNING),
        ("pause", State.PAUSED, NOT_RUNNING),
        ("pause", State.ABORTING, NO_PAUSE),
    ],
)
def test_what_its_state_does_not_allow(
    action: str, state: State, said: dict[str, str], client: APIClient, a_run: Any
) -> None:
    run = a_run(state)

    assert error(client.patch(path(run, action))) == (409, said)
    assert now(run).state == state


def test_what_cannot_be_paused(client: APIClient, make_execution: MakeExecution) -> None:
    assert error(client.patch(path(make_execution(state=State.RUNNING), "pause"))) == (409, NO_PAUSE)


def test_what_has_no_steps_cannot_be_paused(client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution(state=State.RUNNING, plan={"actions": []})

    assert error(client.patch(path(run, "pause"))) == (409, NO_PAUSE)


def test_an_action_that_is_none(client: APIClient, a_run: Any) -> None:
    wanted = {
        "message": '"explode" is an invalid value for field "action" (<pause|resume|cancel>)',
        "code": "2",
        "target": "action",
    }

    assert error(client.patch(path(a_run(State.RUNNING), "explode"))) == (400, wanted)


@pytest.mark.parametrize("name", ["state", "nonsense", "fields", "max_records"])
def test_a_parameter_that_is_none(name: str, client: APIClient, a_run: Any) -> None:
    wanted = {"message": f'Unexpected argument "{name}".', "code": "262179"}

    assert error(client.patch(f"{path(a_run(State.RUNNING))}?{name}=x")) == (400, wanted)


def test_a_field_that_cannot_be_set(client: APIClient, a_run: Any) -> None:
    run = a_run(State.RUNNING)
    response = client.patch(path(run, "cancel"), {"state": "paused"}, format="json")

    assert error(response) == (
        400,
        {"message": 'Field "state" cannot be set in this operation', "code": "262196", "target": "state"},
    )
    assert now(run).state == State.RUNNING


@pytest.mark.parametrize("body", [b"[]", b"[1]", b"null", b'"cancel"', b"{", b"action=cancel"])
def test_a_body_that_is_no_object(body: bytes, client: APIClient, a_run: Any) -> None:
    run = a_run(State.QUEUED)
    response = client.generic("PATCH", path(run, "cancel"), body, content_type="application/json")

    assert error(response)[0] == 400
    assert now(run).state == State.QUEUED


def test_an_unknown_one(client: APIClient) -> None:
    wanted = {"message": "entry doesn't exist", "code": "4", "target": "uuid"}

    assert error(client.patch(f"{JOBS}/{UNKNOWN}?action=cancel")) == (404, wanted)


def test_one_that_has_expired(client: APIClient, a_run: Any) -> None:
    run = a_run(State.FAILED)
    with time_machine.travel(run.finished_at + timedelta(seconds=300), tick=False):
        assert error(client.patch(path(run, "cancel")))[1]["code"] == "4"


# -- the order of the checks -------------------------------------------------------------------------------------------
def test_each_check_comes_before_the_next(client_of: ClientOf, alice: User, rita: User, a_run: Any) -> None:
    alice_, rita_, nobody = client_of(alice), client_of(rita), APIClient()
    ended = path(a_run(State.FAILED))
    codes = [
        error(nobody.put("/api/nonsense"))[1]["code"],
        error(rita_.put("/api/nonsense"))[1]["code"],
        error(rita_.put(f"{JOBS}/1?state"))[1]["code"],
        error(rita_.patch(f"{JOBS}/1?action=explode"))[1]["code"],
        error(alice_.patch(f"{JOBS}/1?action=explode"))[1]["target"],
        error(alice_.patch(f"{JOBS}/{UNKNOWN}?action=explode"))[1]["target"],
        error(alice_.patch(f"{JOBS}/{UNKNOWN}?action=pause"))[1]["code"],
        error(alice_.patch(f"{ended}?action=pause"))[1]["code"],
    ]

    assert codes == ["6691623", "3", "3", "6", "uuid", "action", "4", "458762"]

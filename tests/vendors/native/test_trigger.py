"""Triggers: `POST /hub/v1/jobs/{ref}/trigger`."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine import verbs
from jobs.engine.rights import Actor
from jobs.models import JobExecution, User
from jobs.states import State
from jobs.worker.drain import drain
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.conftest import fields_of

URL = "/hub/v1/jobs/nightly/db/trigger"


def test_it_answers_with_the_execution(client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db", params={"day": 1, "dry": False})
    response = client.post(URL, {"params": {"day": 2}, "priority": 7}, format="json")

    execution = JobExecution.objects.get()
    assert response.status_code == 202
    assert response.headers["Location"] == f"http://testserver/hub/v1/executions/{execution.pk}"
    assert {name: response.json()[name] for name in ("id", "job", "state", "params", "priority", "requested_by")} == {
        "id": execution.pk,
        "job": "nightly/db",
        "state": "queued",
        "params": {"day": 2, "dry": False},
        "priority": 7,
        "requested_by": "alice",
    }


@pytest.mark.django_db(transaction=True)
def test_the_location_can_be_followed_to_the_end(client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db")
    location = client.post(URL).headers["Location"]
    drain()

    assert client.get(location).json()["state"] == "succeeded"


def test_it_needs_no_body(client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db")

    assert client.post(URL).status_code == 202


def test_it_says_why_it_waits(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    make_job("nightly/db")
    first = make_execution()
    at = timezone.now() + timedelta(days=1)
    body = {"after": [first.handle], "run_at": at.isoformat()}
    waiting = client.post(URL, body, format="json").json()["waiting_for"]

    assert [reason["kind"] for reason in waiting] == ["execution", "time"]
    assert waiting[0]["executions"] == [first.handle]


@pytest.mark.parametrize("ref", ["pk", "uuid", "handle"])
def test_it_waits_for_others_by_any_of_their_names(
    ref: str, client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    make_job("nightly/db")
    first = make_execution()
    value = getattr(first, ref)
    body = {"after": [value if ref == "pk" else str(value)], "on": "end"}
    made = client.post(URL, body, format="json").json()

    assert JobExecution.objects.get(pk=made["id"]).dependencies.get().after == first


def test_the_same_idempotency_key_gives_the_first_answer(client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db")
    first = client.post(URL, {"idempotency_key": "monday"}, format="json")
    again = client.post(URL, headers={"Idempotency-Key": "monday"})

    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert JobExecution.objects.count() == 1


def test_two_people_may_use_the_same_key(client: APIClient, bob: User, client_of: ClientOf, make_job: MakeJob) -> None:
    make_job("nightly/db")
    client.post(URL, headers={"Idempotency-Key": "monday"})
    client_of(bob).post(URL, headers={"Idempotency-Key": "monday"})

    assert JobExecution.objects.count() == 2


def test_it_refuses_a_key_that_was_used_for_another_job(client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db")
    make_job("other")
    client.post("/hub/v1/jobs/other/trigger", headers={"Idempotency-Key": "monday"})

    assert client.post(URL, headers={"Idempotency-Key": "monday"}).status_code == 409


def test_it_refuses_a_held_job_with_the_reason(client: APIClient, make_job: MakeJob, op: Actor) -> None:
    verbs.hold(make_job("nightly/db"), actor=op, reason="the disk is full")
    response = client.post(URL)

    assert (response.status_code, response.json()["type"]) == (409, "urn:jobhub:problem:held")
    assert "the disk is full" in response.json()["detail"]


def test_it_refuses_an_active_job_that_says_so(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    make_execution(make_job("nightly/db", when_active="refuse"), State.RUNNING)
    response = client.post(URL)

    assert (response.status_code, response.json()["type"]) == (409, "urn:jobhub:problem:busy")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"params": []}, ["params"]),
        ({"params": {"a": [1]}}, ["params.a.str"]),
        ({"parms": {}}, ["parms"]),
        ({"run_at": "tomorrow"}, ["run_at"]),
        ({"run_at": "2030-01-01T00:00:00"}, ["run_at"]),
        ({"run_at": 17}, ["run_at"]),
        ({"run_at": "0001-01-01T00:00:00+14:00"}, ["run_at"]),
        ({"priority": "high"}, ["priority"]),
        ({"priority": 10**12}, ["priority"]),
        ({"after": [1]}, ["after.0"]),
        ({"after": ["nope"]}, ["after.0"]),
        ({"after": [2**63]}, ["after.0"]),
        ({"after": [-1]}, ["after.0"]),
        ({"after": 1}, ["after"]),
        ({"after": ["x"] * 101}, ["after"]),
        ({"on": "monday"}, ["on"]),
        ({"idempotency_key": "k" * 201}, ["idempotency_key"]),
        ([1], [""]),
    ],
)
def test_it_names_what_is_wrong(body: object, fields: list[str], client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db")
    response = client.post(URL, body, format="json")

    assert set(fields) <= set(fields_of(response))
    assert not JobExecution.objects.exists()


def test_it_does_not_wait_for_a_foreign_execution(
    charlie: User, client_of: ClientOf, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    foreign = make_execution()
    make_job("nightly/db", project=charlie.memberships.get().project)

    assert fields_of(client_of(charlie).post(URL, {"after": [foreign.pk]}, format="json")) == ["after.0"]


def test_it_refuses_two_different_keys(client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db")
    response = client.post(URL, {"idempotency_key": "a"}, format="json", headers={"Idempotency-Key": "b"})

    assert fields_of(response) == ["idempotency_key"]


def test_an_unknown_job_is_404(client: APIClient) -> None:
    assert client.post(URL).status_code == 404

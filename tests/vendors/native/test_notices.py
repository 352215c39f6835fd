"""`/hub/v1/subscriptions` and `/hub/v1/deliveries`."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.engine import notices
from jobs.engine.rights import Actor
from jobs.models import AuditEvent, Delivery, Project, Subscription, User
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.jobs.receivers import tell

SUBSCRIPTIONS, DELIVERIES = "/hub/v1/subscriptions", "/hub/v1/deliveries"
URL = "https://hooks.example.org/jobs"


@pytest.fixture
def hook(op: Actor) -> Subscription:
    return notices.subscribe({"webhook": URL, "events": ["succeeded", "failed"]}, actor=op)


@pytest.fixture
def told(hook: Subscription, make_execution: MakeExecution) -> list[Delivery]:
    """One that is pending, one that was delivered, one that was given up, oldest first."""
    execution = make_execution()
    for event in ("succeeded", "failed", "failed"):
        tell(execution, event)
    rows = list(Delivery.objects.order_by("pk"))
    Delivery.objects.filter(pk=rows[1].pk).update(next_at=None, delivered_at=rows[1].created_at, answer=204, n_tries=1)
    Delivery.objects.filter(pk=rows[2].pk).update(next_at=None, error="given up")
    return rows


# -- it works ----------------------------------------------------------------------------------------------------------
def test_one_can_subscribe_look_change_and_leave(client: APIClient) -> None:
    made = client.post(SUBSCRIPTIONS, {"webhook": URL, "events": ["failed"]}, format="json")
    where = made.headers["Location"]
    changed = client.patch(where, {"enabled": False, "events": ["aborted", "failed"]}, format="json")
    seen = client.get(where).json()
    gone = client.delete(where)

    assert (made.status_code, gone.status_code, client.get(where).status_code) == (201, 204, 404)
    assert changed.json() == seen
    assert {name: seen[name] for name in ("project", "job", "face", "webhook", "events", "enabled", "created_by")} == {
        "project": "alpha",
        "job": None,
        "face": None,
        "webhook": URL,
        "events": ["failed", "aborted"],
        "enabled": False,
        "created_by": "alice",
    }


def test_the_notify_of_a_job_is_in_the_list_and_in_the_job(client: APIClient, make_job: MakeJob) -> None:
    job = make_job("nightly/db", notify=[{"webhook": URL, "events": ["failed"]}])
    (row,) = client.get(SUBSCRIPTIONS, {"job": "nightly/db"}).json()["results"]

    assert (row["job"], row["webhook"]) == ("nightly/db", URL)
    notify = client.get(f"/hub/v1/jobs/{job.pk}").json()["notify"]
    assert notify == [{"webhook": URL, "secret": "", "events": ["failed"]}]


def test_a_job_can_be_given_a_notify(client: APIClient, make_job: MakeJob) -> None:
    path = f"/hub/v1/jobs/{make_job().pk}"
    assert client.patch(path, {"notify": [{"webhook": URL}]}, format="json").status_code == 200
    assert client.get(path).json()["notify"][0]["events"] == ["failed", "soft_timeout"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [({}, [2, 1, 0]), ({"outcome": "pending"}, [0]), ({"outcome": "delivered"}, [1]), ({"outcome": "failed"}, [2])],
)
def test_the_log_can_be_searched(client: APIClient, told: list[Delivery], query: Any, wanted: list[int]) -> None:
    rows = client.get(DELIVERIES, query).json()["results"]
    assert [row["id"] for row in rows] == [told[number].pk for number in wanted]


def test_the_log_is_searched_by_what_it_names(client: APIClient, told: list[Delivery]) -> None:
    query = {"subscription": told[0].subscription_id, "execution": told[0].execution_id, "event": "succeeded"}
    (row,) = client.get(DELIVERIES, query).json()["results"]
    assert (row["handle"], row["outcome"], row["uuid"]) == (told[0].execution.handle, "pending", str(told[0].uuid))


def test_a_delivery_can_be_read_and_replayed(client: APIClient, told: list[Delivery]) -> None:
    path = f"{DELIVERIES}/{told[1].pk}"
    before, answer = client.get(path).json(), client.post(f"{path}/replay")

    assert (before["outcome"], before["answer"]) == ("delivered", 204)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "pending")
    assert AuditEvent.objects.filter(deed="replay", username="alice").exists()


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_stranger_sees_none(charlie: User, client_of: ClientOf, told: list[Delivery], beta: Project) -> None:
    client = client_of(charlie)
    assert [client.get(path).json()["results"] for path in (SUBSCRIPTIONS, DELIVERIES)] == [[], []]


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"webhook": "http://127.0.0.1:1/"}, "webhook"),
        ({"webhook": URL, "events": ["x"]}, "events.0"),
        ({"webhook": URL, "id": 7}, "id"),
        ({"webhook": URL, "enabled": "maybe"}, "enabled"),
        ([], ""),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(client: APIClient, body: Any, field: str) -> None:
    answer = client.post(SUBSCRIPTIONS, body, format="json")
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
    assert not Subscription.objects.exists()


def test_what_is_pending_is_not_replayed(client: APIClient, told: list[Delivery]) -> None:
    assert client.post(f"{DELIVERIES}/{told[0].pk}/replay").status_code == 409


def test_a_jobs_notify_is_not_changed_here(client: APIClient, make_job: MakeJob) -> None:
    make_job(notify=[{"webhook": URL}])
    path = f"{SUBSCRIPTIONS}/{Subscription.objects.get().pk}"
    assert [client.delete(path).status_code, client.patch(path, {}, format="json").status_code] == [409, 409]


@pytest.mark.parametrize("query", [{"outcome": "x"}, {"event": "x"}, {"execution": "x"}, {"x": 1}])
def test_a_bad_filter_is_refused(client: APIClient, query: Any) -> None:
    assert client.get(DELIVERIES, query).status_code == 400


@pytest.mark.parametrize("ref", ["0", "99999999999999999999", "x", "%00", "7.5"])
def test_what_there_is_not_is_404(client: APIClient, ref: str) -> None:
    assert [client.get(f"{path}/{ref}").status_code for path in (SUBSCRIPTIONS, DELIVERIES)] == [404, 404]


# -- what it costs -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [SUBSCRIPTIONS, DELIVERIES])
def test_a_page_costs_two_queries(
    client: APIClient, told: list[Delivery], path: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client.get(path)
    with django_assert_max_num_queries(2):
        assert client.get(path).json()["results"]

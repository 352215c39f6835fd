"""The front door, and whether the hub is well."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from jobhub import health
from jobs.models import Node, User
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.conftest import basic

AWAY = {"REMOTE_ADDR": "10.0.0.7"}


def test_a_browser_is_sent_to_the_admin(client: Client) -> None:
    response = client.get("/", headers={"Accept": "text/html"})

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


def test_others_are_told_where_things_are(client: Client) -> None:
    shown = client.get("/").json()["jobhub"]

    assert (shown["product"], shown["native"]) == ("JobHub", "http://testserver/hub/v1/")


def test_the_outside_address_is_used_where_one_is_set(client: Client, settings: Any) -> None:
    settings.BASE_URL = "https://jobs.example.org"

    assert client.get("/").json()["jobhub"]["native"] == "https://jobs.example.org/hub/v1/"


def test_healthz_needs_no_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_it_is_ready_with_a_worker(client: Client, db: None) -> None:
    Node.objects.create(name="a", workers=2)
    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize("seen_ago_s", [None, 31])
def test_it_is_not_ready_without_one(seen_ago_s: int | None, client: Client, db: None) -> None:
    seen_at = timezone.now() - timedelta(seconds=seen_ago_s or 0)
    Node.objects.create(name="a", workers=2 if seen_ago_s else 0, seen_at=seen_at)
    response = client.get("/readyz")

    assert response.status_code == 503
    assert list(response.json()["missing"]) == ["workers"]


def test_it_is_not_ready_without_its_database(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(health.connection, "cursor", fail)
        patched.setattr(health, "live_nodes", fail)
        response = client.get("/readyz")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert list(response.json()["missing"]) == ["database", "workers"]


def metrics(client: Client, **more: Any) -> dict[str, float]:
    text = client.get("/metrics", **more).content.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z_]+(\{[a-z]+=\"[a-z]+\"\})? -?[0-9.]+", line) for line in lines), text
    return {name: float(value) for name, value in (line.split() for line in lines)}


def test_metrics_count_what_is_active(client: Client, make_job: MakeJob, make_execution: MakeExecution) -> None:
    Node.objects.create(name="a", workers=2)
    make_execution(state=State.RUNNING)
    make_execution(state=State.SUCCEEDED)
    make_execution(run_at=timezone.now() - timedelta(seconds=60))
    make_execution(run_at=timezone.now() + timedelta(days=1))
    shown = metrics(client)

    assert (shown['jobhub_executions{state="queued"}'], shown['jobhub_executions{state="running"}']) == (2, 1)
    assert (shown["jobhub_queue_depth"], shown["jobhub_nodes"], shown["jobhub_workers"]) == (1, 1, 2)
    assert 60 <= shown["jobhub_queue_oldest_seconds"] < 120


def test_metrics_cost_five_queries(client: Client, db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(5):
        client.get("/metrics")


def test_metrics_are_not_for_everybody(client: Client, alice: User) -> None:
    assert client.get("/metrics", **AWAY).status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": basic("alice")}, **AWAY).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_they_are_only_read(path: str, client: Client) -> None:
    assert client.post(path).status_code == 405

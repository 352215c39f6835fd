"""The cluster's face, asked by Alice with a key unless a test says otherwise."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import JobExecution, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob

JOBS = "/api/cluster/jobs"
HAL = "application/hal+json"
Many = Callable[[str], list[str]]


@pytest.fixture
def client(client_of: ClientOf, alice: User) -> APIClient:
    return client_of(alice)


@pytest.fixture
def found(client: APIClient) -> Many:
    """`found("state=running")`: the descriptions of the jobs that a query selects, sorted."""

    def ask(query: str) -> list[str]:
        response = client.get(f"{JOBS}?fields=description&{query}")
        assert response.status_code == 200, response.content
        return sorted(record["description"] for record in response.json()["records"])

    return ask


def error(response: Any) -> tuple[int, dict[str, Any]]:
    """The status and the one error of a refusal."""
    body = response.json()
    assert list(body) == ["error"], body
    return response.status_code, body["error"]


@pytest.fixture
def three(make_job: MakeJob, make_execution: MakeExecution) -> list[str]:
    """The uuids of three jobs, as they are listed."""
    runs = [make_execution(make_job(f"job/{letter}"), State.SUCCEEDED) for letter in "cab"]
    return sorted(str(run.uuid) for run in runs)


@pytest.fixture
def seven(make_job: MakeJob, make_execution: MakeExecution) -> list[JobExecution]:
    """Five that ended, of two jobs, and two that wait."""
    one, other = make_job("one"), make_job("other")
    ended = [make_execution(job, State.SUCCEEDED) for job in (one, other, other, one, other)]
    return [*ended, make_execution(make_job("waits")), make_execution(make_job("waits too"))]


def pages(client: APIClient, url: str, **headers: str) -> list[Any]:
    """All pages, by the links between them; a client stops where a link leads to itself."""
    found, seen = [], set[str]()
    while url:
        assert url not in seen, "the link leads back"
        seen.add(url)
        found.append(client.get(url, headers=headers).json())
        url = found[-1].get("_links", {}).get("next", {}).get("href", "")
    return found


def uuids(bodies: list[Any]) -> list[str]:
    return [record["uuid"] for body in bodies for record in body["records"]]

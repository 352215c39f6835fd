"""The cluster's face, asked by Alice with a key unless a test says otherwise."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import User
from tests.conftest import ClientOf

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

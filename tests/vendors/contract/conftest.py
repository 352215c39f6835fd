"""The faces and their speakers, for the contract suite."""

from importlib import import_module
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, User
from tests.conftest import ClientOf, MakeJob
from tests.vendors.contract.speaker import Call, Speaker
from vendors import registry
from vendors.wire.vendor import Vendor


@pytest.fixture(params=[face for face in registry.faces() if face.shows_executions], ids=lambda face: face.name)
def face(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = request.param
    return found


@pytest.fixture
def speaker(face: Vendor) -> Speaker:
    found: Speaker = import_module(f"tests.vendors.{face.name}.speaker").SPEAKER
    return found


@pytest.fixture
def api(client_of: ClientOf, alice: User) -> APIClient:
    return client_of(alice)


@pytest.fixture
def a_job(speaker: Speaker, make_job: MakeJob) -> Job:
    """A job that the face shows."""
    job = make_job("nightly/db", **{"concurrency_limit": 0, **speaker.job})
    if speaker.prepare:
        speaker.prepare(job)
    return job


def ask(client: APIClient, call: Call, **headers: str) -> Any:
    method = getattr(client, call.method)
    if call.body is None:
        return method(call.path, headers=headers)
    return method(call.path, call.body, format="json", headers=headers)

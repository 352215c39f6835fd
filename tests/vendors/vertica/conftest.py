"""What tests of the agent's face share: databases with jobs, and clients with keys of each level."""

from collections.abc import Callable, Iterator

import pytest
from rest_framework.test import APIClient

from jobs import targets
from jobs.models import Job, Level, User
from jobs.targets import TargetGuard, parse
from tests.conftest import MakeJob
from tests.jobs.servers import Reply, Server, serving
from vendors.vertica import calls

Agent = Callable[..., APIClient]


@pytest.fixture
def agent(key_of: Callable[..., str], alice: User) -> Agent:
    """`agent("normal")`: a client with a key of that level of Alice's."""

    def make(level: str = Level.ADMIN) -> APIClient:
        return APIClient(headers={"VerticaAPIKey": key_of(alice, level)})

    return make


@pytest.fixture
def database(make_job: MakeJob) -> Callable[[str], dict[str, Job]]:
    """`database("testDB")`: its jobs, by what they do."""

    def make(name: str) -> dict[str, Job]:
        return {call.job: make_job(f"{name}/{call.job}") for call in calls.ALL}

    return make


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A subscriber on this machine, which may be reached."""
    monkeypatch.setattr(targets, "_guard", TargetGuard(parse(["127.0.0.1"])))
    with serving() as server:
        server.replies["/ended?by=hub"] = Reply(status=200)
        yield server

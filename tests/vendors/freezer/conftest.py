"""Alice's calls to Freezer's API in project `alpha`, and a scheduler of the client `shop`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution, Project, User
from jobs.paths import PathGuard, configure, guard
from tests.conftest import ClientOf
from tests.vendors.freezer.making import BACKUP, make_client, make_node
from vendors.models import FreezerClient

STEP = {"freezer_action": BACKUP, "max_retries": 1, "max_retries_interval": 2}


@dataclass
class Api:
    """`api.get("jobs")`: an answer below `/v2/alpha/`, its status checked where one is given."""

    client: APIClient
    base: str = "/v2/alpha"

    def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        answer = self.client.generic(method, f"{self.base}/{path}", *_sent(body))
        assert status in (None, answer.status_code), answer.content
        return answer

    def get(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self.ask("GET", path, body, status=status).json()

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self.ask("POST", path, body, status=status).json()

    def make(self, **job: Any) -> str:
        """The id of a new job of `shop`, unless told otherwise."""
        job_id: str = self.post("jobs", {"client_id": "shop", "job_actions": [STEP], **job})["job_id"]
        return job_id

    def schedule(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"jobs/{job_id}")["job_schedule"]
        return found

    def event(self, job_id: str, word: str) -> str:
        result: str = self.post(f"jobs/{job_id}/event", {word: None}, 202)["result"]
        return result


def _sent(body: Any) -> tuple[Any, ...]:
    from json import dumps

    return () if body is None else (body if isinstance(body, str) else dumps(body), "application/json")


@dataclass
class Scheduler:
    """What freezer-scheduler sends, without a clock of its own."""

    api: Api
    client_id: str = "shop"

    def poll(self, offset: int = 0) -> list[dict[str, Any]]:
        search = {"match_not": [{"status": "completed"}], "match": [{"client_id": self.client_id}]}
        jobs: list[dict[str, Any]] = self.api.get(f"jobs/?limit=10&offset={offset}&all_projects=False", search)["jobs"]
        return jobs

    def tell(self, job_id: str, **schedule: Any) -> None:
        """The whole schedule, as it has it in memory."""
        known = self.api.schedule(job_id)
        body = {"job_schedule": {**known, "event": "", **schedule}, "session_id": "", "session_tag": 0}
        self.api.ask("PATCH", f"jobs/{job_id}", body, status=200)

    def begin(self, job_id: str, at: int | None = None) -> int:
        at = at or int(time.time())
        self.tell(job_id, status="running", result="", time_started=at, time_ended=-1)
        return at

    def finish(self, job_id: str, began: int, result: str = "success", status: str = "completed") -> None:
        self.tell(job_id, status=status, result=result, time_started=began, time_ended=began + 1)


@pytest.fixture
def api(client_of: ClientOf, alice: User) -> Api:
    return Api(client_of(alice))


@pytest.fixture
def api_of(client_of: ClientOf) -> Callable[..., Api]:
    return lambda user, **more: Api(client_of(user, **more))


@pytest.fixture
def shop(alpha: Project) -> FreezerClient:
    return make_client(alpha)


@pytest.fixture
def scheduler(api: Api, shop: FreezerClient) -> Scheduler:
    return Scheduler(api)


@pytest.fixture
def node(db: None, tmp_path: Any) -> Any:
    """A node of the hub's own, whose jobs may use `tmp_path`."""
    before = guard()
    configure(PathGuard(allowed=(tmp_path,), refused=(), data=tmp_path / "data"))
    yield make_node()
    configure(before)


def runs_of(job_id: str) -> list[JobExecution]:
    return list(JobExecution.objects.filter(job_name=f"freezer/{job_id}").order_by("pk"))


def states_of(job_id: str) -> list[str]:
    return [str(run.state) for run in runs_of(job_id)]


def engine_job(job_id: str) -> Job:
    return Job.objects.get(key=job_id)

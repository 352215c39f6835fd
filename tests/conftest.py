"""Who is who in the tests, and small builders of jobs and executions.

Project `alpha`: Alice is its admin, Bob a member, Rita a reader. Charlie is the admin of `beta`, a stranger to `alpha`.
Root is a superuser without memberships. Everybody's password is `PASSWORD`.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine import refusals
from jobs.engine.define import define
from jobs.engine.keys import create_key
from jobs.engine.rights import Actor, operator
from jobs.engine.trigger import trigger
from jobs.models import Job, JobExecution, Level, Membership, Project, Role, User
from jobs.states import State

PASSWORD = "correct horse battery staple"
NOOP = {"runner": "python", "spec": {"callable": "noop"}}
WAYS: dict[State, tuple[State, ...]] = {
    State.QUEUED: (),
    State.RUNNING: (State.RUNNING,),
    State.PAUSED: (State.RUNNING, State.PAUSED),
    State.ABORTING: (State.RUNNING, State.ABORTING),
    State.SUCCEEDED: (State.RUNNING, State.SUCCEEDED),
    State.FAILED: (State.RUNNING, State.FAILED),
    State.ABORTED: (State.ABORTED,),
}
_numbers = count(1)

MakeJob = Callable[..., Job]
MakeExecution = Callable[..., JobExecution]
ClientOf = Callable[..., APIClient]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite in a file, as the hub has it: in memory, threads lock each other out."""
    if settings.IS_SQLITE:
        connections["default"].settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("db") / "test.sqlite3")


@pytest.fixture(autouse=True)
def refusals_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written behind a test's back: `refusals.flush()` writes what was refused."""
    monkeypatch.setattr(refusals, "_later", lambda: None)
    refusals.forget()


@cache
def _hashed() -> str:
    return make_password(PASSWORD)


def make_user(name: str, **fields: Any) -> User:
    return User.objects.create(username=name, password=_hashed(), **fields)


def join(user: User, project: Project, role: Role) -> User:
    is_first = not user.memberships.exists()
    Membership.objects.create(user=user, project=project, role=role, is_default=is_first)
    return user


@pytest.fixture
def alpha(db: None) -> Project:
    return Project.objects.create(name="alpha")


@pytest.fixture
def beta(db: None) -> Project:
    return Project.objects.create(name="beta")


@pytest.fixture
def alice(alpha: Project) -> User:
    return join(make_user("alice"), alpha, Role.ADMIN)


@pytest.fixture
def bob(alpha: Project) -> User:
    return join(make_user("bob"), alpha, Role.MEMBER)


@pytest.fixture
def rita(alpha: Project) -> User:
    return join(make_user("rita"), alpha, Role.READER)


@pytest.fixture
def charlie(beta: Project) -> User:
    return join(make_user("charlie"), beta, Role.ADMIN)


@pytest.fixture
def root(db: None) -> User:
    return make_user("root", is_superuser=True, is_staff=True)


@pytest.fixture
def op(alpha: Project) -> Actor:
    """The operator's shell, at home in `alpha`."""
    return operator("test", alpha)


@pytest.fixture
def key_of(op: Actor) -> Callable[..., str]:
    """`key_of(user, level="admin", project=…)`: the text of a new key, of the first project unless named."""

    def make(user: User, level: str = Level.ADMIN, project: Project | None = None, **fields: Any) -> str:
        project = project or user.memberships.order_by("pk")[0].project
        return create_key(user, project, level, actor=op, **fields)[1]

    return make


@pytest.fixture
def client_of(key_of: Callable[..., str]) -> ClientOf:
    """`client_of(user, level="admin", project=…)`: an HTTP client that carries a key of that user."""

    def make(user: User, level: str = Level.ADMIN, project: Project | None = None) -> APIClient:
        return APIClient(HTTP_AUTHORIZATION=f"Bearer {key_of(user, level, project)}")

    return make


@pytest.fixture
def make_job(alpha: Project) -> MakeJob:
    """`make_job("nightly/db", project=…, actions=…, **fields)`: a job that does nothing, unless told otherwise."""

    def make(name: str = "", *, project: Project | None = None, **fields: Any) -> Job:
        document = {"name": name or f"job-{next(_numbers)}", "actions": [NOOP], **fields}
        return define(document, actor=operator("test", project or alpha))[0]

    return make


@pytest.fixture
def make_execution(make_job: MakeJob) -> MakeExecution:
    """`make_execution(job, state, **fields)`: an execution brought to that state by the moves that lead there."""

    def make(job: Job | None = None, state: str = State.QUEUED, **fields: Any) -> JobExecution:
        execution, _ = trigger(job or make_job(), actor=operator("test"))
        for step in WAYS[State(state)]:
            execution.move(step, **(_claimed() if step is State.RUNNING else {}))
        if fields:
            JobExecution.objects.filter(pk=execution.pk).update(**fields)
        execution.refresh_from_db()
        return execution

    return make


def _claimed() -> dict[str, Any]:
    now = timezone.now()
    return {
        "attempt": 1,
        "node": "node-1",
        "worker": "worker-1",
        "lease_until": now + timedelta(minutes=5),
        "started_at": now,
    }

"""Who may do what: a row for every route and method of every face, each tried by everybody.

The routes come from the URL table. A route without a row fails, and so does a row without a route.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine.keys import revoke_key
from jobs.engine.rights import Actor, Right
from jobs.models import ApiKey, Job, JobExecution, Project, User
from jobs.states import State
from tests.conftest import NOOP, MakeExecution, MakeJob
from vendors import registry

METHODS = ("get", "post", "put", "patch", "delete")
ANYBODY, LOGGED_IN, SEE, TRIGGER, EDIT, ADMIN = (
    "anybody",
    "logged in",
    Right.SEE,
    Right.TRIGGER,
    Right.EDIT,
    Right.ADMIN,
)
Need = str | Right


@dataclass(frozen=True)
class Row:
    """What a route needs, and how it is tried: `{job}` and `{execution}` are things of project `alpha`."""

    method: str
    route: str
    need: Need
    path: str
    status: int = 200
    body: Any = None
    state: State = State.QUEUED


def native(method: str, route: str, need: Need, status: int = 200, **more: Any) -> Row:
    path = route.replace("<path:ref>", "{job}").replace("projects/<str:ref>", "projects/alpha")
    return Row(method, f"hub/v1/{route}", need, f"/hub/v1/{path.replace('<str:ref>', '{execution}')}", status, **more)


DOCUMENT = {"name": "made", "actions": [NOOP]}
ONE = "executions/<str:ref>"
ROWS = [
    Row("get", "", ANYBODY, "/"),
    Row("get", "healthz", ANYBODY, "/healthz"),
    Row("get", "readyz", ANYBODY, "/readyz", 503),
    Row("get", "metrics", LOGGED_IN, "/metrics"),
    native("get", "", LOGGED_IN),
    native("get", "schema", LOGGED_IN),
    native("get", "me", LOGGED_IN),
    native("get", "nodes", LOGGED_IN),
    native("get", "projects", LOGGED_IN),
    native("get", "projects/<str:ref>", SEE),
    native("get", "archives", LOGGED_IN),
    native("get", "audit", ADMIN),
    native("get", "jobs", LOGGED_IN),
    native("post", "jobs", ADMIN, 201, body=DOCUMENT),
    native("get", "jobs/<path:ref>", SEE),
    native("put", "jobs/<path:ref>", ADMIN, body=DOCUMENT),
    native("patch", "jobs/<path:ref>", ADMIN, body={"description": "new"}),
    native("delete", "jobs/<path:ref>", EDIT, 204),
    native("post", "jobs/<path:ref>/trigger", TRIGGER, 202),
    native("post", "jobs/<path:ref>/hold", EDIT),
    native("post", "jobs/<path:ref>/release", EDIT),
    native("get", "executions", LOGGED_IN),
    native("post", "executions/abort", EDIT, body={"all": True, "project": "alpha"}),
    native("get", ONE, SEE),
    native("delete", ONE, EDIT, 204, state=State.FAILED),
    native("get", f"{ONE}/output", SEE),
    native("get", f"{ONE}/actions", SEE),
    native("post", f"{ONE}/abort", EDIT),
    native("post", f"{ONE}/pause", EDIT, 409, state=State.RUNNING),
    native("post", f"{ONE}/resume", EDIT, state=State.PAUSED),
    native("post", f"{ONE}/retry", EDIT, 202, state=State.FAILED),
]
"""The jobs here use a privileged runner, so that defining them needs an admin."""
WHO: dict[str, Need | None] = {
    "nobody": None,
    "wrong key": None,
    "expired key": None,
    "revoked key": None,
    "reader": SEE,
    "restricted key": TRIGGER,
    "normal key": EDIT,
    "member": EDIT,
    "member's admin key": EDIT,
    "admin": ADMIN,
    "superuser": ADMIN,
    "stranger": LOGGED_IN,
}
CASES = [(row, who) for row in ROWS for who in WHO]


def routes() -> Iterator[tuple[str, str]]:
    """(method, route) of everything that is served, but the admin and the login page."""
    for path, view in _patterns(get_resolver(), ""):
        if not path.startswith(("admin/", "session/")):
            yield from ((method, path) for method in _methods(view))


def _patterns(resolver: URLResolver, above: str) -> Iterator[tuple[str, Any]]:
    for one in resolver.url_patterns:
        path = above + str(one.pattern)
        if isinstance(one, URLPattern):
            yield path, one.callback
        else:
            yield from _patterns(one, path)


def _methods(view: Any) -> list[str]:
    actions = getattr(view, "actions", None)
    if actions is not None:
        return [method for method in METHODS if method in actions]
    cls = getattr(view, "cls", None)
    return [method for method in METHODS if hasattr(cls, method)] if cls else ["get"]


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert sorted((row.method, row.route) for row in ROWS) == sorted(routes())


def test_every_face_is_in_the_table() -> None:
    mounts = {mount for face in registry.faces() for mount in face.mounts}

    assert mounts
    assert all(any(row.route.startswith(mount) for row in ROWS) for mount in mounts)


@pytest.fixture
def client_for(
    op: Actor, alice: User, bob: User, rita: User, charlie: User, root: User, key_of: Callable[..., str]
) -> Callable[[str], APIClient]:
    def with_key(key: str) -> APIClient:
        return APIClient(HTTP_AUTHORIZATION=f"Bearer {key}", REMOTE_ADDR="10.0.0.7")

    def with_session(user: User) -> APIClient:
        client = APIClient(REMOTE_ADDR="10.0.0.7")
        client.force_login(user)
        return client

    def expired() -> APIClient:
        key = key_of(alice)
        ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        return with_key(key)

    def revoked() -> APIClient:
        key = key_of(alice)
        revoke_key(ApiKey.objects.get(), actor=op)
        return with_key(key)

    makers: dict[str, Callable[[], APIClient]] = {
        "nobody": lambda: APIClient(REMOTE_ADDR="10.0.0.7"),
        "wrong key": lambda: with_key(key_of(alice) + "x"),
        "expired key": expired,
        "revoked key": revoked,
        "reader": lambda: with_session(rita),
        "restricted key": lambda: with_key(key_of(alice, "restricted")),
        "normal key": lambda: with_key(key_of(alice, "normal")),
        "member": lambda: with_session(bob),
        "member's admin key": lambda: with_key(key_of(bob, "admin")),
        "admin": lambda: with_session(alice),
        "superuser": lambda: with_session(root),
        "stranger": lambda: with_session(charlie),
    }
    assert set(makers) == set(WHO)
    return lambda who: makers[who]()


def expected(row: Row, who: str) -> int:
    has = WHO[who]
    if row.need == ANYBODY:
        return row.status
    if has is None:
        return 401
    if row.need == LOGGED_IN:
        return row.status
    if who == "stranger":
        return 404 if "{" in row.path or "alpha" in str(row.body) or "alpha" in row.path else row.status
    return row.status if has >= row.need else 403


def test_the_table_has_so_many_cases() -> None:
    assert len(CASES) == 31 * 12


@pytest.mark.parametrize(("row", "who"), CASES, ids=[f"{r.method} {r.route} by {w}" for r, w in CASES])
def test_each_may_what_the_table_says(
    row: Row,
    who: str,
    alpha: Project,
    client_for: Callable[[str], APIClient],
    make_job: MakeJob,
    make_execution: MakeExecution,
) -> None:
    job = make_job("nightly/db")
    execution = make_execution(job, row.state)
    before = _everything()
    path = row.path.format(job=job.pk, execution=execution.pk)
    response = getattr(client_for(who), row.method)(path, row.body, format="json")

    assert response.status_code == expected(row, who), response.content
    assert response.status_code < 400 or _everything() == before


def _everything() -> tuple[Any, ...]:
    jobs = list(Job.objects.order_by("pk").values("pk", "name", "version"))
    return jobs, list(JobExecution.objects.order_by("pk").values("pk", "state", "version"))

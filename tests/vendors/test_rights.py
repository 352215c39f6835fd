"""Who may do what: a row for every route and method of every face, each tried by everybody.

The routes come from the URL table. A route without a row fails, and so does a row without a route. A face's rows stand
in `tests/vendors/<face>/rights.py`.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine.keys import revoke_key
from jobs.engine.rights import Actor
from jobs.models import ApiKey, Job, JobExecution, Project, User
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.rights import ADMIN, ANYBODY, EDIT, LOGGED_IN, ROOT, SEE, TRIGGER, Need, Row
from vendors import registry
from vendors.models import VendorDocument
from vendors.native.vendor import VENDOR as NATIVE
from vendors.wire.problems import Kind
from vendors.wire.vendor import Vendor

METHODS = ("get", "post", "put", "patch", "delete")
HUB_ROWS = [
    Row(method="get", route="", need=ANYBODY, path="/"),
    Row(method="get", route="healthz", need=ANYBODY, path="/healthz"),
    Row(method="get", route="readyz", need=ANYBODY, path="/readyz", status=503),
    Row(method="get", route="metrics", need=LOGGED_IN, path="/metrics"),
]
"""What the project answers beside the faces."""
ROWS: dict[str, list[Row]] = {name: import_module(f"tests.vendors.{name}.rights").ROWS for name in settings.FACES}
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
CASES = [(NATIVE, row, who) for row in HUB_ROWS for who in WHO]
CASES += [(face, row, who) for face in registry.faces() for row in ROWS[face.name] for who in WHO]
TRIED = CASES if settings.IS_SQLITE else [case for case in CASES if case[2] in ("admin", "stranger")]
"""Rights do not depend on the database: on another one each route is asked by one who may and by one who may not."""


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


def declared() -> Iterator[tuple[str, str]]:
    yield from ((row.method, row.route) for row in HUB_ROWS)
    for face in registry.faces():
        yield from ((row.method, mount + row.route) for mount in face.mounts for row in ROWS[face.name])


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert sorted(set(declared())) == sorted(set(routes()))


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


def expected(face: Vendor, row: Row, who: str) -> int:
    has = WHO[who]
    if row.need == ANYBODY:
        return row.status
    if has is None:
        return face.errors[Kind.UNAUTHENTICATED].status
    if row.need == ROOT:
        return row.status if who == "superuser" else face.errors[Kind.FORBIDDEN].status
    if who == "stranger" and row.stranger is not None:
        return row.stranger
    if row.need == LOGGED_IN:
        return row.status
    if who == "stranger":
        return face.errors[Kind.NOT_FOUND].status if row.names_something else row.status
    return row.status if has >= row.need else face.errors[Kind.FORBIDDEN].status


def test_the_table_has_so_many_cases() -> None:
    assert len(CASES) == len(WHO) * (len(HUB_ROWS) + sum(len(rows) for rows in ROWS.values()))
    assert min(len(rows) for rows in ROWS.values()) > 3


def tried() -> Iterator[Any]:
    """Each face for itself, so that processes can share the table."""
    for face, row, who in TRIED:
        name = f"{face.name} {row.method} {row.route or '/'} by {who}"
        yield pytest.param(face, row, who, id=name, marks=pytest.mark.xdist_group(f"rights of {face.name}"))


@pytest.mark.parametrize(("face", "row", "who"), list(tried()))
def test_each_may_what_the_table_says(
    face: Vendor,
    row: Row,
    who: str,
    alpha: Project,
    client_for: Callable[[str], APIClient],
    make_job: MakeJob,
    make_execution: MakeExecution,
) -> None:
    execution = make_execution(make_job("nightly/db", **(row.job or {})), row.state)
    if row.prepare:
        row.prepare(execution)
    things = {"job": execution.job, "execution": execution, "project": alpha}
    before = _everything()
    path, body = row.path.format(**things), _filled(row.body, things)
    response = getattr(client_for(who), row.method)(path, body, format="json", headers=row.headers or {})

    assert response.status_code == expected(face, row, who), response.content
    assert response.status_code < 400 or _everything() == before


def _filled(body: Any, things: dict[str, Any]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, things) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, things) for value in body]
    return body.format(**things) if isinstance(body, str) else body


def _everything() -> tuple[Any, ...]:
    jobs = list(Job.objects.order_by("pk").values("pk", "name", "version"))
    documents = list(VendorDocument.objects.order_by("pk").values("pk", "version"))
    return jobs, documents, list(JobExecution.objects.order_by("pk").values("pk", "state", "version"))

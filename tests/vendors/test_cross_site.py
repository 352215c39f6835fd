"""A web page of another site, in the browser of somebody who is logged in: it changes nothing, at any route.

The routes come from the URL table, so that a new one is tried as well.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern
from django.utils.regex_helper import normalize
from rest_framework.test import APIClient

from jobs.models import AuditEvent, Job, JobExecution, User
from tests.conftest import MakeExecution
from tests.vendors.conftest import basic

UNSAFE = ("post", "put", "patch", "delete")
PARTS = {
    "int": "1",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "path": "1",
    "str": "1",
    "slug": "one",
    "scope": "v1",
    "": "1",
}
"""What stands for a part of a path, by its converter."""
AS_REGEX = {"app_label": "jobs"}
"""What stands for a part of a path that is a regular expression, by its name; for all others it is 1."""
FOREIGN: dict[str, dict[str, str]] = {
    "its origin": {"Origin": "https://evil.example"},
    "a sandboxed frame": {"Origin": "null"},
    "another port of this host": {"Origin": "http://testserver:9000", "Sec-Fetch-Site": "same-site"},
    "an old referrer only": {"Sec-Fetch-Site": "cross-site"},
}


def paths(resolver: URLResolver | None = None, above: str = "/") -> Iterator[str]:
    for one in (resolver or get_resolver()).url_patterns:
        path = above + (one_of(one.pattern) if isinstance(one.pattern, RegexPattern) else filled(str(one.pattern)))
        if isinstance(one, URLPattern):
            yield path
        else:
            yield from paths(one, path)


def filled(route: str) -> str:
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: PARTS[found[1] or ""], route)


def one_of(pattern: RegexPattern) -> str:
    """A path that it matches."""
    text, names = normalize(str(pattern))[0]
    return str(text) % {name: AS_REGEX.get(name, "1") for name in names}


FACES = sorted(
    {path for path in paths() if not path.startswith(("/admin/", "/session/"))} - {"/", "/healthz", "/readyz"}
)
PAGES = sorted({path for path in paths() if path.startswith(("/admin/", "/session/"))})


def test_the_table_holds_routes_of_every_kind() -> None:
    assert {"/hub/v1/jobs/1/trigger", "/hub/v1/executions/abort", "/metrics"} <= set(FACES)
    assert {"/admin/jobs/job/add/", "/admin/logout/", "/session/login/"} <= set(PAGES)
    assert not [path for path in (*FACES, *PAGES) if re.search(r"[<>()\\?*]", path)]


def everything() -> tuple[Any, ...]:
    counts = [model.objects.count() for model in (User, AuditEvent)]
    return counts, list(Job.objects.values()), list(JobExecution.objects.values())


@pytest.fixture
def something(make_execution: MakeExecution) -> None:
    make_execution()


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_password_that_the_browser_keeps_is_of_no_use(headers: dict[str, str], root: User, something: None) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("root"))
    before = everything()
    statuses = {
        (method, path): getattr(client, method)(path, {}, format="json", headers=headers).status_code
        for path in FACES
        for method in UNSAFE
    }

    assert {case: status for case, status in statuses.items() if status != 403} == {}
    assert everything() == before


def posted(browser: Client, body: Any, kind: str) -> dict[str, int]:
    return {path: browser.post(path, body, content_type=kind).status_code for path in FACES}


@pytest.mark.parametrize("headers", [*FOREIGN.values(), {}], ids=[*FOREIGN, "no header at all"])
def test_a_session_is_of_no_use(headers: dict[str, str], root: User, something: None) -> None:
    """What anybody gets without one, such as a 405 of a greeting, is no use of it."""
    browser, nobody = (Client(enforce_csrf_checks=True, headers={"Accept": "text/html", **headers}) for _ in range(2))
    browser.force_login(root)
    before = everything()
    statuses = posted(browser, {}, "application/json")
    of_anybody = posted(nobody, {}, "application/json")
    on_pages = {path: browser.post(path, {"_save": "1"}).status_code for path in PAGES}

    assert {path: status for path, status in statuses.items() if status not in (403, of_anybody[path])} == {}
    assert {path: status for path, status in on_pages.items() if status != 403} == {}
    assert everything() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_can_send_is_of_no_use_even_to_old_browsers(kind: str, root: User, something: None) -> None:
    browser, nobody = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    browser.force_login(root)
    before = everything()
    statuses, of_anybody = posted(browser, '{"all": true}', kind), posted(nobody, '{"all": true}', kind)

    wrong = {path: status for path, status in statuses.items() if status not in (400, 403, 415, of_anybody[path])}
    assert wrong == {}
    assert everything() == before


def test_a_page_of_ours_may_do_it(root: User, something: None) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("root"))
    ours = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}

    assert client.post("/hub/v1/executions/abort", {"all": True}, format="json", headers=ours).status_code == 200


def test_over_tls_the_port_belongs_to_the_origin(root: User, something: None) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("root"), HTTP_HOST="testserver:8443")
    statuses = [
        client.post(
            "/hub/v1/executions/abort", {"all": True}, format="json", secure=True, headers={"Origin": origin}
        ).status_code
        for origin in ("https://testserver:8443", "https://testserver", "https://testserver:5444")
    ]

    assert statuses == [200, 403, 403]

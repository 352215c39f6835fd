"""What every answer carries, of every face and of what stands before the faces."""

from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from rest_framework.test import APIClient

from jobhub.headers import HEADERS
from jobs.models import User
from tests.conftest import PASSWORD

JSON = {"HTTP_ACCEPT": "application/json"}
BROWSER = {"HTTP_ACCEPT": "text/html"}
ANSWERS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "the front door": ("get", "/", JSON, 200),
    "a browser's front door": ("get", "/", BROWSER, 302),
    "alive": ("get", "/healthz", JSON, 200),
    "not ready": ("get", "/readyz", JSON, 503),
    "the login page": ("get", "/admin/login/", BROWSER, 200),
    "a static file": ("get", "/static/admin/css/base.css", BROWSER, 200),
    "no such page": ("get", "/nothing", BROWSER, 404),
    "no such path": ("get", "/hub/v1/nothing", JSON, 404),
    "not logged in": ("get", "/hub/v1/me", JSON, 401),
    "not logged in, a browser": ("get", "/hub/v1/me", BROWSER, 401),
    "no such method": ("delete", "/hub/v1/me", JSON, 401),
    "not allowed": ("put", "/admin/login/", BROWSER, 403),
    "a foreign host": ("get", "/hub/v1/me", {"HTTP_HOST": "evil.example", **JSON}, 400),
    "a broken length": ("post", "/hub/v1/jobs", {"CONTENT_LENGTH": "x", **JSON}, 400),
    "too large": ("post", "/hub/v1/jobs", {"CONTENT_LENGTH": "999999999999", **JSON}, 413),
    "no CSRF token": ("post", "/admin/login/", BROWSER, 403),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "given", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_them(method: str, path: str, given: dict[str, Any], status: int) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    response = getattr(client, method)(path, **given)
    response.close()

    assert response.status_code == status
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_a_bug_has_them(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobhub.health.CHECKS", {"bug": lambda: 1 // 0})
    client.raise_request_exception = False
    response = client.get("/readyz")

    assert response.status_code == 500
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_nothing_is_loaded_from_within_a_page_or_from_elsewhere() -> None:
    policy = HEADERS["Content-Security-Policy"]

    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "*" not in policy


def test_pages_bring_no_script_or_style_of_their_own(root: User) -> None:
    browser = Client(headers={"Accept": "text/html"})
    browser.force_login(root)
    paths = (
        "/admin/",
        "/admin/jobs/job/",
        "/admin/jobs/job/add/",
        "/admin/jobs/jobexecution/",
        "/hub/v1/",
        "/hub/v1/me",
        "/hub/v1/jobs",
        "/session/login/?next=/hub/v1/",
    )
    pages = {path: browser.get(path).content.decode() for path in paths}

    assert not [path for path, page in pages.items() if "<style" in page or ' style="' in page or " onclick=" in page]
    assert not [path for path, page in pages.items() if "<script>" in page or 'type="text/javascript">' in page]
    assert finders.find("jobs/hub.css")


# -- TLS ---------------------------------------------------------------------------------------------------------------
def test_cookies_are_marked_when_they_came_by_tls(root: User, db: None) -> None:
    by_tls, plain = Client(), Client()
    login = {"username": "root", "password": PASSWORD}
    by_tls.post("/admin/login/?next=/admin/", login, secure=True)
    plain.post("/admin/login/?next=/admin/", login)

    assert by_tls.cookies["sessionid"]["secure"]
    assert not plain.cookies["sessionid"]["secure"]


def test_a_trusted_proxy_makes_it_tls(root: User, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "TRUSTED_PROXIES": ("10.0.0.0/8",)}
    behind, pretending = Client(REMOTE_ADDR="10.0.0.1"), Client(REMOTE_ADDR="192.0.2.1")
    for client in (behind, pretending):
        client.get("/admin/login/", headers={"X-Forwarded-Proto": "https"})

    assert behind.cookies["csrftoken"]["secure"]
    assert not pretending.cookies["csrftoken"]["secure"]


def test_links_are_of_the_scheme_that_was_asked(alice: User, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "TRUSTED_PROXIES": ("10.0.0.0/8",)}
    client = APIClient(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_PROTO="https")

    assert client.get("/").json()["jobhub"]["native"].startswith("https://")


@pytest.mark.parametrize(
    ("certificate", "seconds", "secure", "told"),
    [
        ("/own.crt", 600, True, "max-age=600"),
        ("/own.crt", 600, False, None),
        ("/own.crt", 0, True, None),
        (None, 600, True, None),
    ],
)
def test_hsts_is_told_by_tls_with_a_given_certificate(
    certificate: str | None, seconds: int, secure: bool, told: str | None, settings: Any, client: Client
) -> None:
    settings.HUB = {**settings.HUB, "TLS_CERT": certificate, "HSTS_S": seconds}

    assert client.get("/healthz", secure=secure).headers.get("Strict-Transport-Security") == told

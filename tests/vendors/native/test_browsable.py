"""The browsable API: what a browser with a session sees."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from jobs.models import Delivery, Node, Subscription, User
from jobs.states import State
from tests.conftest import PASSWORD, MakeExecution, MakeJob
from vendors.native.urls import urlpatterns

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PageOf = Callable[[str], Any]
PAGES = [str(one.pattern) for one in urlpatterns]
EXTERNAL = re.compile(r"""(?:src|href)=["'](?:https?:)?//[^"']+\.(?:js|css|png|ico|woff2?)""")


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client(headers=HTML)
    client.force_login(alice)
    return client


VERBS = {
    "trigger",
    "drain",
    "undrain",
    "hold",
    "release",
    "abort",
    "pause",
    "resume",
    "retry",
    "skip",
    "move",
    "run",
    "reinstate",
    "replay",
    "keep",
    "unkeep",
}


@pytest.fixture
def page_of(browser: Client, make_job: MakeJob, make_execution: MakeExecution) -> PageOf:
    job = make_job("nightly/db", description="<script>alert(1)</script>")
    execution = make_execution(job, State.RUNNING, message="<b>packing</b>")
    whose = {"project": job.project}
    hook = Subscription.objects.create(channel="webhook", target="https://x.example.org/", **whose)
    told = Delivery.objects.create(execution=execution, subscription=hook, error="<b>packing</b>", **whose)
    Node.objects.create(name="north", workers=2, drain_reason="<b>packing</b>")
    refs = {"nodes": "north", "projects": "alpha", "subscriptions": str(hook.pk), "deliveries": str(told.pk)}

    def get(route: str) -> Any:
        noun = route.partition("/")[0]
        path = route.replace("<path:ref>", str(job.pk)).replace("<str:name>", "1")
        path = path.replace("<str:ref>", refs.get(noun, "<str:ref>"))
        return browser.get(f"/hub/v1/{path.replace('<str:ref>', str(execution.pk))}")

    return get


def test_there_are_so_many_pages() -> None:
    assert len(PAGES) == 42


@pytest.mark.parametrize("route", PAGES)
def test_every_route_is_a_page(route: str, page_of: PageOf) -> None:
    response = page_of(route)
    is_verb = route.rsplit("/")[-1] in VERBS

    assert response.status_code == (405 if is_verb else 200)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("route", PAGES)
def test_a_page_asks_nobody_else(route: str, page_of: PageOf) -> None:
    html = page_of(route).content.decode()

    assert not EXTERNAL.search(html)
    assert "<script>alert" not in html
    assert "<b>packing" not in html


def test_its_assets_are_here(page_of: PageOf) -> None:
    html = page_of("jobs").content.decode()
    assets = set(re.findall(r'(?:src|href)="/static/([^"]+)"', html))

    assert len(assets) > 5
    assert [asset for asset in assets if not finders.find(asset)] == []


@pytest.mark.parametrize(
    ("route", "example"),
    [
        ("jobs", "nightly/notes"),
        ("jobs/<path:ref>", "nightly/db"),
        ("jobs/<path:ref>/trigger", "params"),
        ("jobs/<path:ref>/hold", "reason"),
        ("executions/abort", "dry_run"),
    ],
)
def test_a_form_begins_with_an_example(route: str, example: str, page_of: PageOf) -> None:
    html = page_of(route).content.decode()
    form = re.search(r'<textarea[^>]*name="_content"[^>]*>(.*?)</textarea>', html, re.DOTALL)

    assert form is not None
    assert example in form.group(1)


def test_lists_have_a_filter_form(page_of: PageOf) -> None:
    assert 'name="queued_from"' in page_of("executions").content.decode()


def test_an_error_is_a_page_too(browser: Client) -> None:
    response = browser.get("/hub/v1/jobs/nope")

    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_who_is_not_logged_in_is_led_to_the_login(db: None) -> None:
    response = Client(headers=HTML).get("/hub/v1/jobs")

    assert response.status_code == 401
    assert "/session/login/?next=/hub/v1/jobs" in response.content.decode()


def test_the_login_leads_back(alice: User) -> None:
    client = Client(headers=HTML)
    given = {"username": "alice", "password": PASSWORD, "next": "/hub/v1/jobs"}

    assert client.post("/session/login/", given).headers["Location"] == "/hub/v1/jobs"
    assert client.get("/hub/v1/jobs").status_code == 200

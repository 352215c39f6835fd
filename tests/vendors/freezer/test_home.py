"""What every answer has, discovery, and the first version."""

import json
import re
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import User
from tests.vendors.freezer.conftest import STEP, Api, Scheduler


def test_the_front_door_lists_both_versions(anybody: APIClient) -> None:
    answer = anybody.get("/freezer/")
    own = {one["id"]: (one["status"], one["links"]) for one in answer.json()["versions"]}

    assert answer.status_code == 300
    assert own == {
        "v2": ("CURRENT", [{"href": "http://testserver/freezer/v2/", "rel": "self"}]),
        "v1": ("DEPRECATED", [{"href": "http://testserver/freezer/v1/", "rel": "self"}]),
    }
    assert anybody.get("/").json()["versions"][0]["links"][0]["href"] == "http://testserver/v2/"


def test_healthcheck_is_for_anybody_and_pretty(anybody: APIClient) -> None:
    answer = anybody.get("/healthcheck")

    assert json.loads(answer.content) == {"detailed": False, "reasons": ["OK"]}
    assert b'\n    "detailed"' in answer.content


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v1", "/freezer/v2"])
def test_a_version_tells_its_paths(api: Api, path: str) -> None:
    answer = api.client.get(path)
    backups = answer.json()["resources"]["rel/backups"]

    assert answer.headers["Content-Type"] == "application/json-home"
    assert backups["href-vars"].get("project_id", "param/project_id") == "param/project_id"
    assert (backups["hints"]["allow"][0], backups["hints"]["formats"]) == ("GET", {"application/json": {}})


def test_every_answer_has_a_request_id(api: Api, anybody: APIClient) -> None:
    answers = [
        api.ask("GET", "jobs"),
        api.ask("GET", "jobs/none"),
        api.ask("GET", "nope"),
        anybody.get("/v2/alpha/jobs"),
    ]
    ids = {answer.headers["x-openstack-request-id"] for answer in answers}

    assert len(ids) == 4
    assert all(re.fullmatch(r"req-[0-9a-f-]{36}", one) for one in ids)


def test_nobody_is_sent_to_the_identity_service(anybody: APIClient) -> None:
    answer = anybody.get("/v2/alpha/jobs")

    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://testserver/identity/v3"'


@pytest.mark.parametrize(("accept", "status"), [("text/plain", 406), ("text/plain, */*;q=0.1", 200), ("", 200)])
def test_who_takes_no_json_gets_nothing(api: Api, accept: str, status: int) -> None:
    answer = api.client.get("/v2/alpha/jobs", headers={"Accept": accept})

    assert answer.status_code == status
    assert status == 200 or (answer.content, answer.headers["Vary"]) == (b"", "Accept")


def test_options_and_head(api: Api) -> None:
    options, head = api.ask("OPTIONS", "jobs"), api.client.head("/v2/alpha/jobs")

    assert (options.status_code, options.content, options.headers["Allow"]) == (200, b"", "GET, POST, OPTIONS")
    assert (head.status_code, head.content) == (405, b"")


def test_somebody_elses_project_is_forbidden_known_or_not(api: Api, charlie: User) -> None:
    foreign = [api.client.get(f"/v2/{project}/jobs") for project in ("beta", "nowhere", "0" * 32, "%00")]

    assert {answer.status_code for answer in foreign} == {403}
    assert {answer.content for answer in foreign} == {foreign[0].content}


# -- the first version -------------------------------------------------------------------------------------------------
def test_the_first_version_knows_no_projects(api: Api, scheduler: Scheduler) -> None:
    first = Api(api.client, "/v1")
    job_id = first.make(job_actions=[STEP])
    document = first.get(f"jobs/{job_id}")
    first.ask("PATCH", f"jobs/{job_id}", document, status=200)
    first.event(job_id, "start")

    assert "project_id" not in document
    assert first.get("jobs")["jobs"][0] == first.get(f"jobs/{job_id}")
    assert api.get(f"jobs/{job_id}")["project_id"]


@pytest.mark.parametrize(
    ("kind", "word"),
    [("jobs", "Job"), ("clients", "Client"), ("actions", "Action"), ("sessions", "Session"), ("backups", "Backup")],
)
def test_the_first_version_says_what_it_did_not_find(api: Api, kind: str, word: str) -> None:
    answer = Api(api.client, "/v1").ask("DELETE", f"{kind}/none", status=404)

    assert answer.json() == {"title": "Not Found", "description": f"No {word} found with ID:none"}
    assert api.ask("DELETE", f"{kind}/none").status_code == 204


# -- what nobody should send -------------------------------------------------------------------------------------------
PATHS = ["jobs", "clients", "actions", "sessions", "backups"]
ODD: list[Any] = ["[]", "[1]", '"x"', "5", "true", "null", "{}", '{"a": "\\u0000"}', "[" * 5000, '{"a": 1e999}', "\xff"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("text", ODD)
def test_odd_bodies_are_refused(api: Api, shop: Any, path: str, text: str) -> None:
    statuses = {api.ask(method, f"{path}{end}", text).status_code for method, end in (("POST", ""), ("POST", "/one"))}

    assert statuses <= {400, 405, 753}


@pytest.mark.parametrize("name", ["%00", "%ED%A0%80", "x" * 3000, "..", "%2e%2e", "a%20b", "%F0%9F%92%A5"])
@pytest.mark.parametrize("path", PATHS)
def test_odd_ids_are_no_mistakes_of_ours(api: Api, shop: Any, path: str, name: str) -> None:
    bodies = {"POST": {"client_id": "shop", "job_actions": [], "freezer_action": {"action": "backup"}, "schedule": {}}}
    statuses = {
        api.ask(method, f"{path}/{name}", bodies.get(method, {})).status_code
        for method in ("GET", "POST", "PATCH", "DELETE")
    }

    assert max(statuses - {753}) < 500

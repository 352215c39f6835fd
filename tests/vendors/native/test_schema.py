"""The OpenAPI document, and that it tells the truth."""

import json
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import ActionExecution, Archive, Delivery, Node, Output, Project, Subscription, User
from jobs.states import State
from tests.conftest import NOOP, MakeExecution, MakeJob
from tests.vendors.native.conftest import CheckedClient
from vendors.native import schema

URL = "/hub/v1/schema"
DOCUMENT = {"name": "made", "actions": [NOOP]}
HOOK = {"webhook": "https://x.example.org/", "events": ["failed"]}
NIGHTLY = {"cron": "0 0 * * *"}
SLOT = {"slot_at": "2098-01-01T00:00:00Z"}
CALLS: dict[str, tuple[str, str, Any, State]] = {
    "root": ("GET", "", None, State.QUEUED),
    "schema": ("GET", "schema", None, State.QUEUED),
    "me": ("GET", "me", None, State.QUEUED),
    "nodes_list": ("GET", "nodes", None, State.QUEUED),
    "nodes_retrieve": ("GET", "nodes/node-1", None, State.QUEUED),
    "nodes_partial_update": ("PATCH", "nodes/node-1", {"labels": ["gpu"], "max_running": 2}, State.QUEUED),
    "nodes_drain": ("POST", "nodes/node-1/drain", {"reason": "disk"}, State.QUEUED),
    "nodes_undrain": ("POST", "nodes/node-1/undrain", None, State.QUEUED),
    "projects_list": ("GET", "projects", None, State.QUEUED),
    "projects_retrieve": ("GET", "projects/alpha", None, State.QUEUED),
    "archives_list": ("GET", "archives", None, State.QUEUED),
    "audit_list": ("GET", "audit", None, State.QUEUED),
    "jobs_list": ("GET", "jobs", None, State.QUEUED),
    "jobs_create": ("POST", "jobs", DOCUMENT, State.QUEUED),
    "jobs_retrieve": ("GET", "jobs/{job}", None, State.QUEUED),
    "jobs_update": ("PUT", "jobs/{job}", DOCUMENT, State.QUEUED),
    "jobs_partial_update": ("PATCH", "jobs/{job}", {"retries": 1}, State.QUEUED),
    "jobs_destroy": ("DELETE", "jobs/{job}", None, State.QUEUED),
    "jobs_trigger": ("POST", "jobs/{job}/trigger", {"params": {"a": 1}, "priority": 3}, State.QUEUED),
    "jobs_hold": ("POST", "jobs/{job}/hold", {"reason": "x", "until": "2099-01-01T00:00:00Z"}, State.QUEUED),
    "jobs_release": ("POST", "jobs/{job}/release", None, State.QUEUED),
    "jobs_schedules": ("GET", "jobs/{job}/schedules", None, State.QUEUED),
    "jobs_schedules_pause": ("POST", "jobs/{job}/schedules/1/pause", {"reason": "x"}, State.QUEUED),
    "jobs_schedules_release": ("POST", "jobs/{job}/schedules/1/release", None, State.QUEUED),
    "jobs_schedules_skip": ("POST", "jobs/{job}/schedules/1/skip", {**SLOT, "reason": "x"}, State.QUEUED),
    "jobs_schedules_move": (
        "POST",
        "jobs/{job}/schedules/1/move",
        {**SLOT, "to": "2098-01-02T00:00:00Z"},
        State.QUEUED,
    ),
    "jobs_schedules_run": ("POST", "jobs/{job}/schedules/1/run", SLOT, State.QUEUED),
    "jobs_schedules_reinstate": ("POST", "jobs/{job}/schedules/1/reinstate", SLOT, State.QUEUED),
    "planned_list": ("GET", "planned?hours=48&job={job}", None, State.QUEUED),
    "executions_list": ("GET", "executions", None, State.QUEUED),
    "executions_abort_many": ("POST", "executions/abort", {"state": ["queued"], "dry_run": True}, State.QUEUED),
    "executions_retry_many": ("POST", "executions/retry", {"all": True, "from": "failed"}, State.FAILED),
    "executions_retrieve": ("GET", "executions/{execution}", None, State.RUNNING),
    "executions_destroy": ("DELETE", "executions/{execution}", None, State.FAILED),
    "executions_output": ("GET", "executions/{execution}/output", None, State.RUNNING),
    "executions_actions": ("GET", "executions/{execution}/actions", None, State.RUNNING),
    "executions_faces": ("GET", "executions/{execution}/faces", None, State.RUNNING),
    "executions_keep": ("POST", "executions/{execution}/keep", None, State.RUNNING),
    "executions_unkeep": ("POST", "executions/{execution}/unkeep", None, State.FAILED),
    "executions_abort": ("POST", "executions/{execution}/abort", None, State.QUEUED),
    "executions_pause": ("POST", "executions/{execution}/pause", None, State.RUNNING),
    "executions_resume": ("POST", "executions/{execution}/resume", None, State.PAUSED),
    "subscriptions_list": ("GET", "subscriptions", None, State.QUEUED),
    "subscriptions_create": ("POST", "subscriptions", HOOK, State.QUEUED),
    "subscriptions_retrieve": ("GET", "subscriptions/{hook}", None, State.QUEUED),
    "subscriptions_partial_update": ("PATCH", "subscriptions/{hook}", {"enabled": False}, State.QUEUED),
    "subscriptions_destroy": ("DELETE", "subscriptions/{hook}", None, State.QUEUED),
    "deliveries_list": ("GET", "deliveries", None, State.QUEUED),
    "deliveries_retrieve": ("GET", "deliveries/{told}", None, State.QUEUED),
    "deliveries_replay": ("POST", "deliveries/{told}/replay", None, State.QUEUED),
    "executions_retry": ("POST", "executions/{execution}/retry", None, State.FAILED),
}


def operations() -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for methods in schema.document()["paths"].values()
        for operation in methods.values()
    }


def test_it_is_generated_without_a_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_every_operation_is_tried() -> None:
    assert set(operations()) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_real_answer_is_as_documented(
    name: str, alpha: Project, root: User, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    method, path, body, state = CALLS[name]
    client = CheckedClient(HTTP_X_JOBHUB_PROJECT="alpha")
    client.force_login(root)
    job = make_job("nightly/db", params={"day": 1, "dry": False, "share": 0.5, "none": None}, schedules=[NIGHTLY])
    execution = make_execution(
        job, state, progress_done=1, progress_unit="files", errors=["outer", "inner"], expires_at=timezone.now()
    )
    furnish(execution.pk, alpha)
    refs = {"hook": Subscription.objects.get().pk, "told": Delivery.objects.get().pk}
    path = path.format(job=job.pk, execution=execution.pk, **refs)
    response = client.generic(
        method, f"/hub/v1/{path}", json.dumps(body) if body else "", content_type="application/json"
    )

    assert response.status_code < 400 or (name, response.status_code) == ("executions_pause", 409)
    for field in ("results", "errors", "waiting_for"):
        assert response.status_code == 204 or response.json().get(field, True) is not None


def furnish(execution: int, project: Project) -> None:
    """One row of everything that lists show."""
    now = timezone.now()
    Node.objects.create(name="node-1", workers=2)
    ActionExecution.objects.create(execution_id=execution, position=0, attempt=1, key="a", runner="python")
    Output.objects.create(execution_id=execution, seq=1, stream="stdout", text="hello\n")
    Archive.objects.create(
        project=project, execution_id=execution, job_name="nightly/db", container="c", name="n", level=0, path="p",
        size_bytes=2**40, sha256="0" * 64, created_at=now,
    )  # fmt: skip
    hook = Subscription.objects.create(
        project=project, channel="webhook", target="https://x.example.org/", events="failed"
    )
    Delivery.objects.create(project=project, execution_id=execution, subscription=hook, event="failed", next_at=None)


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call[2] is not None])
def test_the_bodies_tried_are_as_documented(name: str) -> None:
    content = operations()[name]["requestBody"]["content"]
    document = {**content["application/json"]["schema"], "components": schema.document()["components"]}

    jsonschema.Draft202012Validator(json.loads(json.dumps(document))).validate(CALLS[name][2])


def test_every_operation_names_its_problems_and_its_credentials() -> None:
    for operation in operations().values():
        assert {"400", "401", "403", "404", "503"} <= set(operation["responses"])
        assert operation["security"] == [{"key": []}, {"password": []}, {"session": []}]
        assert operation["summary"]


def test_it_comes_as_json_and_as_yaml(client: APIClient) -> None:
    as_json = client.get(URL).json()

    assert as_json["openapi"].startswith("3.1")
    assert yaml.safe_load(client.get(URL, {"as": "yaml"}).content) == as_json
    assert yaml.safe_load(client.get(URL, headers={"Accept": "application/vnd.oai.openapi"}).content) == as_json


def test_it_describes_this_face_only() -> None:
    assert all(path.startswith("/hub/v1/") for path in schema.document()["paths"])

"""Answers that were recorded from clusters or are documented, and ours to the same questions: equal to the byte.

What is asked for are the members that the recorded answer has (older releases had fewer). A golden file may set a
member aside, with the reason.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.ontap.conftest import HAL, JOBS

GOLDEN = Path(__file__).with_name("golden")
RECORDED_JOBS = json.loads((GOLDEN / "jobs.json").read_text())
RECORDED_ERRORS = json.loads((GOLDEN / "errors.json").read_text())
STATES = {"running": State.RUNNING, "success": State.SUCCEEDED, "failure": State.FAILED}


def test_there_are_so_many() -> None:
    assert (len(RECORDED_JOBS), len(RECORDED_ERRORS)) == (25, 7)


def written(body: Any) -> bytes:
    """As ONTAP writes it: two blanks, no newline at the end."""
    return json.dumps(body, indent=2, ensure_ascii=False).encode()


def run_of(body: dict[str, Any], make_execution: MakeExecution) -> JobExecution:
    """An execution that has what the recorded job had."""
    run = make_execution(state=STATES[body["state"]], uuid=body["uuid"], job_name=body["description"])
    said = {"message": body.get("message", ""), "exit_code": body.get("code") or None}
    times = {"started_at": body.get("start_time"), "finished_at": body.get("end_time")}
    JobExecution.objects.filter(pk=run.pk).update(
        **said, **{name: datetime.fromisoformat(text) for name, text in times.items() if text}
    )
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("recorded", RECORDED_JOBS, ids=lambda one: one["body"]["uuid"])
def test_a_job(recorded: dict[str, Any], client: APIClient, make_execution: MakeExecution, settings: Any) -> None:
    body = recorded["body"]
    run = run_of(body, make_execution)
    settings.TIME_ZONE = zone_of(body.get("start_time", "2026-01-01T00:00:00+00:00"))
    names = [name for name in body if name != "_links"]
    with time_machine.travel(run.finished_at or run.started_at, tick=False):  # type: ignore[arg-type]
        answer = client.get(f"{JOBS}/{run.uuid}?fields={','.join(names)}", headers={"Accept": recorded["accept"]})
    mine = written(answer.json() | {name: body[name] for name in recorded.get("set_aside", ())})

    assert (mine, len(mine)) == (written(body), recorded.get("length", len(mine)))
    assert answer.content == written(answer.json())
    assert answer.headers["Content-Type"] == (HAL if "_links" in body else "application/json")


def zone_of(time: str) -> str:
    """A zone with the time's offset, which were whole hours in all captures; Etc's names count to the west."""
    offset = datetime.fromisoformat(time).utcoffset()
    assert offset is not None
    return f"Etc/GMT{-int(offset.total_seconds()) // 3600:+d}"


@pytest.mark.parametrize("recorded", RECORDED_ERRORS, ids=lambda one: one["recorded"])
def test_an_error(recorded: dict[str, Any], client: APIClient, client_of: ClientOf, rita: User) -> None:
    who = {"nobody": APIClient(), "rita": client_of(rita)}.get(recorded.get("who", ""), client)
    method, _, path = recorded["request"].partition(" ")
    answer = getattr(who, method.lower())(path)

    assert (answer.status_code, answer.content) == (recorded["status"], written(recorded["body"]))
    assert answer.headers.items() >= {"Content-Type": HAL, **recorded.get("headers", {})}.items()
    assert len(answer.content) == recorded.get("length", len(answer.content))


def test_the_answer_to_what_takes_time(client: APIClient, make_job: MakeJob) -> None:
    """netapp_ontap 9.6, docstring of resources/snapshot.py: a capture of 13 Mar 2019, 202 with 189 bytes."""
    job: Job = make_job()
    answer = client.post(f"/api/jobhub/jobs/{job.uuid}/trigger", headers={"Accept": "application/json"})
    uuid = str(JobExecution.objects.get().uuid)

    assert answer.content == written({"job": {"uuid": uuid, "_links": {"self": {"href": f"{JOBS}/{uuid}"}}}})
    assert (answer.status_code, len(answer.content)) == (202, 189)
    assert answer.headers["Content-Type"] == "application/json"


def test_the_answer_to_what_is_done_at_once(client: APIClient, make_execution: MakeExecution) -> None:
    """netapp_ontap, resources/metrocluster_interconnect.py: a capture of 20 Aug 2021, 200 with 3 bytes."""
    answer = client.patch(f"{JOBS}/{make_execution().uuid}?action=cancel")

    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"{\n}", HAL)


def test_the_links_of_a_page(client: APIClient, make_execution: MakeExecution) -> None:
    """NetApp/trident, ontap_rest.go, HasNextLink: `start.<key>` first, the others as they were sent."""
    second = max(str(make_execution().uuid), str(make_execution().uuid))
    sent = "fields=%2A%2A&max_records=1&description=%2A&return_records=true&svm.name=alpha"
    body = client.get(f"{JOBS}?{sent}").json()

    assert body["num_records"] == 1
    assert body["_links"] == {
        "self": {"href": f"{JOBS}?{sent}"},
        "next": {"href": f"{JOBS}?start.uuid={second}&{sent}"},
    }

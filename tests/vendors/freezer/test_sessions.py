"""Sessions: jobs of several clients start at one tag."""

import threading
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.models import Node
from jobs.states import State
from tests.vendors.freezer.conftest import Api, Scheduler, engine_job
from tests.vendors.freezer.making import HUB
from vendors.models import VendorDocument

STARTERS = 20


@pytest.fixture
def session(api: Api) -> str:
    session_id: str = api.post("sessions", {"schedule": {"schedule_interval": "5 minutes"}, "hold_off": 5})[
        "session_id"
    ]
    return session_id


@pytest.fixture
def job_id(api: Api, scheduler: Scheduler, session: str) -> str:
    job_id = api.make()
    api.ask("PUT", f"sessions/{session}/jobs/{job_id}", status=204)
    return job_id


def start(api: Api, session: str, job_id: str, tag: int, status: int = 202) -> Any:
    return api.post(f"sessions/{session}/action", {"start": {"job_id": job_id, "current_tag": tag}}, status)


def end(api: Api, session: str, job_id: str, tag: int, result: str = "success") -> Any:
    said = {"end": {"job_id": job_id, "current_tag": tag, "result": result}}
    return api.post(f"sessions/{session}/action", said, 202)


def test_a_second_client_joins_the_same_tag(api: Api, session: str, job_id: str) -> None:
    other = api.make()
    api.ask("PUT", f"sessions/{session}/jobs/{other}", status=204)
    answers = [start(api, session, job_id, 0), start(api, session, other, 0)]

    assert answers == [{"result": "success", "session_tag": 1}] * 2
    assert api.get(f"sessions/{session}")["session_tag"] == 1


def test_who_starts_again_too_early_is_held_off(api: Api, session: str, job_id: str) -> None:
    start(api, session, job_id, 0)

    assert start(api, session, job_id, 1) == {"result": "hold-off", "session_tag": 1}


def test_after_the_hold_off_there_is_another_tag(api: Api, session: str, job_id: str) -> None:
    start(api, session, job_id, 0)
    with time_machine.travel(timezone.now().timestamp() + 6, tick=False):
        answers = [start(api, session, job_id, 0), start(api, session, job_id, 1)]

    assert answers == [{"result": "out-of-sync", "session_tag": 1}, {"result": "success", "session_tag": 2}]


def test_it_ends_with_the_last_of_its_jobs(api: Api, session: str, job_id: str) -> None:
    other = api.make()
    api.ask("PUT", f"sessions/{session}/jobs/{other}", status=204)
    for one in (job_id, other):
        start(api, session, one, 0)
    end(api, session, job_id, 1)
    before = api.get(f"sessions/{session}")["status"]
    end(api, session, other, 1, "fail")
    after = api.get(f"sessions/{session}")

    assert (before, after["status"], after["result"]) == ("running", "completed", "fail")


def test_an_end_of_an_older_tag_changes_nothing(api: Api, session: str, job_id: str) -> None:
    start(api, session, job_id, 0)

    assert end(api, session, job_id, 0) == {"result": "out-of-sync", "session_tag": 1}
    assert api.get(f"sessions/{session}")["status"] == "running"


@pytest.mark.django_db(transaction=True)
def test_of_many_starts_at_once_one_raises_the_tag(api: Api, session: str, job_id: str) -> None:
    answers: list[Any] = []
    gate = threading.Barrier(STARTERS)

    def ask() -> None:
        gate.wait()
        try:
            answers.append(start(api, session, job_id, 0))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(STARTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [{"result": "success", "session_tag": 1}] * STARTERS
    assert api.get(f"sessions/{session}")["session_tag"] == 1


def test_a_job_takes_its_schedule_and_gives_it_back(api: Api, session: str, job_id: str) -> None:
    inside = api.get(f"jobs/{job_id}")
    api.ask("DELETE", f"sessions/{session}/jobs/{job_id}", status=204)
    outside = api.get(f"jobs/{job_id}")

    assert (inside["session_id"], inside["job_schedule"]) == (session, {"schedule_interval": "5 minutes"})
    assert (outside["session_id"], outside["session_tag"], outside["job_schedule"]) == ("", 0, {"event": "stop"})


def test_a_job_of_the_hub_runs_by_its_schedule(api: Api, session: str, node: Node) -> None:
    step = {"freezer_action": {"action": "exec", "command": "true"}}
    job_id = api.make(client_id=HUB, job_actions=[step], job_schedule={"status": "stop"})
    api.ask("PUT", f"sessions/{session}/jobs/{job_id}", status=204)
    inside = engine_job(job_id).schedules.get()
    api.ask("DELETE", f"sessions/{session}/jobs/{job_id}", status=204)

    assert (inside.value, inside.enabled) == ("5 minutes", True)
    assert (engine_job(job_id).schedules.count(), api.schedule(job_id)["status"]) == (0, "stop")


def test_runs_of_the_hubs_nodes_start_at_one_tag(
    api: Api, session: str, node: Node, django_capture_on_commit_callbacks: Any
) -> None:
    step = {"freezer_action": {"action": "exec", "command": "true"}}
    jobs = [api.make(client_id=HUB, job_actions=[step], job_schedule={"status": "stop"}) for _ in range(2)]
    for job_id in jobs:
        api.ask("PUT", f"sessions/{session}/jobs/{job_id}", status=204)
    executions = [trigger(engine_job(job_id), actor=operator("test"))[0] for job_id in jobs]
    with django_capture_on_commit_callbacks(execute=True):
        for execution in executions:
            execution.move(State.RUNNING, lease_until=timezone.now(), started_at=timezone.now(), attempt=1)
    while_they_run = api.get(f"sessions/{session}")
    with django_capture_on_commit_callbacks(execute=True):
        executions[0].move(State.SUCCEEDED)
        executions[1].move(State.FAILED)
    after = api.get(f"sessions/{session}")

    assert (while_they_run["session_tag"], while_they_run["status"]) == (1, "running")
    assert [api.get(f"jobs/{job_id}")["session_tag"] for job_id in jobs] == [1, 1]
    assert (after["session_tag"], after["status"], after["result"]) == (1, "completed", "fail")
    assert [entry["result"] for entry in after["jobs"].values()] == ["success", "fail"]


@pytest.mark.parametrize(
    ("body", "status", "description"),
    [
        ({"jump": {}}, 405, "Bad Action Method"),
        ({}, 400, "Bad action request format"),
        ({"start": None}, 400, "wanted a job_id and a current_tag"),
        ({"start": {"job_id": "x", "current_tag": "1"}}, 400, "wanted a job_id and a current_tag"),
        ({"start": {"job_id": "x", "current_tag": 0}}, 400, "the session has no job x"),
        ({"start": {"job_id": "x", "current_tag": 9}}, 400, "requested tag value too high. Session Tag: 0 Job Tag: 9"),
    ],
)
def test_what_is_no_start(api: Api, session: str, body: Any, status: int, description: str) -> None:
    assert api.post(f"sessions/{session}/action", body, status)["description"] == description
    assert VendorDocument.objects.get(kind="session").version == 1


def test_unknown_ones(api: Api, session: str) -> None:
    assert api.ask("GET", "sessions/none").status_code == 404
    assert api.ask("PATCH", "sessions/none", {"description": "x"}).status_code == 404
    assert api.ask("PUT", "sessions/none/jobs/none").status_code == 400
    assert api.ask("PUT", f"sessions/{session}/jobs/none").status_code == 400
    assert api.ask("POST", "sessions", {"session_id": session, "schedule": {}}).status_code == 409


def test_it_is_replaced_with_its_jobs(api: Api, session: str, job_id: str) -> None:
    api.post(f"sessions/{session}", {"schedule": {}, "description": "new"})

    assert list(api.get(f"sessions/{session}")["jobs"]) == [job_id]
    assert [one["description"] for one in api.get("sessions")["sessions"]] == ["new"]

"""What schedulers tell of runs: each is an execution, however often and however late it is told."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine.members import set_user
from jobs.engine.report import fail_silent_nodes
from jobs.engine.rights import Actor
from jobs.models import AuditEvent, Job, Node, User
from tests.vendors.freezer.conftest import Api, Scheduler, runs_of, states_of
from vendors.freezer.nodes import learnt


@pytest.fixture
def job_id(api: Api, scheduler: Scheduler) -> str:
    return api.make()


@pytest.mark.parametrize(
    ("result", "state", "message"),
    [
        ("success", "succeeded", ""),
        ("fail", "failed", "an action failed on shop: its scheduler's log says which"),
        ("aborted", "aborted", "aborted on shop"),
    ],
)
def test_a_run_is_an_execution(scheduler: Scheduler, job_id: str, result: str, state: str, message: str) -> None:
    began = scheduler.begin(job_id)
    while_it_runs = states_of(job_id)
    scheduler.finish(job_id, began, result)
    (run,) = runs_of(job_id)

    assert (while_it_runs, run.state, run.message) == (["running"], state, message)
    assert (run.node, run.place, run.requested_by, run.kind) == ("shop", "remote", "alice", "backup")
    assert run.started_at and run.finished_at
    assert [int(at.timestamp()) for at in (run.started_at, run.finished_at)] == [began, began + 1]


def test_the_queued_one_is_taken(api: Api, scheduler: Scheduler, job_id: str) -> None:
    api.event(job_id, "start")
    (queued,) = runs_of(job_id)
    scheduler.begin(job_id)

    assert [(run.pk, run.state) for run in runs_of(job_id)] == [(queued.pk, "running")]


def test_replays_change_nothing(api: Api, scheduler: Scheduler, job_id: str) -> None:
    began = scheduler.begin(job_id)
    scheduler.begin(job_id, began)
    scheduler.finish(job_id, began)
    before, events = runs_of(job_id)[0].version, AuditEvent.objects.count()
    scheduler.finish(job_id, began)
    scheduler.begin(job_id, began)

    assert (states_of(job_id), runs_of(job_id)[0].version) == (["succeeded"], before)
    assert AuditEvent.objects.count() == events


def test_each_run_of_a_job_with_times_is_one(scheduler: Scheduler, job_id: str) -> None:
    first = scheduler.begin(job_id, int(time.time()) - 100)
    scheduler.finish(job_id, first, status="scheduled")
    second = scheduler.begin(job_id)
    scheduler.finish(job_id, second, "fail", status="scheduled")

    assert states_of(job_id) == ["succeeded", "failed"]


def test_a_run_that_was_never_told_of_before_its_end(scheduler: Scheduler, job_id: str) -> None:
    scheduler.finish(job_id, int(time.time()))

    assert states_of(job_id) == ["succeeded"]


def test_what_somebody_wanted_aborted_may_end_well(api: Api, scheduler: Scheduler, job_id: str) -> None:
    began = scheduler.begin(job_id)
    api.event(job_id, "abort")
    scheduler.poll()
    scheduler.finish(job_id, began)

    assert states_of(job_id) == ["succeeded"]


def test_it_edits_no_job(api: Api, scheduler: Scheduler, job_id: str) -> None:
    before = Job.objects.get(key=job_id).version
    scheduler.begin(job_id)

    assert Job.objects.get(key=job_id).version == before
    assert not AuditEvent.objects.filter(deed="edit").exists()


@pytest.mark.parametrize("at", [0, -1, -(10**12), 10**15, 2**63 - 1])
def test_a_time_that_is_none_is_no_run(api: Api, job_id: str, at: int) -> None:
    schedule = {"status": "running", "time_started": at, "time_ended": -1}
    api.ask("PATCH", f"jobs/{job_id}", {"job_schedule": schedule}, status=200)

    assert (states_of(job_id), api.schedule(job_id)["time_started"]) == ([], at)


def test_members_report_and_readers_do_not(api_of: Any, job_id: str, bob: User, rita: User) -> None:
    body = {"job_schedule": {"status": "running", "time_started": 1_700_000_000}}

    assert api_of(rita).ask("PATCH", f"jobs/{job_id}", body).status_code == 403
    assert states_of(job_id) == []
    assert api_of(bob).ask("PATCH", f"jobs/{job_id}", body).status_code == 200


def test_a_service_reports_for_all_projects_and_edits_in_none(
    api: Api, client_of: Any, job_id: str, charlie: User, op: Actor
) -> None:
    from tests.vendors.conftest import basic

    set_user(charlie, actor=op, is_service=True)
    service = Api(type(api.client)(HTTP_AUTHORIZATION=basic("charlie")))
    body = {"job_schedule": {"status": "running", "time_started": 1_700_000_000}}

    assert [one["job_id"] for one in service.get("jobs")["jobs"]] == [job_id]
    assert service.ask("PATCH", f"jobs/{job_id}", body).status_code == 200
    assert service.ask("PATCH", f"jobs/{job_id}", {"description": "mine"}).status_code == 403


# -- nodes that fall silent --------------------------------------------------------------------------------------------
def test_a_client_silent_for_ten_intervals_loses_its_run(api: Api, scheduler: Scheduler, job_id: str) -> None:
    scheduler.poll()
    scheduler.begin(job_id)
    Node.objects.filter(name="shop").update(seen_at=timezone.now() - timedelta(seconds=599), interval_s=60)
    fail_silent_nodes()
    before = states_of(job_id)
    Node.objects.filter(name="shop").update(seen_at=timezone.now() - timedelta(seconds=601))
    fail_silent_nodes()

    assert (before, states_of(job_id)) == (["running"], ["failed"])
    assert runs_of(job_id)[0].message.startswith("node lost: shop")


def test_a_poll_keeps_it_alive(scheduler: Scheduler, job_id: str) -> None:
    scheduler.poll()
    Node.objects.filter(name="shop").update(seen_at=timezone.now() - timedelta(seconds=601))
    scheduler.poll()
    scheduler.begin(job_id)
    fail_silent_nodes()

    assert states_of(job_id) == ["running"]


@pytest.mark.parametrize(
    ("interval_s", "silent_s", "then_s"),
    [(60, 60, 60), (60, 59.5, 60), (60, 90, 90), (60, 0.1, 48), (60, 601, 60), (1, 0.5, 1), (3600, 5000, 3600)],
)
def test_how_often_it_asks_is_learnt(interval_s: int, silent_s: float, then_s: int) -> None:
    assert learnt(interval_s, timedelta(seconds=silent_s)) == then_s


def test_a_stranger_makes_no_nodes(api: Api) -> None:
    Scheduler(api, "nobody-there").poll()

    assert not Node.objects.filter(name="nobody-there").exists()

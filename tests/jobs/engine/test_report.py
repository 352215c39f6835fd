"""Nodes that poll by themselves: their reports become executions."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine import aborts
from jobs.engine.nodes import SILENT_INTERVALS
from jobs.engine.report import fail_silent_nodes, register_node, report
from jobs.engine.rights import Actor, actor_for
from jobs.engine.trigger import trigger
from jobs.engine.waiting import waiting_for
from jobs.errors import Invalid, NotFound
from jobs.models import Job, JobExecution, Node, Place, User
from jobs.states import State
from jobs.worker.claim import Worker, claim
from tests.conftest import MakeJob


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("remote/backup")


def tell(job: Job, actor: Actor, state: State, ref: str = "run-1", **told: Any) -> JobExecution:
    return report(job, actor=actor, remote_ref=ref, node="shop", state=state, **told)


def queued(job: Job, actor: Actor) -> JobExecution:
    return trigger(job, actor=actor, place=Place.REMOTE)[0]


# -- it works ----------------------------------------------------------------------------------------------------------
def test_a_report_is_adopted_by_the_queued_execution(job: Job, op: Actor) -> None:
    waiting = queued(job, op)
    assert tell(job, op, State.RUNNING).pk == waiting.pk
    done = tell(job, op, State.SUCCEEDED, message="2 files", records=2)
    assert (done.pk, done.state, done.message, done.records, done.node) == (
        waiting.pk,
        "succeeded",
        "2 files",
        2,
        "shop",
    )


def test_a_report_of_an_unknown_run_makes_one(job: Job, op: Actor) -> None:
    done = tell(job, op, State.FAILED, message="no space", errors=["no space"], exit_code=2)
    assert (done.place, done.state, done.exit_code, done.attempt) == ("remote", "failed", 2, 1)


def test_a_node_may_say_when_it_was(job: Job, op: Actor) -> None:
    start = timezone.now() - timedelta(hours=2)
    end = start + timedelta(minutes=5)
    done = tell(job, op, State.SUCCEEDED, started_at=start, finished_at=end)
    done.refresh_from_db()
    assert (done.started_at, done.finished_at) == (start, end)


def test_replays_change_nothing(job: Job, op: Actor) -> None:
    first = tell(job, op, State.SUCCEEDED, message="first")
    for state in (State.RUNNING, State.FAILED, State.SUCCEEDED):
        tell(job, op, state, message="again")
    rows = JobExecution.objects.values_list("pk", "state", "message")
    assert list(rows) == [(first.pk, "succeeded", "first")]


def test_two_runs_of_a_node_are_two_executions(job: Job, op: Actor) -> None:
    tell(job, op, State.RUNNING, "run-1")
    tell(job, op, State.RUNNING, "run-2")
    assert JobExecution.objects.count() == 2


def test_the_end_of_a_remote_run_frees_who_waits_for_it(job: Job, op: Actor, make_job: MakeJob) -> None:
    waiting = queued(job, op)
    after, _ = trigger(make_job("after"), actor=op, after=[waiting])
    tell(job, op, State.SUCCEEDED)
    after.refresh_from_db()
    assert after.n_blocks == 0


def test_an_abort_of_a_remote_run_waits_for_its_node(job: Job, op: Actor) -> None:
    run = tell(job, op, State.RUNNING)
    aborts.abort(run, actor=op)
    assert run.state == State.ABORTING
    assert tell(job, op, State.ABORTED).state == State.ABORTED


def test_no_worker_of_the_hub_takes_it(job: Job, op: Actor) -> None:
    queued(job, op)
    assert claim(Worker("here")) is None


def test_it_says_that_it_waits_for_its_node(job: Job, op: Actor) -> None:
    waiting = queued(job, op)
    assert waiting_for([waiting])[waiting.pk][0]["kind"] == "node"


# -- silence -----------------------------------------------------------------------------------------------------------
def test_a_node_silent_for_ten_intervals_loses_its_run(job: Job, op: Actor) -> None:
    run = tell(job, op, State.RUNNING)
    register_node("shop", interval_s=60)
    Node.objects.update(seen_at=timezone.now() - timedelta(seconds=60 * SILENT_INTERVALS + 1))
    fail_silent_nodes()
    run.refresh_from_db()
    assert (run.state, run.message[:9]) == ("failed", "node lost")


def test_a_node_that_still_reports_keeps_its_run(job: Job, op: Actor) -> None:
    run = tell(job, op, State.RUNNING)
    register_node("shop", interval_s=60)
    fail_silent_nodes()
    run.refresh_from_db()
    assert run.state == State.RUNNING


# -- who may, and what is refused --------------------------------------------------------------------------------------
def test_a_stranger_may_not_report(job: Job, charlie: User) -> None:
    with pytest.raises(NotFound):
        tell(job, actor_for(charlie, face="test"), State.RUNNING)


@pytest.mark.parametrize("state", [State.QUEUED, State.PAUSED, State.ABORTING])
def test_a_node_reports_runs_and_ends_only(job: Job, op: Actor, state: State) -> None:
    with pytest.raises(Invalid):
        tell(job, op, state)

"""Jobs that a node does by itself: what it is asked, and when."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import signals
from jobs.engine import aborts, verbs
from jobs.engine.define import define, patch
from jobs.engine.planner import start_due
from jobs.engine.remote import ask_due
from jobs.engine.report import register_node, report
from jobs.engine.rights import Actor
from jobs.engine.schedules import set_schedules
from jobs.engine.trigger import trigger
from jobs.errors import Conflict, Invalid
from jobs.models import Job, JobExecution, Node, Place
from jobs.states import State
from tests.conftest import NOOP, MakeJob


@pytest.fixture
def job(op: Actor) -> Job:
    return define({"name": "remote/backup", "kind": "backup"}, actor=op, place=Place.REMOTE)[0]


@pytest.fixture
def asked() -> Iterator[list[tuple[str, str]]]:
    """(what, state) of what the nodes were asked."""
    heard: list[tuple[str, str]] = []

    def hear(execution: JobExecution, ask: str, **_: Any) -> None:
        heard.append((ask, execution.state))

    signals.remote_asked.connect(hear)
    yield heard
    signals.remote_asked.disconnect(hear)


# -- the job -----------------------------------------------------------------------------------------------------------
def test_it_has_no_actions_here(job: Job, op: Actor) -> None:
    with pytest.raises(Invalid, match="actions"):
        patch(job, {"actions": [NOOP]}, actor=op)
    with pytest.raises(Invalid, match="actions"):
        define({"name": "here", "actions": []}, actor=op)


def test_an_edit_leaves_it_there(job: Job, op: Actor) -> None:
    job = patch(job, {"description": "new"}, actor=op)

    assert (job.place, job.description) == (Place.REMOTE, "new")


def test_it_can_be_brought_here(job: Job, op: Actor) -> None:
    document = {"name": job.name, "actions": [NOOP]}

    assert define(document, actor=op, job=job, place=Place.HUB)[0].place == Place.HUB


# -- its runs ----------------------------------------------------------------------------------------------------------
def test_a_trigger_asks_its_node(job: Job, op: Actor, asked: list[Any]) -> None:
    execution, _ = trigger(job, actor=op)

    assert (execution.place, execution.state, execution.asked_at is not None) == (Place.REMOTE, "queued", True)
    assert asked == [("start", "queued")]


def test_nobody_is_asked_for_a_run_of_the_hub(make_job: MakeJob, op: Actor, asked: list[Any]) -> None:
    execution, _ = trigger(make_job(), actor=op)
    aborts.abort(execution, actor=op)

    assert asked == []


def test_its_node_is_asked_when_the_time_has_come(job: Job, op: Actor, asked: list[Any]) -> None:
    execution, _ = trigger(job, actor=op, run_at=timezone.now() + timedelta(hours=1))
    ask_due()
    before = list(asked)
    JobExecution.objects.filter(pk=execution.pk).update(run_at=timezone.now() - timedelta(seconds=1))
    ask_due()
    ask_due()

    assert (before, asked) == ([], [("start", "queued")])


def test_its_node_is_asked_when_nothing_blocks_it_any_more(
    job: Job, make_job: MakeJob, op: Actor, asked: list[Any]
) -> None:
    first, _ = trigger(make_job(), actor=op)
    trigger(job, actor=op, after=[first])
    ask_due()
    before = list(asked)
    JobExecution.objects.filter(job=job).update(n_blocks=0)
    ask_due()

    assert (before, asked) == ([], [("start", "queued")])


def test_a_run_that_nobody_was_asked_for_is_adopted_by_no_report(job: Job, op: Actor) -> None:
    later, _ = trigger(job, actor=op, run_at=timezone.now() + timedelta(hours=1))
    told = report(job, actor=op, remote_ref="1", node="shop", state=State.RUNNING)

    assert told.pk != later.pk


def test_an_abort_before_its_start_takes_the_word_back(job: Job, op: Actor, asked: list[Any]) -> None:
    execution, _ = trigger(job, actor=op)
    aborts.abort(execution, actor=op)

    assert (execution.state, asked[1:]) == ("aborted", [("withdraw", "aborted")])


def test_an_abort_of_what_it_runs_asks_its_node(job: Job, op: Actor, asked: list[Any]) -> None:
    trigger(job, actor=op)
    execution = report(job, actor=op, remote_ref="1", node="shop", state=State.RUNNING)
    aborts.abort(execution, actor=op)

    assert (execution.state, asked[1:]) == ("aborting", [("abort", "aborting")])


def test_an_abort_reaches_a_node_that_nobody_had_asked(job: Job, op: Actor, asked: list[Any]) -> None:
    execution = report(job, actor=op, remote_ref="1", node="shop", state=State.RUNNING)
    aborts.abort(execution, actor=op)

    assert asked == [("abort", "aborting")]


def test_a_node_may_abort_by_itself(job: Job, op: Actor) -> None:
    report(job, actor=op, remote_ref="1", node="shop", state=State.RUNNING)
    execution = report(job, actor=op, remote_ref="1", node="shop", state=State.ABORTED)

    assert (execution.state, execution.abort_requested_by) == ("aborted", "shop")


def test_what_runs_of_a_deleted_job_ends_with_it(job: Job, op: Actor) -> None:
    execution = report(job, actor=op, remote_ref="1", node="shop", state=State.RUNNING)
    verbs.delete_job(job, actor=op)
    execution.refresh_from_db()

    assert (execution.state, execution.job) == ("aborted", None)


def test_its_schedule_asks_its_node_and_waits_until_that_has_begun(job: Job, op: Actor, asked: list[Any]) -> None:
    schedule = set_schedules(job, [{"interval": "1h", "catch_up": "skip"}], actor=op)[0]
    first_at = schedule.next_at
    assert first_at is not None
    for number in range(4):
        start_due(first_at + number * timedelta(hours=1))
        if number == 1:
            report(job, actor=op, remote_ref="1", node="shop", state=State.RUNNING)
            report(job, actor=op, remote_ref="1", node="shop", state=State.SUCCEEDED)

    slots = JobExecution.objects.order_by("pk").values_list("slot_at", "state")
    assert list(slots) == [(first_at, "succeeded"), (first_at + timedelta(hours=2), "queued")]
    assert asked == [("start", "queued"), ("start", "queued")]
    assert [fate.slot_at for fate in schedule.fates.order_by("slot_at")] == [
        first_at + timedelta(hours=1),
        first_at + timedelta(hours=3),
    ]


# -- its node ----------------------------------------------------------------------------------------------------------
def test_a_node_of_the_hub_polls_for_nobody(db: None) -> None:
    Node.objects.create(name="hub-1", workers=2)
    with pytest.raises(Conflict, match="hub-1"):
        register_node("hub-1", interval_s=60)

    assert Node.objects.get().interval_s == 0

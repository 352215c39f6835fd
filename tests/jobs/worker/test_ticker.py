"""The ticker: rescues, holds that end, wake-ups, and duties of one."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from jobs.engine import verbs
from jobs.engine.rights import operator
from jobs.errors import IllegalMove
from jobs.models import ActionExecution, AuditEvent, Dependency, Job, JobExecution, Leader
from jobs.states import State
from jobs.worker.report import WorkerContext, workdir_of
from jobs.worker.ticker import Ticker, recount_blocked, release_holds, repeat_wake, rescue, take
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.puppets import at_once

OPERATOR = operator("test")
PAST = timezone.now() - timedelta(seconds=5)
Lost = Callable[..., JobExecution]


@pytest.fixture
def lost(make_job: MakeJob, make_execution: MakeExecution) -> Lost:
    """`lost(on_lost, state, **fields)`: one whose worker has not renewed its lease."""

    def make(on_lost: str = "rerun", state: State = State.RUNNING, **fields: Any) -> JobExecution:
        return make_execution(make_job(on_lost=on_lost), state, **{"lease_until": PAST, **fields})

    return make


def rescued(execution: JobExecution) -> JobExecution:
    rescue()
    execution.refresh_from_db()
    return execution


# -- rescues ---------------------------------------------------------------------------------------------------
def test_lost_work_that_may_run_again_is_queued(lost: Lost) -> None:
    execution = rescued(lost("rerun"))
    assert (execution.state, execution.n_lost, execution.lease_until) == (State.QUEUED, 1, None)


def test_lost_work_that_must_not_run_again_has_failed(lost: Lost) -> None:
    execution = rescued(lost("fail"))
    assert (execution.state, execution.errors[0].startswith("worker lost: node-1")) == (State.FAILED, True)


def test_lost_work_waits_before_it_runs_again(lost: Lost) -> None:
    assert rescued(lost("rerun")).run_at > timezone.now()


def test_lost_work_that_was_aborted_is_aborted(lost: Lost) -> None:
    execution = rescued(lost("rerun", State.ABORTING, abort_requested_by="alice"))
    assert (execution.state, execution.message) == (State.ABORTED, "aborted by alice; worker lost")


def test_work_that_is_lost_for_the_third_time_has_failed(lost: Lost) -> None:
    assert rescued(lost("rerun", n_lost=2)).state == State.FAILED


def test_lost_work_keeps_its_place_and_checkpoint(lost: Lost) -> None:
    execution = rescued(lost("rerun", position=2, checkpoint={"n": 1}))
    assert (execution.position, execution.checkpoint) == (2, {"n": 1})


def test_the_lines_of_a_lost_attempt_are_closed(lost: Lost) -> None:
    execution = lost("rerun")
    ActionExecution.objects.create(execution=execution, position=0, attempt=1, key="k", runner="puppet")
    line = rescued(execution).steps.get()
    assert (line.state, line.finished_at is not None) == (State.FAILED, True)


def test_a_lease_that_lasts_is_left_alone(lost: Lost) -> None:
    execution = lost("rerun", lease_until=timezone.now() + timedelta(seconds=30))
    assert rescued(execution).state == State.RUNNING


def test_a_remote_run_is_not_rescued_by_its_lease(lost: Lost) -> None:
    assert rescued(lost("rerun", place="remote")).state == State.RUNNING


def test_who_waits_for_lost_work_is_told_when_it_fails(lost: Lost, make_execution: MakeExecution) -> None:
    execution, waiting = lost("fail"), make_execution(n_blocks=1)
    Dependency.objects.create(execution=waiting, after=execution)
    rescue()
    waiting.refresh_from_db()
    assert waiting.state == State.ABORTED


def test_lost_work_of_a_held_job_waits_for_the_release(lost: Lost) -> None:
    execution = lost("rerun")
    verbs.hold(execution.job, actor=OPERATOR)
    assert rescued(execution).n_blocks == 1


def test_a_worker_that_renews_just_before_the_rescue_keeps_its_run(lost: Lost) -> None:
    execution = lost("rerun")
    WorkerContext(execution).renew()
    assert rescued(execution).state == State.RUNNING


def test_a_worker_that_ends_just_before_the_rescue_has_ended(lost: Lost) -> None:
    execution = lost("rerun")
    WorkerContext(execution).end(State.SUCCEEDED)
    assert rescued(execution).state == State.SUCCEEDED


def test_a_lost_worker_cannot_end_what_was_rescued(lost: Lost) -> None:
    execution = lost("rerun")
    late = WorkerContext(JobExecution.objects.get(pk=execution.pk))
    rescue()
    with pytest.raises(IllegalMove):
        late.end(State.SUCCEEDED)


def test_one_bad_row_does_not_stop_the_others(lost: Lost) -> None:
    bad = lost("rerun", lease_until=PAST - timedelta(seconds=60))
    JobExecution.objects.filter(pk=bad.pk).update(plan={})
    assert rescued(lost("rerun")).state == State.QUEUED


def test_the_folder_of_a_lost_run_is_removed(lost: Lost, settings: Any, tmp_path: Path) -> None:
    settings.HUB_DIR = tmp_path
    execution = lost("rerun", node=settings.NODE)
    workdir_of(execution).mkdir(parents=True)
    rescue()
    assert not workdir_of(execution).exists()


@pytest.mark.django_db(transaction=True)
def test_two_tickers_rescue_once(lost: Lost) -> None:
    execution = lost("rerun")
    at_once(4, lambda number: rescue())
    execution.refresh_from_db()
    assert (execution.state, execution.n_lost) == (State.QUEUED, 1)


# -- holds -----------------------------------------------------------------------------------------------------
def test_a_hold_ends_when_its_time_is_over(make_job: MakeJob, make_execution: MakeExecution) -> None:
    execution = make_execution(make_job("held"))
    verbs.hold(execution.job, actor=OPERATOR, until=timezone.now() + timedelta(hours=1))
    Job.objects.update(hold_until=PAST)
    release_holds()
    execution.refresh_from_db()
    assert (Job.objects.get().is_held, execution.n_blocks) == (False, 0)


def test_a_hold_without_an_end_goes_on(make_job: MakeJob) -> None:
    verbs.hold(make_job(), actor=OPERATOR)
    release_holds()
    assert Job.objects.get().is_held


def test_a_hold_that_was_prolonged_meanwhile_goes_on(make_job: MakeJob) -> None:
    job = make_job()
    verbs.hold(job, actor=OPERATOR, until=timezone.now() + timedelta(hours=1))
    verbs.release(job, actor=OPERATOR, only_if_over=True)
    assert Job.objects.get().is_held


# -- counts ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("wrong", [1, 7])
def test_a_wrong_count_is_mended(make_execution: MakeExecution, wrong: int) -> None:
    execution = make_execution(n_blocks=wrong)
    recount_blocked()
    execution.refresh_from_db()
    assert execution.n_blocks == 0


def test_a_right_count_stays(make_execution: MakeExecution, make_job: MakeJob) -> None:
    waiting = make_execution(make_job("held"), n_blocks=1)
    Dependency.objects.create(execution=waiting, after=make_execution())
    verbs.hold(waiting.job, actor=OPERATOR)
    recount_blocked()
    waiting.refresh_from_db()
    assert waiting.n_blocks == 2


def test_many_right_counts_cost_one_query(make_execution: MakeExecution) -> None:
    predecessor = make_execution()
    for _ in range(5):
        Dependency.objects.create(execution=make_execution(n_blocks=1), after=predecessor)
    with CaptureQueriesContext(connection) as queries:
        recount_blocked()
    assert len(queries) == 1


# -- wake-ups --------------------------------------------------------------------------------------------------
def test_due_work_wakes_the_workers(make_execution: MakeExecution) -> None:
    make_execution()
    repeat_wake()
    assert OrmQ.objects.count() == 1


def test_no_due_work_wakes_nobody(make_execution: MakeExecution) -> None:
    make_execution(run_at=timezone.now() + timedelta(minutes=1))
    repeat_wake()
    assert not OrmQ.objects.exists()


def test_work_pinned_to_a_node_wakes_though_another_node_keeps_the_clock(
    make_job: MakeJob, make_execution: MakeExecution, settings: Any
) -> None:
    Ticker().tick()
    OrmQ.objects.all().delete()
    settings.NODE = "south"
    make_execution(make_job(node="south"))
    Ticker().tick()
    assert OrmQ.objects.count() == 1


# -- duties ----------------------------------------------------------------------------------------------------
def test_a_duty_is_taken_once(db: None) -> None:
    assert [take("watch", holder, 60) for holder in ("a", "b", "a")] == [True, False, True]


def test_a_duty_is_free_when_its_time_is_over(db: None) -> None:
    take("watch", "a", 60)
    Leader.objects.update(until=PAST)
    assert take("watch", "b", 60)


def test_who_leaves_lets_another_take_over(db: None) -> None:
    first, second = Ticker(), Ticker()
    first.tick()
    first.leave()
    assert take("ticker", second.id, 60)


def test_a_duty_is_free_when_its_time_is_longer_than_it_may_be(db: None) -> None:
    take("watch", "a", 60)
    Leader.objects.update(until=timezone.now() + timedelta(hours=1))
    assert [take("watch", "b", 60), take("watch", "a", 60)] == [True, False]


def test_who_follows_takes_over_with_the_first_turn_after_the_term(db: None) -> None:
    first, second = Ticker(), Ticker()
    first.tick()
    second.tick()
    Leader.objects.update(until=PAST)
    second.tick()
    assert Leader.objects.get().holder == second.id


def test_who_is_alone_does_not_wait_for_the_end_of_a_term(db: None) -> None:
    Ticker().tick()
    successor = Ticker()
    successor.succeed()
    successor.tick()
    assert Leader.objects.get().holder == successor.id


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_takes_a_duty() -> None:
    assert sorted(at_once(6, lambda number: take("watch", str(number), 60))) == [False] * 5 + [True]  # type: ignore[type-var]


def test_one_ticker_works_at_a_time(lost: Lost) -> None:
    Ticker().tick()
    execution = lost("rerun")
    Ticker().tick()
    execution.refresh_from_db()
    assert execution.state == State.RUNNING


def test_one_bad_chore_does_not_stop_the_others(lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("jobs.worker.ticker.fail_silent_nodes", broken)
    monkeypatch.setattr("jobs.worker.ticker.repeat_wake", broken)
    execution = lost("rerun")
    Ticker().tick()
    execution.refresh_from_db()
    assert execution.state == State.QUEUED


def test_the_tickers_deeds_are_audited(make_job: MakeJob) -> None:
    verbs.hold(make_job(), actor=OPERATOR, until=timezone.now() + timedelta(hours=1))
    Job.objects.update(hold_until=PAST)
    release_holds()
    assert AuditEvent.objects.filter(deed="release", face="ticker").count() == 1

"""The keeper of the lease: renews, listens, survives, and leaves with what is stuck."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone

from jobs.engine import aborts, verbs
from jobs.engine.rights import operator
from jobs.models import Job, JobExecution, Output
from jobs.runners.context import Context, Stop
from jobs.states import State
from jobs.worker import lease
from jobs.worker.drain import drain
from jobs.worker.flags import FLAGS
from jobs.worker.report import WorkerContext
from jobs.worker.ticker import rescue
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.conftest import Action
from tests.jobs.puppets import listen
from tests.waiting import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fast_beats")]
OPERATOR = operator("test")
PAST = timedelta(seconds=-5)
Deed = Callable[[JobExecution], object]


@pytest.fixture(autouse=True)
def no_drain() -> Iterator[None]:
    """The flags are the process's own: they are lowered again."""
    yield
    FLAGS._drain_until.value = 0.0


@pytest.fixture
def disturbed(make_job: MakeJob, queued: Callable[..., JobExecution]) -> Callable[..., JobExecution]:
    """`disturbed(deed, action, …, **fields)`: the execution after a worker's turn, to which something was done while
    it ran."""

    def run(deed: Deed, *actions: dict[str, Any], **fields: Any) -> JobExecution:
        execution = queued(make_job(actions=list(actions), **fields))

        def disturb() -> None:
            try:
                eventually(lambda: JobExecution.objects.filter(pk=execution.pk, state=State.RUNNING).exists())
                deed(JobExecution.objects.get(pk=execution.pk))
            finally:
                connections.close_all()

        thread = threading.Thread(target=disturb)
        thread.start()
        drain()
        thread.join()
        execution.refresh_from_db()
        return execution

    return run


def abort(execution: JobExecution) -> None:
    aborts.abort(execution, actor=OPERATOR)


def pause(execution: JobExecution) -> None:
    verbs.pause(execution, actor=OPERATOR)


def take_away(execution: JobExecution) -> None:
    """As the ticker does once the lease is over."""
    JobExecution.objects.filter(pk=execution.pk).update(lease_until=timezone.now() + PAST)
    rescue()


def shut_down(execution: JobExecution) -> None:
    FLAGS.drain(time.monotonic())


# -- what it hears ---------------------------------------------------------------------------------------------
def test_it_stops_a_run_that_is_aborted(disturbed: Any, action: Action) -> None:
    execution = disturbed(abort, action(listen))
    assert (execution.state, execution.message) == (State.ABORTED, "aborted by operator")


def test_an_abort_skips_the_steps_that_follow(disturbed: Any, action: Action) -> None:
    execution = disturbed(abort, action(listen), action(), action(mandatory=True))
    assert execution.steps.count() == 1


def test_an_abort_of_a_run_with_retries_is_no_failure(disturbed: Any, action: Action) -> None:
    assert disturbed(abort, action(listen, retries=3), retries=3).state == State.ABORTED


def test_an_abort_ends_the_wait_for_the_next_try(disturbed: Any, action: Action) -> None:
    def fail(context: Context) -> None:
        raise ValueError("no")

    execution = disturbed(abort, action(fail, retries=9))
    assert (execution.state, execution.steps.get().n_tries) == (State.ABORTED, 1)


def test_who_finishes_before_it_notices_the_abort_has_succeeded(disturbed: Any, action: Action) -> None:
    def deaf(context: Context) -> None:
        eventually(context.should_stop)

    assert disturbed(abort, action(deaf)).state == State.SUCCEEDED


def test_who_is_deaf_to_the_abort_does_not_begin_the_next_step(disturbed: Any, action: Action) -> None:
    def deaf(context: Context) -> None:
        eventually(context.should_stop)

    execution = disturbed(abort, action(deaf), action())
    assert (execution.state, list(execution.steps.values_list("state", flat=True))) == (
        State.ABORTED,
        [State.SUCCEEDED, State.ABORTED],
    )


def test_it_stops_a_run_whose_job_is_deleted(disturbed: Any, action: Action) -> None:
    execution = disturbed(lambda one: verbs.delete_job(one.job, actor=OPERATOR), action(listen), retries=3)
    assert (execution.state, execution.job_id) == (State.ABORTED, None)


def test_a_run_that_fails_when_its_job_is_deleted_is_aborted(disturbed: Any, action: Action) -> None:
    def fail(context: Context) -> None:
        eventually(context.should_stop)
        raise ValueError("no")

    execution = disturbed(lambda one: verbs.delete_job(one.job, actor=OPERATOR), action(fail), retries=3)
    assert execution.state == State.ABORTED


# -- pauses ----------------------------------------------------------------------------------------------------
def count_to_three(context: Context) -> None:
    """Saves how far it is when it is told to pause; once resumed, it ends."""
    if context.saved:
        return
    eventually(context.should_stop)
    context.checkpoint({"n": 2})
    context.raise_if_stopped()


def test_a_pause_saves_the_checkpoint_and_leaves_the_worker(disturbed: Any, action: Action) -> None:
    execution = disturbed(pause, action(count_to_three, can_pause=True))
    told = (execution.state, execution.checkpoint, execution.lease_until, execution.message)
    assert told == (State.PAUSED, {"n": 2}, None, "paused")


def test_the_line_of_a_paused_step_says_so(disturbed: Any, action: Action) -> None:
    execution = disturbed(pause, action(count_to_three, can_pause=True))
    assert execution.steps.get().state == State.PAUSED


def test_a_paused_run_goes_on_from_its_checkpoint(disturbed: Any, action: Action) -> None:
    execution = disturbed(pause, action(count_to_three, can_pause=True))
    verbs.resume(execution, actor=OPERATOR)
    drain()
    execution.refresh_from_db()
    assert (execution.state, execution.attempt) == (State.SUCCEEDED, 2)


def test_a_pause_that_comes_while_a_step_cannot_is_made_after_it(disturbed: Any, action: Action) -> None:
    def other(context: Context) -> None:
        eventually(lambda: context._pause_is_asked)  # type: ignore[attr-defined]

    def ask(execution: JobExecution) -> None:
        JobExecution.objects.filter(pk=execution.pk).update(pause_requested_at=timezone.now())

    execution = disturbed(ask, action(other), action())
    assert (execution.state, execution.position) == (State.PAUSED, 1)


def test_an_abort_while_it_pauses_wins(disturbed: Any, action: Action) -> None:
    def slow(context: Context) -> None:
        eventually(context.should_pause)
        abort(JobExecution.objects.get(handle=context.info.handle))
        context.raise_if_stopped()

    assert disturbed(pause, action(slow, can_pause=True)).state == State.ABORTED


def test_who_ends_before_it_notices_the_pause_has_succeeded(disturbed: Any, action: Action) -> None:
    def deaf(context: Context) -> None:
        eventually(context.should_pause)

    assert disturbed(pause, action(deaf, can_pause=True)).state == State.SUCCEEDED


# -- the lease -------------------------------------------------------------------------------------------------
def test_it_renews_the_lease_in_time(make_job: MakeJob, queued: Any, action: Action, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "LEASE_S": 3}
    seen: list[Any] = []

    def work(context: Context) -> None:
        rows = JobExecution.objects.filter(handle=context.info.handle)
        seen.append(rows.get().lease_until)
        eventually(lambda: rows.get().lease_until > seen[0])

    execution = queued(make_job(actions=[action(work)]))
    drain()
    execution.refresh_from_db()
    assert execution.state == State.SUCCEEDED


def test_it_writes_reports_while_the_run_goes_on(make_job: MakeJob, queued: Any, action: Action) -> None:
    def work(context: Context) -> None:
        context.log("hello")
        eventually(Output.objects.exists)

    execution = queued(make_job(actions=[action(work)]))
    drain()
    assert JobExecution.objects.get(pk=execution.pk).state == State.SUCCEEDED


def test_who_lost_its_lease_is_stopped_and_writes_nothing(disturbed: Any, action: Action) -> None:
    def work(context: Context) -> None:
        eventually(lambda: context.stop_reason is Stop.LOST)
        context.log("too late")
        context.progress(99)

    execution = disturbed(take_away, action(work, on_lost="fail"))
    told = (execution.state, execution.progress_done, Output.objects.filter(text__contains="too late").exists())
    assert (told, execution.message.startswith("worker lost")) == ((State.FAILED, None, False), True)


def test_the_timeline_keeps_what_the_rescue_wrote(disturbed: Any, action: Action) -> None:
    def work(context: Context) -> None:
        eventually(lambda: context.stop_reason is Stop.LOST)

    execution = disturbed(take_away, action(work, on_lost="fail"))
    assert not execution.steps.filter(state=State.SUCCEEDED).exists()


def away(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    raise OperationalError("the database is away")


def test_a_worker_that_cannot_renew_stops_itself(make_execution: MakeExecution) -> None:
    context = WorkerContext(make_execution(state=State.RUNNING))
    context.renewed_at -= 1000
    with connection.execute_wrapper(away):
        lease.keeper()._beat(context)
    assert context.stop_reason is Stop.LOST


def test_a_worker_that_cannot_renew_yet_goes_on(make_execution: MakeExecution) -> None:
    context = WorkerContext(make_execution(state=State.RUNNING))
    context.renewed_at -= 15
    with connection.execute_wrapper(away):
        lease.keeper()._beat(context)
    assert context.stop_reason is None


def is_renewed(context: WorkerContext, age_s: float) -> bool:
    """By a beat at that age of its lease."""
    context.renewed_at = before = time.monotonic() - age_s
    lease.keeper()._beat(context)
    return context.renewed_at > before


@pytest.mark.parametrize("lease_s", [3, 5, 6, 30])
def test_no_lease_becomes_too_old_between_two_beats(make_execution: MakeExecution, settings: Any, lease_s: int) -> None:
    settings.HUB = {**settings.HUB, "LEASE_S": lease_s}
    context = WorkerContext(make_execution(state=State.RUNNING))
    for tenths in range(10):
        age_s = tenths / 10
        while not is_renewed(context, age_s):
            age_s += lease.BEAT_S
        assert (age_s <= lease_s / 3, context.stop_reason) == (True, None)


def test_a_late_worker_that_nobody_has_replaced_gets_its_lease_again(make_execution: MakeExecution) -> None:
    context = WorkerContext(make_execution(state=State.RUNNING, lease_until=timezone.now() + PAST))
    context.renewed_at -= 1000
    lease.keeper()._beat(context)
    assert context.lease_is_fresh()


# -- it survives -----------------------------------------------------------------------------------------------
def test_it_survives_a_report_that_cannot_be_written(make_execution: MakeExecution) -> None:
    context = WorkerContext(make_execution(state=State.RUNNING))
    context._note(progress_done="many")
    with lease.keeper().hold(context):
        eventually(lambda: context._fields)
    other = WorkerContext(make_execution(state=State.RUNNING))
    other.progress(3)
    with lease.keeper().hold(other):
        eventually(lambda: JobExecution.objects.get(pk=other.execution.pk).progress_done == 3)


def test_a_report_that_cannot_be_written_does_not_cost_the_lease(make_execution: MakeExecution) -> None:
    context = WorkerContext(make_execution(state=State.RUNNING))
    context.renewed_at -= 20
    context._note(progress_done="many")
    before = context.renewed_at
    lease.keeper()._beat(context)
    assert context.renewed_at > before


def test_it_lets_go_of_a_run_that_raises(make_execution: MakeExecution) -> None:
    keeper = lease.keeper()
    with pytest.raises(RuntimeError), keeper.hold(WorkerContext(make_execution(state=State.RUNNING))):
        raise RuntimeError("from within")
    assert keeper._context is None


# -- shutdown --------------------------------------------------------------------------------------------------
def test_a_shutdown_queues_again_what_may_run_again(disturbed: Any, action: Action) -> None:
    execution = disturbed(shut_down, action(listen))
    assert (execution.state, execution.message) == (State.QUEUED, "its worker was stopped; it runs again")


def test_a_shutdown_keeps_the_checkpoint_of_what_runs_again(disturbed: Any, action: Action) -> None:
    execution = disturbed(shut_down, action(count_to_three, can_pause=True))
    assert execution.checkpoint == {"n": 2}


def test_a_shutdown_fails_what_must_not_run_again(disturbed: Any, action: Action) -> None:
    execution = disturbed(shut_down, action(listen, on_lost="fail"))
    assert (execution.state, execution.message) == (State.FAILED, "its worker was stopped before it could end")


def test_nothing_is_claimed_while_a_worker_leaves(make_execution: MakeExecution) -> None:
    execution = make_execution()
    FLAGS.drain(time.monotonic() + 60)
    drain()
    execution.refresh_from_db()
    assert execution.state == State.QUEUED


# -- what is stuck ---------------------------------------------------------------------------------------------
class Left(BaseException):
    """In place of the end of this process."""


def leave(code: int) -> None:
    raise Left(code)


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(lease, "STUCK_S", -1000.0)


def test_a_stuck_inline_run_that_was_aborted_ends_with_its_worker(make_execution: MakeExecution, exits: None) -> None:
    execution = make_execution(state=State.ABORTING)
    context = WorkerContext(execution)
    with lease.keeper().inline(True), pytest.raises(Left):
        lease.keeper()._beat(context)
    execution.refresh_from_db()
    assert (execution.state, "its worker was ended" in execution.message) == (State.ABORTED, True)


def test_a_run_in_a_process_of_its_own_never_ends_its_worker(make_execution: MakeExecution, exits: None) -> None:
    context = WorkerContext(make_execution(state=State.ABORTING))
    with lease.keeper().inline(False):
        lease.keeper()._beat(context)
    assert context.stop_reason is Stop.ABORT


def test_a_run_that_is_asked_to_pause_may_take_its_time(make_execution: MakeExecution, exits: None) -> None:
    context = WorkerContext(make_execution(state=State.RUNNING, pause_requested_at=timezone.now()))
    with context.pausing(True), lease.keeper().inline(True):
        lease.keeper()._beat(context)
    assert context.stop_reason is Stop.PAUSE


def test_held_jobs_go_on_running(disturbed: Any, action: Action) -> None:
    def work(context: Context) -> None:
        eventually(lambda: Job.objects.filter(is_held=True).exists())

    execution = disturbed(lambda one: verbs.hold(one.job, actor=OPERATOR), action(work))
    assert execution.state == State.SUCCEEDED

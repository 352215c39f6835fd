"""Tries, attempts, and limits of time."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import JobExecution
from jobs.runners.context import Context, Stop
from jobs.states import State
from jobs.worker.claim import Worker, claim
from jobs.worker.execute import execute
from tests.conftest import MakeJob
from tests.jobs import puppets
from tests.jobs.conftest import Action, Again, Run
from tests.jobs.puppets import Fails, fail, output_of

pytestmark = pytest.mark.django_db


# -- an action's own retries -----------------------------------------------------------------------------------
def test_an_action_is_tried_again_within_the_attempt(run: Run, action: Action, monkeypatch: Any) -> None:
    monkeypatch.setattr("jobs.worker.execute.LONGEST_DELAY_S", 0)
    execution = run(action(Fails(2), retries=2))
    line = execution.steps.get()
    assert (execution.state, execution.attempt, line.n_tries) == (State.SUCCEEDED, 1, 3)


def test_an_action_that_fails_too_often_fails_the_attempt(run: Run, action: Action, monkeypatch: Any) -> None:
    monkeypatch.setattr("jobs.worker.execute.LONGEST_DELAY_S", 0)
    flaky = Fails(9)
    execution = run(action(flaky, retries=2))
    assert (execution.message, flaky.calls) == ("failure 3", 3)


def test_the_output_tells_of_the_tries(run: Run, action: Action, monkeypatch: Any) -> None:
    monkeypatch.setattr("jobs.worker.execute.LONGEST_DELAY_S", 0)
    execution = run(action(Fails(1), retries=1))
    assert output_of(execution) == "try 1 failed: failure 1; the next one in 0 s\n"


def test_an_action_may_say_how_long_each_delay_is(run: Run, action: Action) -> None:
    execution = run(action(Fails(2), retries=2, retry_delay_s=0))
    assert (execution.state, execution.steps.get().n_tries) == (State.SUCCEEDED, 3)


# -- the job's retries -----------------------------------------------------------------------------------------
def test_a_failed_attempt_is_queued_again_with_its_error(run: Run, action: Action) -> None:
    execution = run(action(Fails(1)), retries=1)
    assert (execution.state, execution.message, execution.n_failed) == (State.QUEUED, "failure 1", 1)


def test_another_attempt_waits_and_twice_as_long_each_time(run: Run, action: Action, again: Again) -> None:
    execution = run(action(Fails(9)), retries=5, retry_delay_s=100)
    first = execution.run_at - timezone.now()
    again(execution)
    second = execution.run_at - timezone.now()
    assert timedelta(seconds=50) < first < timedelta(seconds=110) < second < timedelta(seconds=210)


def test_another_attempt_waits_an_hour_at_most(run: Run, action: Action) -> None:
    execution = run(action(Fails(9)), retries=5, retry_delay_s=86_400)
    assert execution.run_at - timezone.now() <= timedelta(hours=1)


def test_another_attempt_begins_with_the_first_step_and_without_a_checkpoint(
    run: Run, action: Action, again: Again
) -> None:
    seen: list[Any] = []
    flaky = Fails(1)

    def work(context: Context) -> None:
        seen.append(context.saved)
        context.checkpoint("half")
        flaky(context)

    first = Fails(0)
    again(run(action(first), action(work), retries=1))
    assert (first.calls, seen) == (2, [None, None])


def test_an_attempt_that_succeeds_forgets_the_errors_before_it(run: Run, action: Action, again: Again) -> None:
    execution = again(run(action(Fails(1)), retries=1))
    assert (execution.state, execution.errors, execution.message) == (State.SUCCEEDED, [], "")


def test_an_error_of_the_attempt_before_does_not_fail_a_later_step(run: Run, action: Action, again: Again) -> None:
    parts = iter([fail, lambda context: context.stop(Stop.SHUTDOWN), puppets.nothing])

    def work(context: Context) -> None:
        next(parts)(context)
        context.raise_if_stopped()

    execution = again(run(action(), action(work), retries=1))
    assert (execution.attempt, execution.state) == (3, State.SUCCEEDED)


def test_attempts_end_with_the_last_retry(run: Run, action: Action, again: Again) -> None:
    execution = again(run(action(Fails(9)), retries=1))
    assert (execution.state, execution.attempt, execution.message) == (State.FAILED, 2, "failure 2")


def test_output_goes_on_with_the_sequence_of_the_attempt_before(run: Run, action: Action, again: Again) -> None:
    flaky = Fails(1)

    def work(context: Context) -> None:
        context.log(f"call {flaky.calls}\n")
        flaky(context)

    execution = again(run(action(work), retries=1))
    assert list(execution.output.values_list("seq", flat=True)) == list(range(1, execution.output_seq + 1))


# -- limits of time --------------------------------------------------------------------------------------------
def test_a_step_that_takes_too_long_fails(run: Run, action: Action) -> None:
    def past(context: Context) -> None:
        assert context.deadline is not None
        context.deadline -= 60
        puppets.listen(context)

    execution = run(action(past, timeout_s=60))
    assert (execution.state, execution.message) == (State.FAILED, "timeout: a step did not end in its time")


def test_a_timeout_of_a_step_does_not_stop_the_mandatory_ones(run: Run, action: Action) -> None:
    def past(context: Context) -> None:
        assert context.deadline is not None
        context.deadline -= 60
        puppets.listen(context)

    tidy = Fails(0)
    run(action(past, timeout_s=60), action(tidy, mandatory=True))
    assert tidy.calls == 1


def late(execution: JobExecution) -> JobExecution:
    """Claimed with so little time that it is over."""
    claimed = claim(Worker("north"))
    assert claimed is not None
    claimed.execution.deadline = timezone.now() - timedelta(seconds=1)
    execute(claimed.execution)
    execution.refresh_from_db()
    return execution


def test_a_run_that_takes_too_long_fails_whatever_its_steps_may_take(
    make_job: MakeJob, action: Action, queued: Any, quiet: None
) -> None:
    tidy = Fails(0)
    job = make_job(actions=[action(puppets.listen), action(tidy, mandatory=True)], timeout_s=60)
    execution = late(queued(job))
    assert (execution.message, tidy.calls) == ("timeout: it did not end within 60 s", 0)


def test_a_timeout_overrules_a_pause_that_is_not_obeyed() -> None:
    context = Context(workdir=None)  # type: ignore[arg-type]
    context.stop(Stop.PAUSE)
    context.deadline = 0.0
    assert context.stop_reason is Stop.TIMEOUT

"""Run again what has ended: all of it, from the action that failed, and many at once."""

from typing import Any

import pytest

from jobs.engine import retries, verbs
from jobs.engine.define import patch
from jobs.engine.rights import Actor, operator
from jobs.engine.trigger import trigger
from jobs.errors import Conflict, IllegalMove
from jobs.models import JobExecution
from jobs.runners.context import Context
from jobs.states import FINAL, State
from jobs.worker.drain import drain
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.conftest import Action, Run
from tests.jobs.puppets import Fails, at_once, fail

OPERATOR = operator("test")
pytestmark = pytest.mark.django_db


# -- from the beginning ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", sorted(FINAL))
def test_an_ended_one_can_be_run_again(make_execution: MakeExecution, state: str) -> None:
    execution = make_execution(state=state)
    again = retries.retry(execution, actor=OPERATOR)
    assert (again.state, again.retry_of, again.job) == (State.QUEUED, execution, execution.job)


def test_it_is_run_again_with_its_params_and_the_job_as_it_is_now(make_job: MakeJob) -> None:
    execution, _ = trigger(make_job("job", params={"a": 1}), actor=OPERATOR, params={"b": 2})
    execution.move(State.ABORTED)
    make_job("job", params={"a": 5, "c": 3})
    execution.refresh_from_db()
    assert retries.retry(execution, actor=OPERATOR).params == {"a": 1, "b": 2, "c": 3}


def test_an_active_one_is_not_run_again(make_execution: MakeExecution) -> None:
    with pytest.raises(IllegalMove, match="only an ended one"):
        retries.retry(make_execution(state=State.RUNNING), actor=OPERATOR)


def test_without_its_job_it_is_not_run_again(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.FAILED)
    verbs.delete_job(execution.job, actor=OPERATOR)
    execution.refresh_from_db()
    with pytest.raises(Conflict, match="was deleted"):
        retries.retry(execution, actor=OPERATOR)


def test_every_retry_names_the_first_one(make_execution: MakeExecution) -> None:
    first = make_execution(state=State.FAILED)
    second = retries.retry(first, actor=OPERATOR)
    second.move(State.ABORTED)
    third = retries.retry(second, actor=OPERATOR)
    assert (first.first, second.first, third.first, third.retry_of) == (None, first.pk, first.pk, second)


# -- from the action that failed -------------------------------------------------------------------------------
class Steps:
    """Actions that note their numbers, of which one fails some times."""

    def __init__(self, action: Action, failing: int, times: int = 1, n: int = 4) -> None:
        self.seen: list[int] = []
        self.fails = Fails(times)
        self.actions = [action(self._act(number, number == failing)) for number in range(n)]

    def _act(self, number: int, is_failing: bool) -> Any:
        def act(context: Context) -> None:
            self.seen.append(number)
            if is_failing:
                self.fails(context)

        return act


def rerun(execution: JobExecution, **how: Any) -> JobExecution:
    """Its retry, after a worker's turn."""
    retried = retries.retry(execution, actor=OPERATOR, **how)
    drain()
    retried.refresh_from_db()
    return retried


def test_it_goes_on_at_the_action_that_failed(run: Run, action: Action) -> None:
    steps = Steps(action, failing=2)
    retried = rerun(run(*steps.actions), from_failed=True)
    assert (retried.state, steps.seen) == (State.SUCCEEDED, [0, 1, 2, 2, 3])


def test_otherwise_it_begins_anew(run: Run, action: Action) -> None:
    steps = Steps(action, failing=2)
    rerun(run(*steps.actions))
    assert steps.seen == [0, 1, 2, 0, 1, 2, 3]


def test_its_own_retry_goes_on_there_too(run: Run, action: Action) -> None:
    steps = Steps(action, failing=2, times=2)
    retried = rerun(rerun(run(*steps.actions), from_failed=True), from_failed=True)
    assert (retried.state, steps.seen) == (State.SUCCEEDED, [0, 1, 2, 2, 2, 3])


def test_its_further_attempts_begin_there(run: Run, action: Action) -> None:
    steps = Steps(action, failing=2, times=3)
    retried = rerun(run(*steps.actions, retries=1, retry_delay_s=0), from_failed=True)
    assert (retried.state, steps.seen) == (State.SUCCEEDED, [0, 1, 2, 0, 1, 2, 2, 2, 3])


def test_a_mandatory_action_that_ran_after_the_failure_runs_again(run: Run, action: Action) -> None:
    steps = Steps(action, failing=1)
    steps.actions[3]["mandatory"] = True
    rerun(run(*steps.actions), from_failed=True)
    assert steps.seen == [0, 1, 3, 1, 2, 3]


def test_what_failed_may_be_mended_before(run: Run, action: Action, op: Actor) -> None:
    steps = Steps(action, failing=1, times=99)
    execution = run(*steps.actions[:2])
    assert execution.job is not None
    patch(execution.job, {"actions": [steps.actions[0], steps.actions[2]]}, actor=op)
    execution.refresh_from_db()
    assert rerun(execution, from_failed=True).state == State.SUCCEEDED


def test_what_was_done_must_be_as_it_was(run: Run, action: Action, op: Actor) -> None:
    execution = run(action(), action(fail))
    assert execution.job is not None
    patch(execution.job, {"actions": [action(), action(fail)]}, actor=op)
    execution.refresh_from_db()
    with pytest.raises(Conflict, match="has been changed before its action 2"):
        retries.retry(execution, actor=OPERATOR, from_failed=True)


def test_an_action_that_is_gone_cannot_be_gone_on_at(run: Run, action: Action, op: Actor) -> None:
    steps = [action(), action(fail)]
    execution = run(*steps)
    assert execution.job is not None
    patch(execution.job, {"actions": steps[:1]}, actor=op)
    execution.refresh_from_db()
    with pytest.raises(Conflict, match="retry it from the beginning"):
        retries.retry(execution, actor=OPERATOR, from_failed=True)


def test_what_never_ran_begins_at_its_beginning(make_execution: MakeExecution) -> None:
    assert retries.retry(make_execution(state=State.ABORTED), actor=OPERATOR, from_failed=True).position == 0


def test_what_succeeded_has_no_such_action(run: Run, action: Action) -> None:
    with pytest.raises(IllegalMove, match="no action of it failed"):
        retries.retry(run(action()), actor=OPERATOR, from_failed=True)


# -- many ------------------------------------------------------------------------------------------------------
def failed() -> list[JobExecution]:
    return list(retries.to_retry(JobExecution.objects.all()))


def test_many_are_retried_and_each_is_told(make_execution: MakeExecution) -> None:
    broken = [make_execution(state=State.FAILED) for _ in range(3)]
    make_execution(state=State.SUCCEEDED), make_execution(state=State.ABORTED)
    done = retries.retry_all(failed(), actor=OPERATOR).done
    assert [(old, new.retry_of) for old, new in done] == [(one, one) for one in broken]


def test_what_was_retried_is_not_retried_again(make_execution: MakeExecution) -> None:
    make_execution(state=State.FAILED)
    found = failed()
    retries.retry_all(found, actor=OPERATOR)
    assert failed() == []
    assert retries.retry_all(found, actor=OPERATOR).done == []


def test_a_refusal_of_one_does_not_stop_the_others(make_execution: MakeExecution, make_job: MakeJob) -> None:
    job = make_job("held")
    broken = [make_execution(job, State.FAILED), make_execution(state=State.FAILED)]
    verbs.hold(job, actor=OPERATOR)
    retried = retries.retry_all(failed(), actor=OPERATOR)
    assert [old for old, _ in retried.done] == broken[1:]
    assert [(old, "on hold" in reason) for old, reason in retried.refused] == [(broken[0], True)]


@pytest.mark.django_db(transaction=True)
def test_two_who_retry_all_at_once_retry_each_once(make_execution: MakeExecution) -> None:
    for _ in range(6):
        make_execution(state=State.FAILED)
    found = failed()
    answers = at_once(3, lambda _: len(retries.retry_all(found, actor=OPERATOR).done))
    assert (sum(n for n in answers if isinstance(n, int)), JobExecution.objects.count()) == (6, 12)

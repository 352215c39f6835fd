"""Abort, pause, resume and delete: from every state."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.engine import aborts, verbs
from jobs.engine.rights import actor_for, operator
from jobs.engine.trigger import trigger
from jobs.errors import Conflict, Forbidden, IllegalMove, NotFound
from jobs.models import Action, AuditEvent, Dependency, Job, JobExecution, User
from jobs.states import FINAL, State
from tests.conftest import MakeExecution, MakeJob
from tests.jobs import conftest
from tests.jobs.puppets import at_once

OPERATOR = operator("test")
SLEEP = {"runner": "python", "spec": {"callable": "sleep"}}
ENDED = sorted(FINAL)
MakeAction = conftest.Action


def state_of(execution: JobExecution) -> str:
    return JobExecution.objects.values_list("state", flat=True).get(pk=execution.pk)


# -- abort -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("state", "becomes"),
    [("queued", "aborted"), ("paused", "aborted"), ("running", "aborting"), ("aborting", "aborting")],
)
def test_an_active_one_can_be_aborted(make_execution: MakeExecution, state: str, becomes: str) -> None:
    execution = make_execution(state=state)
    aborts.abort(execution, actor=OPERATOR)
    assert state_of(execution) == becomes


@pytest.mark.parametrize("state", ENDED)
def test_an_ended_one_cannot_be_aborted(make_execution: MakeExecution, state: str) -> None:
    with pytest.raises(IllegalMove, match=f"already {state}"):
        aborts.abort(make_execution(state=state), actor=OPERATOR)


def test_an_abort_by_somebody_who_knows_an_old_state_works(make_execution: MakeExecution) -> None:
    execution = make_execution()
    old = JobExecution.objects.get(pk=execution.pk)
    execution.move(State.RUNNING, lease_until=execution.run_at)
    aborts.abort(old, actor=OPERATOR)
    assert state_of(execution) == State.ABORTING


def test_an_abort_tells_who_asked(make_execution: MakeExecution, bob: User) -> None:
    execution = make_execution(state=State.RUNNING)
    aborts.abort(execution, actor=actor_for(bob, face="test"))
    execution.refresh_from_db()
    assert (execution.abort_requested_by, execution.abort_requested_at is not None) == ("bob", True)


def test_a_second_abort_does_not_change_who_asked_first(make_execution: MakeExecution, bob: User) -> None:
    execution = make_execution(state=State.RUNNING)
    aborts.abort(execution, actor=actor_for(bob, face="test"))
    aborts.abort(execution, actor=OPERATOR)
    execution.refresh_from_db()
    assert execution.abort_requested_by == "bob"


def test_the_abort_of_an_ended_one_is_not_audited(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.FAILED)
    with pytest.raises(IllegalMove):
        aborts.abort(execution, actor=OPERATOR)
    assert not AuditEvent.objects.filter(deed="abort").exists()


def test_a_reader_may_not_abort(make_execution: MakeExecution, rita: User) -> None:
    with pytest.raises(Forbidden):
        aborts.abort(make_execution(), actor=actor_for(rita, face="test"))


def test_a_stranger_does_not_find_what_to_abort(make_execution: MakeExecution, charlie: User) -> None:
    with pytest.raises(NotFound):
        aborts.abort(make_execution(), actor=actor_for(charlie, face="test"))


def test_an_abort_of_many_leaves_out_what_has_ended(make_execution: MakeExecution) -> None:
    made = [make_execution(state=state) for state in (State.QUEUED, State.SUCCEEDED, State.RUNNING)]
    assert aborts.abort_all(made, actor=OPERATOR) == [made[0], made[2]]


def test_an_abort_of_many_that_wait_for_each_other_ends_them_all(
    make_execution: MakeExecution, make_job: MakeJob, queued: Callable[..., JobExecution]
) -> None:
    first = make_execution()
    second = queued(make_job(), after=[first])
    aborts.abort_all([first, second], actor=OPERATOR)
    assert (state_of(first), state_of(second)) == (State.ABORTED, State.ABORTED)


@pytest.mark.django_db(transaction=True)
def test_an_abort_at_the_moment_of_the_end_is_one_or_the_other(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)

    def act(number: int) -> object:
        copy = JobExecution.objects.get(pk=execution.pk)
        return aborts.abort(copy, actor=OPERATOR) if number else copy.move(State.SUCCEEDED, fence=1)

    refused = [answer for answer in at_once(2, act) if isinstance(answer, Exception)]
    assert (state_of(execution), len(refused) <= 1) == (State.SUCCEEDED, True)


# -- pause and resume ------------------------------------------------------------------------------------------
def test_a_running_one_is_asked_to_pause(make_execution: MakeExecution, make_job: MakeJob) -> None:
    execution = make_execution(make_job(actions=[SLEEP]), State.RUNNING)
    verbs.pause(execution, actor=OPERATOR)
    execution.refresh_from_db()
    assert (execution.state, execution.pause_requested_at is not None) == (State.RUNNING, True)


def test_what_cannot_pause_is_refused(make_execution: MakeExecution) -> None:
    with pytest.raises(Conflict, match="cannot be paused; abort it instead"):
        verbs.pause(make_execution(state=State.RUNNING), actor=OPERATOR)


def test_the_step_that_runs_now_is_asked_whether_it_can(make_execution: MakeExecution, make_job: MakeJob) -> None:
    noop = {"runner": "python", "spec": {"callable": "noop"}}
    execution = make_execution(make_job(actions=[noop, SLEEP]), State.RUNNING, position=1)
    verbs.pause(execution, actor=OPERATOR)
    execution.refresh_from_db()
    assert execution.pause_requested_at is not None


def test_what_has_no_steps_here_cannot_be_paused(make_execution: MakeExecution) -> None:
    with pytest.raises(Conflict, match="a run without steps here cannot be paused"):
        verbs.pause(make_execution(state=State.RUNNING, plan={"actions": []}), actor=OPERATOR)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_what_does_not_run_cannot_be_paused(make_execution: MakeExecution, state: State) -> None:
    with pytest.raises(IllegalMove, match=f"is {state}, not running"):
        verbs.pause(make_execution(state=state), actor=OPERATOR)


def test_a_paused_one_is_queued_again(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.PAUSED)
    verbs.resume(execution, actor=OPERATOR)
    assert state_of(execution) == State.QUEUED


@pytest.mark.parametrize("state", [state for state in State if state is not State.PAUSED])
def test_what_is_not_paused_cannot_be_resumed(make_execution: MakeExecution, state: State) -> None:
    with pytest.raises(IllegalMove):
        verbs.resume(make_execution(state=state), actor=OPERATOR)


# -- delete ----------------------------------------------------------------------------------------------------
def test_a_deleted_job_leaves_its_history(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.SUCCEEDED)
    name = execution.job_name
    verbs.delete_job(execution.job, actor=OPERATOR)
    execution.refresh_from_db()
    assert (execution.job, execution.job_name, execution.state) == (None, name, State.SUCCEEDED)


@pytest.mark.parametrize(("state", "becomes"), [("queued", "aborted"), ("paused", "aborted"), ("running", "aborting")])
def test_what_is_active_of_a_deleted_job_is_aborted(make_execution: MakeExecution, state: str, becomes: str) -> None:
    execution = make_execution(state=state)
    verbs.delete_job(execution.job, actor=OPERATOR)
    assert state_of(execution) == becomes


def test_a_deleted_job_takes_its_own_actions_and_leaves_shared_ones(make_job: MakeJob, action: MakeAction) -> None:
    verbs.delete_job(make_job(actions=[action(), action(key="shared")]), actor=OPERATOR)
    assert list(Action.objects.values_list("key", flat=True)) == ["shared"]


@pytest.mark.django_db(transaction=True)
def test_a_trigger_at_the_moment_of_the_delete_leaves_nothing_active_behind(make_job: MakeJob) -> None:
    job = make_job(concurrency_limit=0)

    def act(number: int) -> object:
        copy = Job.objects.get(pk=job.pk)
        return trigger(copy, actor=OPERATOR) if number else verbs.delete_job(copy, actor=OPERATOR)

    answers = at_once(6, act)
    unexpected = [one for one in answers if isinstance(one, Exception) and not isinstance(one, Conflict | NotFound)]
    unexpected = [one for one in unexpected if not isinstance(one, Job.DoesNotExist)]
    assert (unexpected, JobExecution.objects.active().exists()) == ([], False)


def test_the_history_of_an_ended_one_can_be_deleted(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.SUCCEEDED)
    verbs.delete_execution(execution, actor=OPERATOR)
    assert not JobExecution.objects.exists()


def test_an_active_one_cannot_be_deleted(make_execution: MakeExecution) -> None:
    with pytest.raises(IllegalMove, match="abort it first"):
        verbs.delete_execution(make_execution(), actor=OPERATOR)


def test_one_that_was_deleted_meanwhile_is_not_found(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.SUCCEEDED)
    JobExecution.objects.filter(pk=execution.pk).delete()
    with pytest.raises(NotFound):
        verbs.delete_execution(execution, actor=OPERATOR)


def test_a_deleted_predecessor_does_not_hold_back_who_waited_for_it(
    make_execution: MakeExecution, make_job: MakeJob, queued: Any
) -> None:
    first = make_execution(state=State.SUCCEEDED)
    waiting = queued(make_job(), after=[first])
    verbs.delete_execution(first, actor=OPERATOR)
    waiting.refresh_from_db()
    assert (waiting.n_blocks, Dependency.objects.exists()) == (0, False)

"""A run does what was asked at its trigger, if that may still be done."""

from typing import Any

import pytest

from jobs.engine.define import define, define_action
from jobs.engine.documents import ActionDocument
from jobs.engine.rights import actor_for, operator
from jobs.engine.trigger import trigger
from jobs.models import JobExecution, Membership, Project, Role, User
from jobs.runners import RUNNERS
from jobs.states import State
from jobs.worker.drain import drain
from tests.conftest import MakeJob
from tests.jobs import puppets
from tests.jobs.conftest import Action, Run
from tests.jobs.puppets import Fails

pytestmark = pytest.mark.django_db


# -- what changed since the trigger ----------------------------------------------------------------------------
def test_a_run_does_what_the_job_was_at_its_trigger(
    make_job: MakeJob, action: Action, queued: Any, quiet: None
) -> None:
    old, new = Fails(0), Fails(0)
    job = make_job("job", actions=[action(old)])
    queued(job)
    make_job("job", actions=[action(new)])
    drain()
    assert (old.calls, new.calls) == (1, 0)


def test_a_shared_action_is_a_snapshot_too(
    make_job: MakeJob, action: Action, queued: Any, quiet: None, alpha: Project
) -> None:
    old, new = Fails(0), Fails(0)
    job = make_job(actions=[action(old, key="shared")])
    queued(job)
    document = ActionDocument.parse(action(new))
    define_action(document, actor=operator("test"), project_id=alpha.pk, key="shared")
    drain()
    assert (old.calls, new.calls) == (1, 0)


def test_a_runner_that_is_gone_is_the_reason_of_the_failure(
    make_job: MakeJob, action: Action, queued: Any, quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = queued(make_job(actions=[action()]))
    monkeypatch.delitem(RUNNERS, "puppet")
    drain()
    execution.refresh_from_db()
    assert (execution.state, "unknown runner 'puppet'" in execution.errors[1]) == (State.FAILED, True)


def test_a_spec_that_is_not_valid_any_more_is_the_reason_of_the_failure(
    make_job: MakeJob, action: Action, queued: Any, quiet: None
) -> None:
    execution = queued(make_job(actions=[action()]))
    puppets.ACTS.clear()
    drain()
    execution.refresh_from_db()
    assert execution.errors == ["the spec of 'puppet' is not valid any more", "act: nobody can do this any more"]


# -- privileged runners ----------------------------------------------------------------------------------------
def privileged(user: User, alpha: Project, action: Action) -> JobExecution:
    document = {"name": "boss", "actions": [action(runner="boss")]}
    job, _ = define(document, actor=actor_for(user, face="test"), project_id=alpha.pk)
    return trigger(job, actor=operator("test"))[0]


def state_after(execution: JobExecution) -> str:
    drain()
    execution.refresh_from_db()
    return execution.state


def test_a_privileged_runner_runs_for_an_admin(alice: User, alpha: Project, action: Action, quiet: None) -> None:
    assert state_after(privileged(alice, alpha, action)) == State.SUCCEEDED


def test_a_privileged_runner_runs_for_the_operator(run: Run, action: Action) -> None:
    assert run(action(runner="boss")).state == State.SUCCEEDED


def test_a_privileged_runner_is_refused_when_its_editor_is_no_admin_any_more(
    alice: User, alpha: Project, action: Action, quiet: None
) -> None:
    execution = privileged(alice, alpha, action)
    Membership.objects.filter(user=alice).update(role=Role.MEMBER)
    assert state_after(execution) == State.FAILED


def test_a_privileged_runner_is_refused_when_its_editor_may_not_log_in(
    alice: User, alpha: Project, action: Action, quiet: None
) -> None:
    execution = privileged(alice, alpha, action)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert state_after(execution) == State.FAILED


def test_a_privileged_runner_is_refused_when_its_editor_was_deleted(
    alice: User, alpha: Project, action: Action, quiet: None
) -> None:
    execution = privileged(alice, alpha, action)
    alice.delete()
    assert state_after(execution) == State.FAILED


def test_a_trigger_after_the_editor_was_deleted_does_not_pass_for_the_operators(
    alice: User, alpha: Project, action: Action, quiet: None
) -> None:
    job = privileged(alice, alpha, action).job
    alice.delete()
    assert job is not None
    job.refresh_from_db()
    assert state_after(trigger(job, actor=operator("test"))[0]) == State.FAILED

"""Held jobs: what is queued waits, what runs goes on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine import chains, verbs
from jobs.engine.rights import actor_for, operator
from jobs.engine.trigger import trigger
from jobs.errors import Forbidden, Invalid, NotFound
from jobs.models import AuditEvent, Job, JobExecution, User
from jobs.states import State
from jobs.worker.claim import Worker, claim
from jobs.worker.report import WorkerContext
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.puppets import at_once

OPERATOR = operator("test")
Queued = Callable[..., JobExecution]


def n_blocks(execution: JobExecution) -> int:
    execution.refresh_from_db()
    return execution.n_blocks


# -- it works --------------------------------------------------------------------------------------------------
def test_what_is_queued_waits(make_job: MakeJob, queued: Queued) -> None:
    job = make_job()
    queued(job)
    verbs.hold(job, actor=OPERATOR)
    assert claim(Worker("north")) is None


def test_what_is_queued_goes_on_after_the_release(make_job: MakeJob, queued: Queued) -> None:
    job = make_job()
    queued(job)
    verbs.hold(job, actor=OPERATOR)
    verbs.release(job, actor=OPERATOR)
    assert claim(Worker("north")) is not None


def test_a_second_hold_changes_the_reason_and_counts_once(make_job: MakeJob, queued: Queued) -> None:
    job = make_job()
    execution = queued(job)
    verbs.hold(job, actor=OPERATOR, reason="one")
    verbs.hold(job, actor=OPERATOR, reason="two")
    assert (job.hold_reason, n_blocks(execution)) == ("two", 1)


def test_a_release_without_a_hold_changes_nothing(make_job: MakeJob, queued: Queued) -> None:
    job = make_job()
    execution = queued(job)
    verbs.release(job, actor=OPERATOR)
    assert (n_blocks(execution), AuditEvent.objects.filter(deed="release").exists()) == (0, False)


def test_a_release_does_not_free_what_waits_for_another(
    make_job: MakeJob, make_execution: MakeExecution, queued: Queued
) -> None:
    job = make_job()
    execution = queued(job, after=[make_execution(state=State.RUNNING)])
    verbs.hold(job, actor=OPERATOR)
    verbs.release(job, actor=OPERATOR)
    assert n_blocks(execution) == 1


def test_other_jobs_are_not_held(make_job: MakeJob, queued: Queued) -> None:
    other = queued(make_job())
    verbs.hold(make_job(), actor=OPERATOR)
    assert n_blocks(other) == 0


def test_a_resumed_one_of_a_held_job_waits(make_job: MakeJob, make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.PAUSED)
    verbs.hold(execution.job, actor=OPERATOR)
    verbs.resume(execution, actor=OPERATOR)
    assert n_blocks(execution) == 1


def test_a_hold_tells_who_and_until_when(make_job: MakeJob, bob: User) -> None:
    job, until = make_job(), timezone.now() + timedelta(hours=1)
    verbs.hold(job, actor=actor_for(bob, face="test"), reason="because", until=until)
    assert (job.is_held, job.held_by, job.hold_until, job.hold_reason) == (True, "bob", until, "because")


def test_a_release_forgets_the_reason(make_job: MakeJob) -> None:
    job = make_job()
    verbs.hold(job, actor=OPERATOR, reason="because", until=timezone.now() + timedelta(hours=1))
    verbs.release(job, actor=OPERATOR)
    assert (job.is_held, job.held_by, job.hold_until, job.hold_reason) == (False, "", None, "")


# -- who may, and what is refused ------------------------------------------------------------------------------
def test_a_reader_may_not(make_job: MakeJob, rita: User) -> None:
    with pytest.raises(Forbidden):
        verbs.hold(make_job(), actor=actor_for(rita, face="test"))


@pytest.mark.parametrize("reason", ["x" * 501, "a\0", "\udc80"], ids=["too long", "NUL", "surrogate"])
def test_a_reason_that_cannot_be_kept_is_refused(make_job: MakeJob, reason: str) -> None:
    with pytest.raises(Invalid, match="reason"):
        verbs.hold(make_job(), actor=OPERATOR, reason=reason)


def test_an_end_in_the_past_is_refused(make_job: MakeJob) -> None:
    with pytest.raises(Invalid, match="until"):
        verbs.hold(make_job(), actor=OPERATOR, until=timezone.now())


@pytest.mark.parametrize("verb", [verbs.hold, verbs.release, verbs.delete_job])
def test_a_job_that_was_deleted_meanwhile_is_not_found(make_job: MakeJob, verb: Any) -> None:
    job = make_job()
    Job.objects.get(pk=job.pk).delete()
    with pytest.raises(NotFound):
        verb(job, actor=OPERATOR)


# -- races -----------------------------------------------------------------------------------------------------
def miscounted() -> list[JobExecution]:
    return [one for one in JobExecution.objects.filter(state=State.QUEUED) if one.n_blocks != chains.recount(one)]


@pytest.mark.django_db(transaction=True)
def test_a_hold_at_the_moment_of_triggers_holds_them_or_refuses_them(make_job: MakeJob) -> None:
    job = make_job(concurrency_limit=0)

    def act(number: int) -> object:
        copy = Job.objects.get(pk=job.pk)
        return trigger(copy, actor=OPERATOR) if number % 4 else verbs.hold(copy, actor=OPERATOR)

    at_once(12, act)
    assert (Job.objects.get().is_held, miscounted()) == (True, [])


@pytest.mark.django_db(transaction=True)
def test_holds_and_releases_at_once_keep_the_count_true(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=0)
    for _ in range(4):
        queued(job)

    def act(number: int) -> object:
        verb: Any = verbs.hold if number % 2 else verbs.release
        return verb(Job.objects.get(pk=job.pk), actor=OPERATOR)

    at_once(10, act)
    assert not miscounted()


@pytest.mark.django_db(transaction=True)
def test_a_hold_at_the_moment_when_runs_are_queued_again_counts_them(
    make_job: MakeJob, make_execution: MakeExecution
) -> None:
    job = make_job(concurrency_limit=0)
    running = [WorkerContext(make_execution(job, State.RUNNING)) for _ in range(6)]

    def act(number: int) -> object:
        if number == 6:
            return verbs.hold(Job.objects.get(pk=job.pk), actor=OPERATOR)
        return running[number].end(State.QUEUED, lease_until=None)

    at_once(7, act)
    assert not miscounted()

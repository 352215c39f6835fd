"""Triggers: who may, with what, once a key, and what the job says while it is active."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import queue
from jobs.engine import verbs
from jobs.engine.rights import Actor, actor_for, operator
from jobs.engine.trigger import trigger
from jobs.errors import Busy, Conflict, Forbidden, Held, Invalid, NotFound
from jobs.models import AuditEvent, JobExecution, Project, User
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.puppets import at_once

OPERATOR = operator("test")


def of(user: User) -> Actor:
    return actor_for(user, face="test")


# -- it works --------------------------------------------------------------------------------------------------
def test_it_queues_an_execution(make_job: MakeJob) -> None:
    execution, is_new = trigger(make_job("nightly/db"), actor=OPERATOR)
    assert (execution.state, execution.job_name, is_new) == (State.QUEUED, "nightly/db", True)


def test_it_tells_who_asked_and_how(make_job: MakeJob, bob: User) -> None:
    execution, _ = trigger(make_job(), actor=of(bob))
    assert (execution.requested_by, execution.requested_user, execution.requested_face) == ("bob", bob, "test")


def test_params_are_those_of_the_job_and_of_the_trigger(make_job: MakeJob) -> None:
    execution, _ = trigger(make_job(params={"a": 1, "b": 2}), actor=OPERATOR, params={"b": None, "c": "x"})
    assert execution.params == {"a": 1, "b": None, "c": "x"}


def test_a_priority_and_a_time_of_its_own(make_job: MakeJob) -> None:
    at = timezone.now() + timedelta(hours=1)
    execution, _ = trigger(make_job(priority=3), actor=OPERATOR, priority=9, run_at=at)
    assert (execution.priority, execution.run_at) == (9, at)


def test_the_deed_is_audited(make_job: MakeJob, bob: User) -> None:
    execution, _ = trigger(make_job(), actor=of(bob))
    event = AuditEvent.objects.get(deed="trigger")
    assert (event.username, event.subject) == ("bob", execution.handle)


def test_the_plan_is_a_snapshot(make_job: MakeJob) -> None:
    execution, _ = trigger(make_job("job", timeout_s=5), actor=OPERATOR)
    make_job("job", timeout_s=6)
    execution.refresh_from_db()
    assert execution.plan["timeout_s"] == 5


@pytest.mark.django_db(transaction=True)
def test_workers_are_woken_after_the_commit(make_job: MakeJob) -> None:
    trigger(make_job(), actor=OPERATOR)
    assert queue._broker().queue_size() == 1


def test_a_trigger_costs_few_queries(make_job: MakeJob) -> None:
    job = make_job()
    with CaptureQueriesContext(connection) as queries:
        trigger(job, actor=OPERATOR)
    assert len([q for q in queries if "SAVEPOINT" not in q["sql"]]) <= 5


# -- who may ---------------------------------------------------------------------------------------------------
def test_a_reader_may_not(make_job: MakeJob, rita: User) -> None:
    with pytest.raises(Forbidden):
        trigger(make_job(), actor=of(rita))


def test_a_stranger_does_not_find_it(make_job: MakeJob, charlie: User) -> None:
    with pytest.raises(NotFound):
        trigger(make_job(), actor=of(charlie))


def test_nobody_waits_for_a_strangers_execution(
    make_job: MakeJob, make_execution: MakeExecution, beta: Project, bob: User
) -> None:
    foreign = make_execution(make_job(project=beta))
    with pytest.raises(NotFound):
        trigger(make_job(), actor=of(bob), after=[foreign])


# -- what is refused -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"a": []}, "params.a"),
        ({"a": {"b": 1}}, "params.a"),
        ({"a": "NUL \0"}, "params"),
        ({"a\0": 1}, "params"),
        ({"a": "\ud800"}, "params"),
        ({"a": float("nan")}, "params"),
        ({"a": float("-inf")}, "params"),
        ({"a": "x" * 70_000}, "params"),
        (["a"], "params"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_params_that_are_refused(make_job: MakeJob, params: Any, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        trigger(make_job(), actor=OPERATOR, params=params)
    assert [error.field for error in refusal.value.errors] == [field]


def test_params_are_too_large_together_with_those_of_the_job(make_job: MakeJob) -> None:
    job = make_job(params={"a": "x" * 40_000})
    with pytest.raises(Invalid):
        trigger(job, actor=OPERATOR, params={"b": "y" * 40_000})


def test_params_are_measured_in_bytes(make_job: MakeJob) -> None:
    with pytest.raises(Invalid):
        trigger(make_job(), actor=OPERATOR, params={"a": "é" * 40_000})


def test_params_with_odd_characters_are_kept_as_they_are(make_job: MakeJob) -> None:
    params = {"a b=ü\n": "\\u0000 '\"; \U0001f600", "": ""}
    execution, _ = trigger(make_job(), actor=OPERATOR, params=params)
    execution.refresh_from_db()
    assert execution.params == params


def test_a_huge_number_is_a_number(make_job: MakeJob) -> None:
    execution, _ = trigger(make_job(), actor=OPERATOR, params={"a": 10**50})
    execution.refresh_from_db()
    assert execution.params == {"a": 10**50}


@pytest.mark.parametrize("priority", [101, -101, 10**9])
def test_a_priority_out_of_range_is_refused(make_job: MakeJob, priority: int) -> None:
    with pytest.raises(Invalid, match="priority"):
        trigger(make_job(), actor=OPERATOR, priority=priority)


def test_a_held_job_is_refused_with_the_reason(make_job: MakeJob) -> None:
    job = make_job()
    verbs.hold(job, actor=OPERATOR, reason="disk is full")
    with pytest.raises(Held, match="disk is full"):
        trigger(job, actor=OPERATOR)


def test_a_deleted_job_is_refused(make_job: MakeJob) -> None:
    job = make_job()
    verbs.delete_job(make_job(job.name), actor=OPERATOR)
    with pytest.raises(Conflict, match="was deleted"):
        trigger(job, actor=OPERATOR)


def test_what_is_refused_leaves_nothing(make_job: MakeJob, make_execution: MakeExecution) -> None:
    job, ended = make_job(), make_execution(state=State.FAILED)
    before = (JobExecution.objects.count(), AuditEvent.objects.count())
    with pytest.raises(Invalid):
        trigger(job, actor=OPERATOR, after=[ended])
    assert (JobExecution.objects.count(), AuditEvent.objects.count()) == before


# -- idempotency keys ------------------------------------------------------------------------------------------
def test_the_same_key_gets_the_first_answer(make_job: MakeJob, bob: User) -> None:
    job = make_job()
    first, _ = trigger(job, actor=of(bob), idempotency_key="k")
    assert trigger(job, actor=of(bob), idempotency_key="k", params={"other": 1}) == (first, False)


def test_the_same_key_gets_the_first_answer_also_when_the_job_is_held(make_job: MakeJob) -> None:
    job = make_job()
    first, _ = trigger(job, actor=OPERATOR, idempotency_key="k")
    verbs.hold(job, actor=OPERATOR)
    assert trigger(job, actor=OPERATOR, idempotency_key="k") == (first, False)


def test_the_same_key_gets_the_first_answer_also_when_the_job_was_renamed(make_job: MakeJob) -> None:
    job = make_job()
    first, _ = trigger(job, actor=OPERATOR, idempotency_key="k")
    job.name = "renamed"
    job.save()
    assert trigger(job, actor=OPERATOR, idempotency_key="k") == (first, False)


def test_a_key_is_for_one_job(make_job: MakeJob) -> None:
    trigger(make_job(), actor=OPERATOR, idempotency_key="k")
    with pytest.raises(Conflict, match="idempotency key"):
        trigger(make_job(), actor=OPERATOR, idempotency_key="k")


def test_a_key_is_one_users_own(make_job: MakeJob, alice: User, bob: User) -> None:
    job = make_job()
    first, second = (trigger(job, actor=of(user), idempotency_key="k")[0] for user in (alice, bob))
    assert first != second


def test_a_key_is_one_projects_own(make_job: MakeJob, beta: Project) -> None:
    jobs = [make_job("same"), make_job("same", project=beta)]
    first, second = (trigger(job, actor=OPERATOR, idempotency_key="k")[0] for job in jobs)
    assert first != second


@pytest.mark.parametrize("key", ["x" * 201, "a\0", "\udc80"], ids=["too long", "NUL", "surrogate"])
def test_a_key_that_cannot_be_kept_is_refused(make_job: MakeJob, key: str) -> None:
    with pytest.raises(Invalid, match="idempotency_key"):
        trigger(make_job(), actor=OPERATOR, idempotency_key=key)


def test_the_longest_key_of_the_longest_name_fits(make_job: MakeJob, alpha: Project) -> None:
    actor = Actor(name="n" * 150, face="test", sees_all=True)
    execution, _ = trigger(make_job(), actor=actor, idempotency_key="é" * 200)
    execution.refresh_from_db()
    assert execution.idempotency_key is not None


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_with_the_same_key_one_is_new(make_job: MakeJob) -> None:
    job = make_job()
    answers = at_once(50, lambda number: trigger(job, actor=OPERATOR, idempotency_key="k"))
    told = {execution.pk for execution, _ in answers}  # type: ignore[misc,union-attr]
    assert (len(told), [is_new for _, is_new in answers].count(True)) == (1, 1)  # type: ignore[misc,union-attr]


# -- when_active -----------------------------------------------------------------------------------------------
def test_queue_lets_the_new_one_wait(make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job(when_active="queue")
    make_execution(job, State.RUNNING)
    assert trigger(job, actor=OPERATOR)[1]


@pytest.mark.parametrize("state", ["queued", "running", "paused", "aborting"])
def test_refuse_refuses_while_one_is(make_job: MakeJob, make_execution: MakeExecution, state: str) -> None:
    job = make_job(when_active="refuse")
    execution = make_execution(job, state)
    with pytest.raises(Busy, match=execution.handle):
        trigger(job, actor=OPERATOR)


def test_refuse_lets_go_on_after_the_end(make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job(when_active="refuse")
    make_execution(job, State.SUCCEEDED)
    assert trigger(job, actor=OPERATOR)[1]


@pytest.mark.parametrize(
    ("state", "becomes"),
    [("queued", "aborted"), ("running", "aborting"), ("paused", "aborted"), ("aborting", "aborting")],
)
def test_replace_ends_the_old_one(make_job: MakeJob, make_execution: MakeExecution, state: str, becomes: str) -> None:
    job = make_job(when_active="replace")
    old = make_execution(job, state)
    trigger(job, actor=OPERATOR)
    old.refresh_from_db()
    assert old.state == becomes


@pytest.mark.django_db(transaction=True)
def test_refuse_lets_one_of_many_at_once_in(make_job: MakeJob) -> None:
    job = make_job(when_active="refuse")
    answers = at_once(8, lambda number: trigger(job, actor=OPERATOR))
    refused = [answer for answer in answers if isinstance(answer, Busy)]
    assert (len(refused), JobExecution.objects.count()) == (7, 1)


@pytest.mark.django_db(transaction=True)
def test_replace_leaves_one_of_many_at_once(make_job: MakeJob) -> None:
    job = make_job(when_active="replace")
    at_once(8, lambda number: trigger(job, actor=OPERATOR))
    assert (JobExecution.objects.count(), JobExecution.objects.active().count()) == (8, 1)


@pytest.mark.django_db(transaction=True)
def test_replace_does_not_mind_what_ends_at_the_same_moment(make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job(when_active="replace", concurrency_limit=0)
    running = _many(job, make_execution)

    def act(number: int) -> object:
        if number:
            return JobExecution.objects.get(pk=running[number - 1]).move(State.SUCCEEDED)
        return trigger(job, actor=OPERATOR)

    answers = at_once(5, act)
    assert not isinstance(answers[0], Exception)


def _many(job: Any, make_execution: MakeExecution) -> list[int]:
    """Running side by side, though each trigger replaces the ones before."""
    found = []
    for _ in range(4):
        type(job).objects.filter(pk=job.pk).update(when_active="queue")
        job.refresh_from_db()
        found.append(make_execution(job, State.RUNNING).pk)
    type(job).objects.filter(pk=job.pk).update(when_active="replace")
    job.refresh_from_db()
    return found


# -- handles ---------------------------------------------------------------------------------------------------
def test_backups_of_one_moment_have_handles_of_their_own(make_job: MakeJob) -> None:
    job = make_job("db/nightly", kind="backup")
    handles = {trigger(job, actor=OPERATOR)[0].handle for _ in range(30)}
    assert (len(handles), all(name.startswith("CreateBackup-db-") for name in handles)) == (30, True)


def test_a_crowd_of_backups_costs_few_queries(make_job: MakeJob) -> None:
    job = make_job("db/nightly", kind="backup")
    now = int(timezone.now().timestamp())
    taken = [JobExecution(project_id=job.project_id, job_name="x", kind="backup") for _ in range(1500)]
    for number, execution in enumerate(taken):
        execution.handle = f"CreateBackup-db-{now + number / 100:.2f}"
    JobExecution.objects.bulk_create(taken)
    with CaptureQueriesContext(connection) as queries:
        trigger(job, actor=OPERATOR)
    assert len(queries) < 30

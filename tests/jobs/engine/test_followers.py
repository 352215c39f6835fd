"""Jobs that are started by the ends of others."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from jobs.engine import aborts, retries, verbs
from jobs.engine.define import define
from jobs.engine.followers import follow
from jobs.engine.rights import Actor, actor_for
from jobs.engine.trigger import trigger
from jobs.models import AuditEvent, Dependency, Job, JobExecution, Membership, Role, User
from jobs.states import State
from jobs.worker.report import WorkerContext
from tests.conftest import WAYS, MakeExecution, MakeJob, _claimed
from tests.jobs.puppets import at_once

pytestmark = pytest.mark.django_db
ENDS = [State.SUCCEEDED, State.FAILED, State.ABORTED]
WANTED = {"success": [State.SUCCEEDED], "failure": [State.FAILED, State.ABORTED], "end": ENDS}
CASES = [(on, to, to in wanted) for on, wanted in WANTED.items() for to in ENDS]
End = Callable[..., JobExecution]


def after(*jobs: Job | str, on: str = "success") -> list[dict[str, str]]:
    return [{"job": str(job), "on": on} for job in jobs]


@pytest.fixture
def end(op: Actor) -> End:
    """`end(job, to=…)`: an execution of it, or the given one, that a worker brings to its end."""

    def end_it(what: Job | JobExecution, to: State = State.SUCCEEDED) -> JobExecution:
        execution = what if isinstance(what, JobExecution) else trigger(what, actor=op)[0]
        execution.move(State.RUNNING, **_claimed())
        if to is State.ABORTED:
            JobExecution.objects.get(pk=execution.pk).move(State.ABORTING)
        WorkerContext(execution).end(to)
        return execution

    return end_it


def runs_of(job: Job) -> list[JobExecution]:
    return list(JobExecution.objects.filter(job=job).order_by("pk"))


# -- it works --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("on", "to", "is_wanted"), CASES, ids=str)
def test_a_job_starts_after_the_wanted_ends(make_job: MakeJob, end: End, on: str, to: State, is_wanted: bool) -> None:
    first = make_job()
    second = make_job(after=after(first, on=on))
    end(first, to)
    assert [run.state for run in runs_of(second)] == [State.QUEUED] * is_wanted


def test_there_were_nine_cases() -> None:
    assert len(CASES) == 9


def test_it_tells_by_which_end_it_was_started(make_job: MakeJob, end: End) -> None:
    first = make_job()
    second = make_job(after=after(first))
    ended = end(first)
    started = runs_of(second)[0]
    assert (started.triggered_by, started.chain, started.requested_face) == (ended.pk, ended.pk, "chain")
    assert list(started.dependencies.values_list("after", "condition")) == [(ended.pk, "success")]


def test_each_end_starts_it_once(make_job: MakeJob, end: End) -> None:
    first = make_job()
    second = make_job(after=after(first))
    ended = [end(first) for _ in range(3)]
    assert [run.triggered_by for run in runs_of(second)] == [run.pk for run in ended]


def test_a_failed_attempt_is_no_end(make_job: MakeJob, make_execution: MakeExecution) -> None:
    first = make_job()
    second = make_job(after=after(first, on="end"))
    WorkerContext(make_execution(first, State.RUNNING)).end(State.QUEUED, lease_until=None)
    assert runs_of(second) == []


def test_an_abort_of_what_is_queued_is_an_end(make_job: MakeJob, op: Actor) -> None:
    first = make_job()
    second = make_job(after=after(first, on="failure"))
    aborts.abort(trigger(first, actor=op)[0], actor=op)
    assert len(runs_of(second)) == 1


def test_one_end_starts_many(make_job: MakeJob, end: End) -> None:
    first = make_job()
    others = [make_job(after=after(first)) for _ in range(5)]
    ended = end(first)
    assert [[run.triggered_by for run in runs_of(job)] for job in others] == [[ended.pk]] * 5


def test_links_that_were_changed_at_the_same_moment_count_as_they_are(make_job: MakeJob, end: End) -> None:
    first, other = make_job(), make_job()
    gone, on_failure = make_job(), make_job(after=after(first, on="failure"))
    ended = end(first)
    for job in (gone, on_failure, make_job(after=after(other))):
        follow(ended, job.pk)

    assert JobExecution.objects.count() == 1


def test_all_of_a_chain_belong_to_its_first(make_job: MakeJob, end: End) -> None:
    jobs = [make_job("a")]
    for name in "bcd":
        jobs.append(make_job(name, after=after(jobs[-1])))
    first = end(jobs[0])
    for job in jobs[1:]:
        end(runs_of(job)[0])
    assert set(JobExecution.objects.values_list("chain", flat=True)) == {first.pk}


def test_it_runs_with_its_own_params(make_job: MakeJob, op: Actor, end: End) -> None:
    first = make_job(params={"a": 1})
    second = make_job(after=after(first), params={"b": 2})
    end(first)
    assert runs_of(second)[0].params == {"b": 2}


def test_a_retry_goes_on_with_the_chain(make_job: MakeJob, op: Actor, end: End) -> None:
    first = make_job("a")
    second = make_job("b", after=after(first))
    third = make_job("c", after=after(second))
    begun = end(first)
    broken = end(runs_of(second)[0], State.FAILED)
    end(retries.retry(broken, actor=op))
    assert [run.chain for run in runs_of(third)] == [begun.pk]


# -- after several ---------------------------------------------------------------------------------------------
class Diamond:
    """`a` starts `b` and `c`; `d` comes after both."""

    def __init__(self, make_job: MakeJob, end: End) -> None:
        self.a = make_job("a")
        self.b, self.c = make_job("b", after=after("a")), make_job("c", after=after("a"))
        self.d = make_job("d", after=after("b", "c"))
        self._end = end

    def end(self, name: str, number: int = 0, to: State = State.SUCCEEDED) -> JobExecution:
        job: Job = getattr(self, name)
        return self._end(job if name == "a" else runs_of(job)[number], to)

    def ds(self) -> list[int | None]:
        return [run.chain for run in runs_of(self.d)]


@pytest.fixture
def diamond(make_job: MakeJob, end: End) -> Diamond:
    return Diamond(make_job, end)


@pytest.mark.parametrize("order", ["bc", "cb"])
def test_after_several_it_runs_once_when_the_last_has_ended(diamond: Diamond, order: str) -> None:
    diamond.end("a")
    diamond.end(order[0])
    assert diamond.ds() == []
    last = diamond.end(order[1])
    assert [run.triggered_by for run in runs_of(diamond.d)] == [last.pk]


def test_it_names_all_that_it_came_after(diamond: Diamond) -> None:
    diamond.end("a")
    ended = [diamond.end("b"), diamond.end("c")]
    used = Dependency.objects.filter(execution__job=diamond.d).order_by("after")
    assert list(used.values_list("after", flat=True)) == [run.pk for run in ended]


def test_a_failure_among_them_keeps_it_from_starting(diamond: Diamond) -> None:
    diamond.end("a")
    diamond.end("b", to=State.FAILED)
    diamond.end("c")
    assert diamond.ds() == []


def test_a_retry_of_what_failed_starts_it(diamond: Diamond, op: Actor, end: End) -> None:
    first = diamond.end("a")
    broken = diamond.end("b", to=State.FAILED)
    diamond.end("c")
    end(retries.retry(broken, actor=op))
    assert diamond.ds() == [first.pk]


def test_runs_of_the_chain_that_overlap_are_kept_apart(diamond: Diamond) -> None:
    first, second = diamond.end("a"), diamond.end("a")
    diamond.end("b", 0), diamond.end("b", 1)
    diamond.end("c", 0)
    assert diamond.ds() == [first.pk]
    diamond.end("c", 1)
    assert diamond.ds() == [first.pk, second.pk]


def test_yesterdays_end_does_not_stand_in_for_todays(diamond: Diamond) -> None:
    diamond.end("a")
    diamond.end("b"), diamond.end("c", to=State.FAILED)
    today = diamond.end("a")
    diamond.end("c", 1)
    assert diamond.ds() == []
    diamond.end("b", 1)
    assert diamond.ds() == [today.pk]


def test_a_longer_way_round_is_waited_for(make_job: MakeJob, end: End) -> None:
    make_job("a"), make_job("b", after=after("a")), make_job("c", after=after("a")), make_job("e", after=after("c"))
    last = make_job("d", after=after("b", "e"))
    by_name = {job.name: job for job in Job.objects.all()}
    end(by_name["e"])  # by itself, of no chain
    end(by_name["a"])
    end(runs_of(by_name["b"])[0])
    assert runs_of(last) == []
    end(runs_of(by_name["c"])[0])
    end(runs_of(by_name["e"])[1])
    assert len(runs_of(last)) == 1


def test_jobs_that_start_apart_count_by_their_newest_runs(make_job: MakeJob, end: End) -> None:
    one, two = make_job(), make_job()
    both = make_job(after=after(one, two))
    for _ in range(2):
        end(one), end(two)
    assert len(runs_of(both)) == 2


def test_an_end_that_was_followed_does_not_count_again(make_job: MakeJob, end: End) -> None:
    one, two = make_job(), make_job()
    both = make_job(after=after(one, two))
    end(one), end(two), end(two)
    assert len(runs_of(both)) == 1


def test_a_newer_run_that_has_not_ended_is_waited_for(make_job: MakeJob, op: Actor, end: End) -> None:
    one, two = make_job(), make_job()
    both = make_job(after=after(one, two))
    end(one)
    again, _ = trigger(one, actor=op)
    end(two)
    assert runs_of(both) == []
    end(again)
    assert len(runs_of(both)) == 1


# -- what keeps it from starting -------------------------------------------------------------------------------
def reason_of(job: Job) -> str:
    run = runs_of(job)[-1]
    assert (run.state, run.is_skipped) == (State.ABORTED, True)
    return run.message


def test_a_held_job_leaves_the_reason(make_job: MakeJob, op: Actor, end: End) -> None:
    first = make_job()
    second = make_job("b", after=after(first))
    verbs.hold(second, actor=op, reason="disk is full")
    ended = end(first)
    assert reason_of(second) == "skipped: the job 'b' is on hold: disk is full"
    assert runs_of(second)[0].triggered_by == ended.pk


@pytest.mark.parametrize("when_active", ["refuse", "skip"])
def test_an_active_one_leaves_the_reason(make_job: MakeJob, op: Actor, end: End, when_active: str) -> None:
    first = make_job()
    second = make_job("b", after=after(first), when_active=when_active)
    trigger(second, actor=op)
    end(first)
    assert reason_of(second).startswith("skipped: the job 'b' is already active: execution ")


def test_what_was_skipped_starts_nothing(make_job: MakeJob, op: Actor, end: End) -> None:
    first = make_job()
    second = make_job(after=after(first))
    third = make_job(after=after(second, on="end"))
    verbs.hold(second, actor=op)
    end(first)
    assert runs_of(third) == []


def test_an_old_one_that_makes_way_is_an_end(make_job: MakeJob, op: Actor, end: End) -> None:
    first = make_job()
    second = make_job(after=after(first), when_active="replace")
    tidy = make_job(after=after(second, on="failure"))
    old, _ = trigger(second, actor=op)
    end(first)
    assert [run.state for run in runs_of(second)] == [State.ABORTED, State.QUEUED]
    assert [run.triggered_by for run in runs_of(tidy)] == [old.pk]


def test_a_deleted_job_starts_nothing_any_more(make_job: MakeJob, op: Actor) -> None:
    first = make_job()
    second = make_job(after=after(first, on="end"))
    trigger(first, actor=op)
    verbs.delete_job(first, actor=op)
    assert runs_of(second) == []


def test_a_plan_that_cannot_be_made_does_not_hinder_the_end(make_job: MakeJob, end: End) -> None:
    first = make_job()
    second = make_job(after=after(first))
    Job.objects.filter(pk=second.pk).update(params=7)  # nothing writes that; a row may be broken all the same
    ended = end(first)
    event = AuditEvent.objects.get(deed="skip")
    assert (ended.state, event.subject, "TypeError" in event.detail["reason"]) == (State.SUCCEEDED, second.name, True)


# -- by whose right --------------------------------------------------------------------------------------------
@pytest.fixture
def bobs(make_job: MakeJob, alpha: Any, bob: User) -> tuple[Job, Job]:
    """A job, and one after it that Bob has saved last."""
    first = make_job()
    document = {"name": "bobs", "actions": [{"runner": "archive_list", "spec": {"container": "c"}}]}
    return first, define({**document, "after": after(first)}, actor=actor_for(bob, face="test", project=alpha))[0]


def test_it_starts_in_the_name_of_its_editor(bobs: tuple[Job, Job], end: End) -> None:
    end(bobs[0])
    assert [run.requested_by for run in runs_of(bobs[1])] == ["bob"]


def test_an_editor_without_rights_starts_nothing(bobs: tuple[Job, Job], end: End) -> None:
    Membership.objects.update(role=Role.READER)
    end(bobs[0])
    assert reason_of(bobs[1]) == "skipped: bob, who saved this job last, may not start it any more; save it again"


def test_an_editor_who_is_gone_starts_nothing(bobs: tuple[Job, Job], bob: User, end: End) -> None:
    bob.delete()
    end(bobs[0])
    assert "may not start it any more" in reason_of(bobs[1])


def test_each_start_is_in_the_audit(bobs: tuple[Job, Job], end: End) -> None:
    ended = end(bobs[0])
    event = AuditEvent.objects.get(deed="trigger", username="bob")
    assert (event.face, event.detail) == ("chain", {"triggered_by": ended.pk})


# -- a trigger that is skipped ---------------------------------------------------------------------------------
def test_a_trigger_of_an_active_job_may_be_answered_with_a_skip(make_job: MakeJob, op: Actor) -> None:
    job = make_job(when_active="skip")
    active, _ = trigger(job, actor=op)
    execution, is_new = trigger(job, actor=op)
    assert (execution.state, is_new, active.handle in execution.message) == (State.ABORTED, True, True)


def test_a_skip_is_no_trouble_for_the_one_that_runs(make_job: MakeJob, op: Actor) -> None:
    job = make_job(when_active="skip")
    active, _ = trigger(job, actor=op)
    trigger(job, actor=op)
    active.refresh_from_db()
    assert active.state == State.QUEUED


# -- kills and races -------------------------------------------------------------------------------------------
def test_an_end_that_is_not_committed_starts_nothing(make_job: MakeJob, make_execution: MakeExecution) -> None:
    first = make_job()
    second = make_job(after=after(first))
    context = WorkerContext(make_execution(first, State.RUNNING))
    with pytest.raises(OSError), transaction.atomic():
        context.end(State.SUCCEEDED)
        raise OSError("killed before its commit")
    assert runs_of(second) == []
    context.end(State.SUCCEEDED)
    assert [run.chain for run in runs_of(second)] == [context.execution.pk]


@pytest.mark.django_db(transaction=True)
def test_predecessors_that_end_at_once_start_it_once(make_job: MakeJob, op: Actor) -> None:
    for _ in range(5):
        jobs = [make_job() for _ in range(4)]
        make_job(after=after(*jobs))
        running = [trigger(job, actor=op)[0] for job in jobs]
        for execution in running:
            execution.move(WAYS[State.RUNNING][0], **_claimed())
        at_once(4, lambda number, running=running: WorkerContext(running[number]).end(State.SUCCEEDED))
    assert JobExecution.objects.filter(triggered_by__isnull=False).count() == 5

"""Executions that wait for others."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.engine import aborts
from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.errors import Invalid
from jobs.models import Condition, Dependency, JobExecution
from jobs.states import State
from jobs.worker.report import WorkerContext
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.puppets import at_once

OPERATOR = operator("test")
Queued = Callable[..., JobExecution]
ENDS = [State.SUCCEEDED, State.FAILED, State.ABORTED]
MEETS = {Condition.SUCCESS: [State.SUCCEEDED], Condition.FAILURE: [State.FAILED, State.ABORTED], Condition.END: ENDS}
CASES = [(condition, end, end in ends) for condition, ends in MEETS.items() for end in ENDS]


def end(execution: JobExecution, to: State) -> None:
    """As a worker ends it."""
    context = WorkerContext(JobExecution.objects.get(pk=execution.pk))
    if to is State.ABORTED:
        JobExecution.objects.get(pk=execution.pk).move(State.ABORTING)
    context.end(to)


def seen(execution: JobExecution) -> tuple[str, int]:
    execution.refresh_from_db()
    return execution.state, execution.n_blocks


# -- it works --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("condition", "to", "is_met"), CASES, ids=lambda value: str(value))
def test_who_waits_runs_or_gives_up_as_its_predecessor_ends(
    make_job: MakeJob, make_execution: MakeExecution, queued: Queued, condition: Condition, to: State, is_met: bool
) -> None:
    first = make_execution(state=State.RUNNING)
    waiting = queued(make_job(), after=[first], condition=condition)
    end(first, to)
    assert seen(waiting) == ((State.QUEUED, 0) if is_met else (State.ABORTED, 1))


@pytest.mark.parametrize(("condition", "to", "is_met"), CASES, ids=lambda value: str(value))
def test_who_comes_after_the_end_runs_or_is_refused(
    make_job: MakeJob, make_execution: MakeExecution, condition: Condition, to: State, is_met: bool
) -> None:
    first, job = make_execution(state=to), make_job()
    try:
        answer = trigger(job, actor=OPERATOR, after=[first], condition=condition)[0].n_blocks
    except Invalid as error:
        answer = error.errors[0].field  # type: ignore[assignment]
    assert answer == (0 if is_met else "after")


def test_there_were_nine_cases() -> None:
    assert len(CASES) == 9


def test_it_waits_for_all(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    first, second = make_execution(state=State.RUNNING), make_execution(state=State.RUNNING)
    waiting = queued(make_job(), after=[first, second])
    end(first, State.SUCCEEDED)
    assert seen(waiting) == (State.QUEUED, 1)


def test_the_same_one_named_twice_counts_once(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    first = make_execution(state=State.RUNNING)
    waiting = queued(make_job(), after=[first, first])
    end(first, State.SUCCEEDED)
    assert seen(waiting) == (State.QUEUED, 0)


def test_who_waits_in_vain_says_for_whom(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    first = make_execution(state=State.RUNNING)
    waiting = queued(make_job(), after=[first])
    end(first, State.FAILED)
    waiting.refresh_from_db()
    assert waiting.message == f"execution {first.handle}, which this one waited for, has failed"


def test_an_abort_of_what_is_queued_is_an_end_too(make_job: MakeJob, queued: Queued) -> None:
    first = queued(make_job())
    waiting = queued(make_job(), after=[first], condition=Condition.END)
    aborts.abort(first, actor=OPERATOR)
    assert seen(waiting) == (State.QUEUED, 0)


def test_one_that_does_not_exist_any_more_is_refused(make_job: MakeJob, make_execution: MakeExecution) -> None:
    gone = make_execution(state=State.SUCCEEDED)
    JobExecution.objects.filter(pk=gone.pk).delete()
    with pytest.raises(Invalid, match="does not exist"):
        trigger(make_job(), actor=OPERATOR, after=[gone])


# -- long chains -----------------------------------------------------------------------------------------------
def test_a_chain_of_a_thousand_gives_up(make_job: MakeJob, make_execution: MakeExecution) -> None:
    first = make_execution(state=State.RUNNING)
    rows = [
        JobExecution(project_id=first.project_id, job_name="x", kind="k", handle=f"h{n}", plan={}, n_blocks=1)
        for n in range(1000)
    ]
    made = JobExecution.objects.bulk_create(rows)
    pairs = zip(made, [first, *made], strict=False)
    Dependency.objects.bulk_create(Dependency(execution=one, after=before) for one, before in pairs)
    end(first, State.FAILED)
    assert JobExecution.objects.filter(state=State.ABORTED).count() == 1000


def test_a_cleaner_at_the_end_of_a_broken_chain_runs(make_job: MakeJob, queued: Queued) -> None:
    first = queued(make_job())
    second = queued(make_job(), after=[first])
    cleaner = queued(make_job(), after=[second], condition=Condition.FAILURE)
    aborts.abort(first, actor=OPERATOR)
    assert (seen(second)[0], seen(cleaner)) == (State.ABORTED, (State.QUEUED, 0))


def test_who_was_aborted_before_is_left_alone(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    first = make_execution(state=State.RUNNING)
    waiting = queued(make_job(), after=[first])
    aborts.abort(waiting, actor=OPERATOR)
    end(first, State.FAILED)
    waiting.refresh_from_db()
    assert waiting.message == "aborted by operator before it ran"


# -- races -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("to", [State.SUCCEEDED, State.FAILED])
def test_an_end_at_the_moment_of_the_trigger_is_never_missed(
    make_job: MakeJob, make_execution: MakeExecution, to: State
) -> None:
    for _ in range(5):
        first, job = make_execution(state=State.RUNNING), make_job()

        def act(number: int, first: JobExecution = first, job: Any = job) -> object:
            return end(first, to) if number else trigger(job, actor=OPERATOR, after=[first])

        at_once(2, act)
    wanted = [(State.QUEUED, 0)] if to is State.SUCCEEDED else [(State.ABORTED, 1)]
    waiting = JobExecution.objects.filter(dependencies__isnull=False).values_list("state", "n_blocks")
    assert set(waiting) <= set(wanted)


@pytest.mark.django_db(transaction=True)
def test_predecessors_that_end_at_once_are_all_counted(
    make_job: MakeJob, make_execution: MakeExecution, queued: Queued
) -> None:
    first = [make_execution(state=State.RUNNING) for _ in range(6)]
    waiting = queued(make_job(), after=first)
    at_once(6, lambda number: end(first[number], State.SUCCEEDED))
    assert seen(waiting) == (State.QUEUED, 0)

"""`move`: one conditional update, fenced."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.errors import IllegalMove
from jobs.models import JobExecution
from jobs.models.moves import DatabaseTime
from jobs.states import LIVE, State
from tests.conftest import MakeExecution, MakeJob

OVER = {"lease_until": timezone.now() - timedelta(seconds=1)}


def row(execution: JobExecution, *fields: str) -> Any:
    values = JobExecution.objects.values_list(*fields).get(pk=execution.pk)
    return values[0] if len(fields) == 1 else values


# -- it works --------------------------------------------------------------------------------------------------
def test_it_is_one_update(make_execution: MakeExecution) -> None:
    execution = make_execution()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        execution.move(State.ABORTED, message="no")
    assert len(queries) == 1


def test_what_it_sets_is_in_memory_as_it_is_in_the_database(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    execution.move(State.FAILED, message="broken", errors=["broken", "deep"], exit_code=3)
    there = JobExecution.objects.get(pk=execution.pk)
    names = ("state", "message", "errors", "exit_code", "finished_at", "expires_at", "lease_until", "version")
    assert [getattr(execution, name) for name in names] == [getattr(there, name) for name in names]


def test_it_tells_the_version_that_the_row_has_now(make_execution: MakeExecution) -> None:
    execution = make_execution()
    JobExecution.objects.filter(pk=execution.pk).update(version=41)
    execution.move(State.ABORTED)
    assert execution.version == 42


def test_an_end_has_its_time_and_gives_up_the_lease_and_the_checkpoint(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING, checkpoint={"at": 7})
    execution.move(State.SUCCEEDED)
    finished_at, lease, checkpoint = row(execution, "finished_at", "lease_until", "checkpoint")
    assert (finished_at is not None, lease, checkpoint) == (True, None, None)


# -- what is refused -------------------------------------------------------------------------------------------
def test_an_older_attempt_moves_nothing(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING, attempt=2)
    with pytest.raises(IllegalMove):
        execution.move(State.SUCCEEDED, fence=1)
    assert row(execution, "state") == State.RUNNING


def test_the_newest_attempt_moves(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING, attempt=2)
    execution.move(State.SUCCEEDED, fence=2)
    assert row(execution, "state") == State.SUCCEEDED


def test_a_refused_move_changes_nothing_in_memory(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.SUCCEEDED)
    with pytest.raises(IllegalMove):
        execution.move(State.FAILED, message="late")
    assert (execution.state, execution.message) == (State.SUCCEEDED, "")


def test_come_from_narrows_the_table(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    with pytest.raises(IllegalMove):
        execution.move(State.QUEUED, come_from=frozenset({State.PAUSED}))


def test_come_from_does_not_widen_the_table(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.SUCCEEDED)
    with pytest.raises(IllegalMove):
        execution.move(State.ABORTED, come_from=frozenset({State.SUCCEEDED}))


def test_a_lease_that_lasts_is_not_over(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING)
    with pytest.raises(IllegalMove):
        execution.move(State.FAILED, lease_is_over=True)


def test_a_lease_that_is_over_can_be_taken_away(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.RUNNING, **OVER)
    execution.move(State.FAILED, lease_is_over=True)
    assert row(execution, "state") == State.FAILED


def test_a_lease_is_measured_with_the_databases_clock(make_execution: MakeExecution) -> None:
    execution = make_execution()
    execution.move(State.RUNNING, lease_until=DatabaseTime(60))
    until = row(execution, "lease_until")
    assert timedelta(seconds=30) < until - timezone.now() < timedelta(seconds=90)


# -- what the database itself forbids --------------------------------------------------------------------------
@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.SUCCEEDED},
        {"finished_at": timezone.now()},
        {"state": State.RUNNING, "lease_until": None},
        {"state": "asleep"},
    ],
    ids=["an end without a time", "a time without an end", "a run without a lease", "an unknown state"],
)
def test_the_database_refuses(make_execution: MakeExecution, fields: dict[str, Any]) -> None:
    execution = make_execution()
    with pytest.raises(IntegrityError):
        JobExecution.objects.filter(pk=execution.pk).update(**fields)


def test_the_database_refuses_a_second_one_in_a_slot(make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job(concurrency_limit=2)
    make_execution(job, State.RUNNING, slot_no=0)
    with pytest.raises(IntegrityError):
        make_execution(job, State.RUNNING, slot_no=0)


def test_a_slot_is_free_after_the_end(make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job(concurrency_limit=2)
    make_execution(job, State.RUNNING, slot_no=0).move(State.SUCCEEDED)
    make_execution(job, State.RUNNING, slot_no=0)
    assert JobExecution.objects.live().count() == 1


def test_live_is_what_the_table_calls_so(make_execution: MakeExecution) -> None:
    for state in State:
        make_execution(state=state)
    assert set(JobExecution.objects.live().values_list("state", flat=True)) == LIVE

"""What a run reports: merged, fenced, never lost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.errors import IllegalMove, LeaseLost
from jobs.models import ActionExecution, Archive, Dependency, Job, JobExecution, Output
from jobs.runners.context import ArchiveRecord, Stop
from jobs.states import State
from jobs.worker.report import WorkerContext
from tests.conftest import MakeExecution, MakeJob

pytestmark = pytest.mark.django_db
ARCHIVE = ArchiveRecord("box", "home", 0, "/box/home-0", 10, "00", timezone.now())


@pytest.fixture
def execution(make_execution: MakeExecution) -> JobExecution:
    return make_execution(state=State.RUNNING)


@pytest.fixture
def context(execution: JobExecution) -> WorkerContext:
    return WorkerContext(execution)


@pytest.fixture
def overtaken(context: WorkerContext) -> WorkerContext:
    """One whose execution was rescued and claimed by somebody else."""
    JobExecution.objects.filter(pk=context.execution.pk).update(attempt=2, worker="other")
    return context


def line_of(context: WorkerContext, position: int = 0) -> ActionExecution:
    return ActionExecution(execution=context.execution, position=position, attempt=1, key="k", runner="puppet")


def told(execution: JobExecution) -> Any:
    execution.refresh_from_db()
    return execution


@pytest.fixture
def broken_database() -> Iterator[list[bool]]:
    """While its only element is true, nothing can be written."""
    switch = [True]

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if switch[0] and sql.startswith(("UPDATE", "INSERT")):
            raise OperationalError("the database is away")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield switch


# -- it works --------------------------------------------------------------------------------------------------
def test_reports_are_written_in_one_update(context: WorkerContext) -> None:
    for number in range(100):
        context.progress(number, 100, "rows")
        context.report(records=number)
    with CaptureQueriesContext(connection) as queries:
        context.flush()
    assert len([q for q in queries if q["sql"].startswith("UPDATE")]) == 1


def test_nothing_to_report_asks_the_database_nothing(context: WorkerContext) -> None:
    with CaptureQueriesContext(connection) as queries:
        context.flush()
    assert not [q for q in queries if "SAVEPOINT" not in q["sql"]]


def test_a_report_makes_a_new_version(context: WorkerContext, execution: JobExecution) -> None:
    before = execution.version
    context.progress(1)
    context.flush()
    assert told(execution).version == before + 1


def test_a_renewal_makes_no_new_version(context: WorkerContext, execution: JobExecution) -> None:
    before = execution.version
    context.renew()
    assert told(execution).version == before


def test_a_checkpoint_is_written_at_once(context: WorkerContext, execution: JobExecution) -> None:
    context.checkpoint({"row": 7})
    assert told(execution).checkpoint == {"row": 7}


def test_the_next_step_does_not_get_the_checkpoint_of_the_one_before(
    context: WorkerContext, execution: JobExecution
) -> None:
    context.checkpoint("half of step 0")
    context.at_position(1)
    context.flush()
    assert (told(execution).position, execution.checkpoint, context.saved) == (1, None, None)


def test_an_archive_belongs_to_its_execution(context: WorkerContext, execution: JobExecution) -> None:
    context.archive_made(ARCHIVE)
    assert Archive.objects.get().execution == execution


def test_an_archive_that_was_removed_is_gone(context: WorkerContext) -> None:
    context.archive_made(ARCHIVE)
    context.archive_removed(ARCHIVE.path)
    assert not Archive.objects.exists()


def test_the_lease_counts_from_before_it_was_asked_for(execution: JobExecution) -> None:
    asked_at = WorkerContext(execution).renewed_at - 1000
    assert not WorkerContext(execution, leased_at=asked_at).lease_is_fresh()


# -- the fence: an attempt that lost its lease writes nothing --------------------------------------------------
def test_a_renewal_comes_too_late(overtaken: WorkerContext) -> None:
    with pytest.raises(LeaseLost):
        overtaken.renew()


def test_progress_comes_too_late(overtaken: WorkerContext, execution: JobExecution) -> None:
    overtaken.progress(9)
    with pytest.raises(LeaseLost):
        overtaken.flush()
    assert told(execution).progress_done is None


def test_output_comes_too_late(overtaken: WorkerContext) -> None:
    overtaken.log("late\n")
    with pytest.raises(LeaseLost):
        overtaken.flush()
    assert not Output.objects.exists()


def test_a_line_of_the_timeline_comes_too_late(overtaken: WorkerContext) -> None:
    overtaken.step_changed(line_of(overtaken))
    with pytest.raises(LeaseLost):
        overtaken.flush()
    assert not ActionExecution.objects.exists()


def test_a_checkpoint_comes_too_late(overtaken: WorkerContext, execution: JobExecution) -> None:
    with pytest.raises(LeaseLost):
        overtaken.checkpoint("late")
    assert told(execution).checkpoint is None


def test_a_cursor_comes_too_late(overtaken: WorkerContext, execution: JobExecution) -> None:
    with pytest.raises(LeaseLost):
        overtaken.save_cursor("late")
    assert Job.objects.get(pk=execution.job_id).cursor is None


def test_an_archive_comes_too_late(overtaken: WorkerContext) -> None:
    with pytest.raises(LeaseLost):
        overtaken.archive_made(ARCHIVE)
    assert not Archive.objects.exists()


def test_an_end_comes_too_late(overtaken: WorkerContext, execution: JobExecution) -> None:
    with pytest.raises(IllegalMove):
        overtaken.end(State.SUCCEEDED)
    assert told(execution).state == State.RUNNING


def test_who_comes_too_late_is_told_to_stop(overtaken: WorkerContext) -> None:
    overtaken.progress(1)
    with pytest.raises(LeaseLost):
        overtaken.flush()
    assert overtaken.stop_reason is Stop.LOST


def test_who_was_ended_meanwhile_comes_too_late(context: WorkerContext, execution: JobExecution) -> None:
    JobExecution.objects.get(pk=execution.pk).move(State.FAILED)
    with pytest.raises(LeaseLost):
        context.flush(force=True)


# -- a database that is away -----------------------------------------------------------------------------------
def test_what_could_not_be_written_is_written_next_time(
    context: WorkerContext, execution: JobExecution, broken_database: list[bool]
) -> None:
    context.progress(5)
    context.log("hello ")
    context.step_changed(line_of(context))
    with pytest.raises(OperationalError):
        context.flush()
    broken_database[0] = False
    context.flush()
    assert (told(execution).progress_done, Output.objects.get().text, execution.steps.count()) == (5, "hello ", 1)


def test_a_newer_report_wins_over_one_that_came_back(
    context: WorkerContext, execution: JobExecution, broken_database: list[bool]
) -> None:
    context.progress(5)
    with pytest.raises(OperationalError):
        context.flush()
    context.progress(6)
    broken_database[0] = False
    context.flush()
    assert told(execution).progress_done == 6


def test_an_end_writes_what_came_back_and_what_came_after_it(
    context: WorkerContext, execution: JobExecution, broken_database: list[bool]
) -> None:
    context.log("first ")
    with pytest.raises(OperationalError):
        context.flush()
    context.log("second")
    broken_database[0] = False
    context.end(State.SUCCEEDED)
    assert "".join(Output.objects.values_list("text", flat=True)) == "first second"


def test_a_refused_end_keeps_the_reports(context: WorkerContext, execution: JobExecution) -> None:
    context.log("hello")
    with pytest.raises(IllegalMove):
        context.end(State.SUCCEEDED, come_from=frozenset({State.ABORTING}))
    context.end(State.FAILED)
    assert Output.objects.get().text == "hello"


# -- ends ------------------------------------------------------------------------------------------------------
def test_an_end_and_the_last_reports_are_one(context: WorkerContext, execution: JobExecution) -> None:
    context.progress(9, 9)
    context.log("bye")
    context.end(State.SUCCEEDED, message="done")
    assert (told(execution).progress_done, execution.output_seq, execution.message) == (9, 1, "done")


def test_who_is_queued_again_while_the_job_is_held_waits(context: WorkerContext, execution: JobExecution) -> None:
    Job.objects.filter(pk=execution.job_id).update(is_held=True)
    context.end(State.QUEUED, lease_until=None)
    assert told(execution).n_blocks == 1


def test_who_is_queued_again_without_its_job_does_not_wait(context: WorkerContext, execution: JobExecution) -> None:
    Job.objects.filter(pk=execution.job_id).delete()
    context.end(State.QUEUED, lease_until=None)
    assert told(execution).n_blocks == 0


def test_an_end_frees_who_waits_for_it(
    context: WorkerContext, execution: JobExecution, make_execution: MakeExecution
) -> None:
    waiting = make_execution(n_blocks=1)
    Dependency.objects.create(execution=waiting, after=execution)
    context.end(State.SUCCEEDED)
    assert told(waiting).n_blocks == 0


def test_output_of_earlier_attempts_counts_for_the_limit(
    make_execution: MakeExecution, settings: Any, make_job: MakeJob
) -> None:
    settings.HUB = {**settings.HUB, "OUTPUT_LIMIT": 65536}
    execution = make_execution(state=State.RUNNING)
    for attempt in (1, 2, 3):
        JobExecution.objects.filter(pk=execution.pk).update(attempt=attempt)
        execution.refresh_from_db()
        context = WorkerContext(execution)
        context.log("x" * 200_000)
        context.flush()
    assert sum(len(text) for text in Output.objects.values_list("text", flat=True)) <= 65536


# -- time ------------------------------------------------------------------------------------------------------
def test_a_step_has_no_more_time_than_the_execution(make_execution: MakeExecution) -> None:
    context = WorkerContext(
        make_execution(state=State.RUNNING, deadline=timezone.now() + timedelta(seconds=10)),
    )
    context.begin(3600)
    assert context.remaining_s() <= 10


def test_a_new_try_has_its_own_time(context: WorkerContext) -> None:
    context.begin(0)
    assert context.should_stop()
    context.begin(60)
    assert not context.should_stop()


def test_an_abort_is_not_forgotten_by_a_new_try(context: WorkerContext) -> None:
    context.stop(Stop.ABORT)
    context.begin(60)
    assert context.stop_reason is Stop.ABORT


# -- pauses ----------------------------------------------------------------------------------------------------
def test_a_step_that_cannot_pause_does_not_hear_of_it(context: WorkerContext) -> None:
    with context.pausing(False):
        context.ask_to_pause()
        assert not context.should_stop()


def test_a_pause_is_made_before_the_next_step(context: WorkerContext) -> None:
    with context.pausing(False):
        context.ask_to_pause()
    context.begin(None)
    assert context.stop_reason is Stop.PAUSE


def test_a_step_that_can_pause_hears_of_it(context: WorkerContext) -> None:
    with context.pausing(True):
        context.ask_to_pause()
        assert context.stop_reason is Stop.PAUSE

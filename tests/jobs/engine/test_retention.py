"""What history goes, and what stays."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine import pace, retention
from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.models import Archive, Condition, JobExecution, Output
from jobs.runners.context import ArchiveRecord
from jobs.states import State
from jobs.worker.report import WorkerContext
from tests.conftest import MakeExecution, MakeJob

OPERATOR = operator("test")
PAST = timezone.now() - timedelta(days=1)


@pytest.fixture(autouse=True)
def rules(settings: Any) -> None:
    settings.HUB = {**settings.HUB, "KEEP_LAST": 0, "KEEP_DAYS": 90, "OUTPUT_DAYS": 14}


@pytest.fixture
def old(make_execution: MakeExecution) -> Any:
    """`old(job)`: one that ended long ago."""
    return lambda job=None, **fields: make_execution(job, State.SUCCEEDED, **{"expires_at": PAST, **fields})


def n_left() -> int:
    return JobExecution.objects.count()


# -- what goes -------------------------------------------------------------------------------------------------
def test_what_is_over_goes(old: Any) -> None:
    old()
    assert (retention.expire().executions, n_left()) == (1, 0)


def test_what_is_not_over_stays(make_execution: MakeExecution) -> None:
    make_execution(state=State.SUCCEEDED)
    assert (retention.expire().executions, n_left()) == (0, 1)


def test_an_end_says_when_it_will_be_over(make_job: MakeJob, make_execution: MakeExecution) -> None:
    execution = make_execution(make_job(keep={"days": 3}), State.SUCCEEDED)
    assert execution.expires_at - execution.finished_at == timedelta(days=3)


def test_without_a_rule_of_the_job_the_hubs_counts(make_execution: MakeExecution) -> None:
    execution = make_execution(state=State.FAILED)
    kept = (execution.expires_at - execution.finished_at, execution.output_expires_at - execution.finished_at)
    assert kept == (timedelta(days=90), timedelta(days=14))


def test_zero_days_are_for_ever(make_job: MakeJob, make_execution: MakeExecution) -> None:
    assert make_execution(make_job(keep={"days": 0}), State.SUCCEEDED).expires_at is None


def test_its_steps_output_and_dependencies_go_with_it(old: Any, make_execution: MakeExecution, op: Any) -> None:
    execution = make_execution(state=State.RUNNING)
    context = WorkerContext(execution)
    context.log("hello")
    context.end(State.SUCCEEDED)
    JobExecution.objects.update(expires_at=PAST)
    trigger(execution.job, actor=op, after=[execution])[0].move(State.ABORTED)
    JobExecution.objects.update(expires_at=PAST)
    retention.expire()
    assert (n_left(), Output.objects.count()) == (0, 0)


def test_its_archives_stay(make_execution: MakeExecution, tmp_path: Path) -> None:
    execution = make_execution(state=State.RUNNING)
    context = WorkerContext(execution)
    context.archive_made(ArchiveRecord("c", "n", 0, str(tmp_path), 1, "00", timezone.now()))
    context.end(State.SUCCEEDED)
    JobExecution.objects.update(expires_at=PAST)
    retention.expire()
    assert Archive.objects.get().execution is None


def test_who_was_retried_later_forgets_it(old: Any, make_execution: MakeExecution) -> None:
    later = make_execution(state="failed")
    JobExecution.objects.filter(pk=later.pk).update(retry_of=old())
    retention.expire()
    later.refresh_from_db()
    assert later.retry_of is None


def test_many_go_batch_by_batch(old: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "FIRST", 2)
    for _ in range(5):
        old()
    assert (retention.expire().executions, n_left()) == (5, 0)


def test_many_that_stay_do_not_hide_those_that_go(old: Any, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGE", 2)
    kept = make_job(keep={"last": 5})
    for _ in range(5):
        old(kept)
    old()
    assert (retention.expire().executions, n_left()) == (1, 5)


# -- what stays ------------------------------------------------------------------------------------------------
def test_the_newest_of_a_job_stay(old: Any, make_job: MakeJob) -> None:
    job = make_job(keep={"last": 2})
    made = [old(job).pk for _ in range(4)]
    retention.expire()
    assert list(JobExecution.objects.order_by("pk").values_list("pk", flat=True)) == made[2:]


def test_without_a_rule_of_the_job_so_many_as_the_hub_says_stay(old: Any, make_job: MakeJob, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "KEEP_LAST": 3}
    job = make_job()
    for _ in range(4):
        old(job)
    assert (retention.expire().executions, n_left()) == (1, 3)


def test_the_rule_of_today_keeps_what_an_older_one_would_not(old: Any, make_job: MakeJob) -> None:
    old(make_job("job", keep={"last": 1}))
    newer = make_job("job", keep={"last": 10})
    for _ in range(2):
        old(newer)
    retention.expire()
    assert n_left() == 3


def test_the_last_of_each_job_is_counted_by_itself(old: Any, make_job: MakeJob) -> None:
    for _ in range(2):
        old(make_job(keep={"last": 1}))
    assert retention.expire().executions == 0


@pytest.mark.parametrize("state", ["queued", "running", "paused", "aborting"])
def test_an_active_one_stays(make_execution: MakeExecution, state: str) -> None:
    make_execution(state=state, expires_at=PAST)
    assert (retention.expire().executions, n_left()) == (0, 1)


def test_one_that_an_active_one_waits_for_stays(old: Any, make_job: MakeJob, make_execution: MakeExecution) -> None:
    ended, other = old(), make_execution(state=State.RUNNING)
    trigger(make_job(), actor=OPERATOR, after=[ended, other], condition=Condition.END)
    assert retention.expire().executions == 0


# -- looking first ---------------------------------------------------------------------------------------------
def test_a_dry_run_tells_and_deletes_nothing(old: Any, make_job: MakeJob) -> None:
    job = make_job("nightly")
    for _ in range(2):
        old(job)
    expired = retention.expire(dry_run=True)
    assert (expired.executions, n_left()) == (2, 2)
    assert {key: weight.executions for key, weight in expired.by_job.items()} == {("nightly", "succeeded"): 2}


# -- outputs ---------------------------------------------------------------------------------------------------
@pytest.fixture
def talked(make_execution: MakeExecution) -> JobExecution:
    """One that ended, and whose output is too old by now."""
    execution = make_execution(state=State.RUNNING)
    context = WorkerContext(execution)
    context.log("hello")
    context.end(State.SUCCEEDED)
    JobExecution.objects.update(output_expires_at=PAST)
    return execution


def test_output_goes_before_its_execution(talked: JobExecution) -> None:
    assert (retention.expire().outputs, Output.objects.count(), n_left()) == (1, 0, 1)


def test_output_goes_once(talked: JobExecution) -> None:
    retention.expire()
    assert retention.expire().outputs == 0


def test_a_dry_run_keeps_the_output(talked: JobExecution) -> None:
    assert (retention.expire(dry_run=True).outputs, Output.objects.count()) == (1, 1)

"""A worker's turn."""

from collections.abc import Callable
from typing import Any

import pytest
from django_q.models import OrmQ

from jobs.engine.trigger import trigger
from jobs.models import JobExecution
from jobs.runners.context import Context
from jobs.states import State
from jobs.worker import drain as module
from jobs.worker.drain import drain
from jobs.worker.flags import FLAGS
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.conftest import Action

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]


def states() -> list[str]:
    return list(JobExecution.objects.order_by("pk").values_list("state", flat=True))


def test_it_runs_all_that_is_due(make_execution: MakeExecution) -> None:
    for _ in range(3):
        make_execution()
    drain()
    assert states() == [State.SUCCEEDED] * 3


def test_it_runs_one_after_the_other_of_a_job_with_one_slot(
    make_job: MakeJob, queued: Callable[..., JobExecution]
) -> None:
    job = make_job()
    for _ in range(3):
        queued(job)
    drain()
    assert states() == [State.SUCCEEDED] * 3


def test_it_runs_what_a_run_made_due(make_job: MakeJob, queued: Callable[..., JobExecution]) -> None:
    first = queued(make_job())
    queued(make_job(), after=[first])
    drain()
    assert states() == [State.SUCCEEDED] * 2


def test_a_run_may_trigger_another(make_job: MakeJob, action: Action, op: Any, queued: Any) -> None:
    other = make_job()
    queued(make_job(actions=[action(lambda context: trigger(other, actor=op) and None)]))
    drain()
    assert states() == [State.SUCCEEDED] * 2


def test_one_run_that_breaks_does_not_stop_the_others(make_job: MakeJob, action: Action, queued: Any) -> None:
    def fail(context: Context) -> None:
        raise SystemExit(1)

    queued(make_job(actions=[action(fail)]))
    queued(make_job())
    drain()
    assert states() == [State.FAILED, State.SUCCEEDED]


def test_it_wakes_another_when_there_is_more_than_one(make_execution: MakeExecution) -> None:
    make_execution()
    make_execution()
    drain()
    assert OrmQ.objects.count() == 1


def test_it_wakes_nobody_for_a_single_one(make_execution: MakeExecution) -> None:
    make_execution()
    drain()
    assert not OrmQ.objects.exists()


def test_it_hands_on_when_its_turn_is_over(make_execution: MakeExecution, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_S", -1)
    make_execution()
    make_execution()
    drain()
    assert (states(), OrmQ.objects.exists()) == ([State.SUCCEEDED, State.QUEUED], True)


def test_every_claim_is_counted_for_the_watchdog(make_execution: MakeExecution) -> None:
    before = FLAGS.claims
    make_execution()
    drain()
    assert FLAGS.claims == before + 1


def test_a_worker_is_the_same_in_one_process(db: None) -> None:
    assert module.this_worker() is module.this_worker()

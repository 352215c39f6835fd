"""The soft timeout: a warning, told once for each attempt, and the run goes on."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine.limits import tell_remote_soft_timeouts
from jobs.engine.report import report
from jobs.engine.rights import Actor, operator
from jobs.engine.trigger import trigger
from jobs.models import AuditEvent, JobExecution, Place
from jobs.states import State
from jobs.worker.claim import Worker, claim
from jobs.worker.drain import drain
from jobs.worker.report import WorkerContext
from tests.conftest import MakeJob
from tests.jobs.conftest import Action
from tests.jobs.puppets import output_of

PATIENCE_S = 30


def outlast(context: Any) -> None:
    """Works until its soft timeout was told, or would have been."""
    beats, until = context.soft_beats, time.monotonic() + PATIENCE_S
    context._soft_deadline = context._soft_deadline and time.monotonic()
    while context.soft_beats < beats + 3:
        assert time.monotonic() < until, "the keeper of the lease does not look"
        time.sleep(0.01)


@pytest.fixture
def counted_beats(fast_beats: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """`context.soft_beats`: how often the keeper of its lease has looked."""
    look = WorkerContext.tell_soft_timeout

    def looked(context: Any) -> None:
        look(context)
        context.soft_beats += 1

    monkeypatch.setattr(WorkerContext, "soft_beats", 0, raising=False)
    monkeypatch.setattr(WorkerContext, "tell_soft_timeout", looked)


Ran = Callable[..., JobExecution]


@pytest.fixture
def ran(make_job: MakeJob, action: Action, queued: Callable[..., JobExecution], counted_beats: None) -> Ran:
    """`ran(**fields)`: an execution that outlasts its soft timeout, after a worker's turn."""

    def run(**fields: Any) -> JobExecution:
        execution = queued(make_job(actions=[action(outlast)], **fields))
        drain()
        execution.refresh_from_db()
        return execution

    return run


def told() -> int:
    return AuditEvent.objects.filter(deed="soft timeout").count()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_takes_long_is_warned_of_and_goes_on(ran: Ran) -> None:
    execution = ran(soft_timeout_s=600)
    assert (execution.state, execution.n_warnings, told()) == (State.SUCCEEDED, 1, 1)
    assert "warning: soft timeout: it has been running for more than 600 s" in output_of(execution)


@pytest.mark.django_db(transaction=True)
def test_what_has_been_told_has_no_time_any_more(ran: Ran) -> None:
    assert ran(soft_timeout_s=600).soft_timeout_at is None


@pytest.mark.django_db(transaction=True)
def test_a_run_without_one_is_never_warned_of(ran: Ran) -> None:
    execution = ran()
    assert (execution.n_warnings, told()) == (0, 0)


@pytest.mark.django_db
def test_each_attempt_has_its_own(make_job: MakeJob, queued: Callable[..., JobExecution]) -> None:
    queued(make_job(soft_timeout_s=600))
    claimed = claim(Worker("north"))
    assert claimed is not None
    assert claimed.execution.soft_timeout_at is not None
    assert claimed.execution.soft_timeout_at > timezone.now() + timedelta(minutes=9)


@pytest.fixture
def remote(make_job: MakeJob, op: Actor) -> JobExecution:
    """One that runs on a node of its own, for longer than its soft timeout."""
    job = make_job(soft_timeout_s=60)
    trigger(job, actor=op, place=Place.REMOTE)
    long_ago = timezone.now() - timedelta(minutes=5)
    return report(job, actor=operator("test"), remote_ref="r1", node="shop", state=State.RUNNING, started_at=long_ago)


@pytest.mark.django_db
def test_a_run_on_a_node_of_its_own_is_warned_of_once(remote: JobExecution) -> None:
    for _ in range(2):
        tell_remote_soft_timeouts()
    remote.refresh_from_db()
    assert (remote.state, remote.n_warnings, told()) == (State.RUNNING, 1, 1)


@pytest.mark.django_db
def test_the_ticker_leaves_the_hubs_own_runs_to_their_workers(
    make_job: MakeJob, queued: Callable[..., JobExecution]
) -> None:
    queued(make_job(soft_timeout_s=60))
    claim(Worker("north"))
    JobExecution.objects.update(soft_timeout_at=timezone.now() - timedelta(minutes=1))
    tell_remote_soft_timeouts()
    assert told() == 0

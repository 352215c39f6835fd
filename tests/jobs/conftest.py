"""Steer runs: actions whose runner does what the test says, and a worker in this very process."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.models import Job, JobExecution
from jobs.runners import RUNNERS
from jobs.states import State
from jobs.worker import lease
from jobs.worker.drain import drain
from tests.conftest import MakeJob
from tests.jobs import puppets
from tests.jobs.puppets import Act, nothing

Action = Callable[..., dict[str, Any]]
Run = Callable[..., JobExecution]
Again = Callable[[JobExecution], JobExecution]


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> Iterator[Action]:
    """`action(function, can_pause=True, on_lost="fail", runner="boss", **fields)`: an action that calls it."""
    for name, path in puppets.RUNNERS_HERE.items():
        monkeypatch.setitem(RUNNERS, name, path)

    def make(act: Act = nothing, *, runner: str = "puppet", can_pause: bool = False, **fields: Any) -> dict[str, Any]:
        on_lost = fields.pop("on_lost", "rerun")
        spec = {"act": puppets.stage(act), "can_pause": can_pause, "on_lost": on_lost}
        return {"runner": runner, "spec": spec, **fields}

    yield make
    puppets.ACTS.clear()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease keeper's thread, which cannot see the rows of a test's transaction, does not look for them."""
    monkeypatch.setattr(lease.LeaseKeeper, "_beat", lambda keeper, context: None)


@pytest.fixture
def fast_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease keeper that looks 50 times a second."""
    monkeypatch.setattr(lease, "BEAT_S", 0.02)
    monkeypatch.setattr(lease, "_keepers", {})


@pytest.fixture
def run(make_job: MakeJob, quiet: None) -> Run:
    """`run(action, …, **job fields)`: the execution of a job of these actions after a worker's turn."""

    def run_it(*actions: dict[str, Any], **fields: Any) -> JobExecution:
        execution, _ = trigger(make_job(actions=list(actions), **fields), actor=operator("test"))
        drain()
        execution.refresh_from_db()
        return execution

    return run_it


@pytest.fixture
def again(quiet: None) -> Again:
    """Its next attempt, without waiting for its time."""

    def run_again(execution: JobExecution) -> JobExecution:
        JobExecution.objects.filter(pk=execution.pk).update(run_at=timezone.now() - timedelta(seconds=1))
        drain()
        execution.refresh_from_db()
        return execution

    return run_again


@pytest.fixture
def queued() -> Callable[..., JobExecution]:
    """`queued(job, **trigger's arguments)`: a fresh execution."""

    def make(job: Job, **given: Any) -> JobExecution:
        return trigger(job, actor=operator("test"), **given)[0]

    return make


@pytest.fixture
def leased() -> Callable[[State], dict[str, Any]]:
    """`leased(state)`: what a move there needs beside the state."""
    return lambda to: {"lease_until": timezone.now() + timedelta(minutes=5)} if to is State.RUNNING else {}

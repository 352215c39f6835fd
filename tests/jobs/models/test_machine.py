"""Whatever verbs, workers and the ticker do in whatever order, the rows keep what they promise."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from jobs.engine import aborts, chains, verbs
from jobs.engine.define import define
from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.errors import Conflict, IllegalMove, Invalid, LeaseLost
from jobs.models import Condition, Dependency, Job, JobExecution, Project
from jobs.states import ACTIVE, FINAL, LIVE, MOVES, State
from jobs.worker.claim import Worker, claim
from jobs.worker.report import WorkerContext
from jobs.worker.ticker import recount_blocked, rescue

OPERATOR = operator("test")
NOOP = {"runner": "python", "spec": {"callable": "noop"}}
JOBS: list[dict[str, Any]] = [
    {"name": "one", "concurrency_limit": 1},
    {"name": "two", "concurrency_limit": 2},
    {"name": "free", "concurrency_limit": 0, "on_lost": "fail"},
    {"name": "sharer", "concurrency_key": "disk", "concurrency_limit": 2, "when_active": "replace"},
    {"name": "other", "concurrency_key": "disk", "concurrency_limit": 2, "when_active": "refuse"},
]
PICK = st.integers(0, 1000)


class Machine(RuleBasedStateMachine):
    """Two workers on two nodes, five jobs, and everybody who may do something."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        project = Project.objects.create(name="machine")
        self.jobs = [define({**job, "actions": [NOOP]}, actor=OPERATOR, project_id=project.pk)[0] for job in JOBS]
        self.workers = [Worker("north"), Worker("south")]
        self.at_work: list[WorkerContext] = []
        self.seen: dict[int, tuple[State, int]] = {}
        self.started: list[tuple[int, int]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    # -- what happens ------------------------------------------------------------------------------------------
    def some(self, pick: int, **where: Any) -> JobExecution | None:
        rows = list(JobExecution.objects.filter(**where).order_by("pk"))
        return rows[pick % len(rows)] if rows else None

    def job(self, pick: int) -> Job:
        job = self.jobs[pick % len(self.jobs)]
        job.refresh_from_db()
        return job

    @rule(pick=PICK, after=st.none() | PICK, condition=st.sampled_from(Condition))
    def trigger(self, pick: int, after: int | None, condition: Condition) -> None:
        predecessor = None if after is None else self.some(after)
        try:
            trigger(self.job(pick), actor=OPERATOR, after=[predecessor] if predecessor else [], condition=condition)
        except (Conflict, Invalid):
            return

    @rule(pick=PICK)
    def claim(self, pick: int) -> None:
        claimed = claim(self.workers[pick % 2])
        if claimed:
            self.at_work.append(WorkerContext(claimed.execution))
            self.started.append((claimed.execution.pk, claimed.execution.attempt))

    @precondition(lambda self: self.at_work)
    @rule(pick=PICK, to=st.sampled_from([State.SUCCEEDED, State.FAILED, State.ABORTED, State.PAUSED, State.QUEUED]))
    def end(self, pick: int, to: State) -> None:
        context = self.at_work.pop(pick % len(self.at_work))
        lease: dict[str, Any] = {} if to in FINAL else {"lease_until": None}
        try:
            context.end(to, **lease)
        except IllegalMove:
            return

    @precondition(lambda self: self.at_work)
    @rule(pick=PICK)
    def renew(self, pick: int) -> None:
        try:
            self.at_work[pick % len(self.at_work)].renew()
        except LeaseLost:
            return

    @rule(pick=PICK)
    def lose(self, pick: int) -> None:
        execution = self.some(pick, state__in=[state.value for state in LIVE])
        if execution:
            past = timezone.now() - timedelta(seconds=5)
            JobExecution.objects.filter(pk=execution.pk).update(lease_until=past)
            rescue()
            JobExecution.objects.filter(state=State.QUEUED).update(run_at=past)

    @rule(pick=PICK)
    def abort(self, pick: int) -> None:
        self.try_to(pick, aborts.abort)

    @rule(pick=PICK)
    def pause(self, pick: int) -> None:
        self.try_to(pick, verbs.pause)

    @rule(pick=PICK)
    def resume(self, pick: int) -> None:
        self.try_to(pick, verbs.resume)

    def try_to(self, pick: int, verb: Any) -> None:
        execution = self.some(pick)
        if execution:
            try:
                verb(execution, actor=OPERATOR)
            except Conflict:
                return

    @rule(pick=PICK)
    def hold(self, pick: int) -> None:
        verbs.hold(self.job(pick), actor=OPERATOR)

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        verbs.release(self.job(pick), actor=OPERATOR)

    @rule()
    def recount(self) -> None:
        recount_blocked()

    # -- what is always true -----------------------------------------------------------------------------------
    @invariant()
    def an_end_has_its_time_and_a_run_its_lease(self) -> None:
        for state, finished_at, lease in JobExecution.objects.values_list("state", "finished_at", "lease_until"):
            assert (state in FINAL) == (finished_at is not None)
            assert (state in LIVE) == (lease is not None)

    @invariant()
    def no_more_run_than_there_are_slots(self) -> None:
        live = JobExecution.objects.live().exclude(slot_key="").values_list("slot_key", "slot_limit")
        for (_, limit), n in Counter(live).items():
            assert n <= limit

    @invariant()
    def what_blocks_is_counted_right(self) -> None:
        for execution in JobExecution.objects.filter(state=State.QUEUED):
            assert execution.n_blocks == chains.recount(execution), execution.handle

    @invariant()
    def nothing_runs_before_what_it_waits_for_ends(self) -> None:
        started = JobExecution.objects.exclude(state__in=[State.QUEUED, State.ABORTED])
        active = [state.value for state in ACTIVE]
        assert not Dependency.objects.filter(execution__in=started, after__state__in=active).exists()

    @invariant()
    def only_legal_moves_and_no_attempt_twice(self) -> None:
        for pk, word, attempt in JobExecution.objects.values_list("pk", "state", "attempt"):
            state = State(word)
            before, last_attempt = self.seen.get(pk, (State.QUEUED, 0))
            assert attempt >= last_attempt
            assert state is before or can_become(before, state)
            self.seen[pk] = (state, attempt)
        assert len(set(self.started)) == len(self.started)


def can_become(before: State, state: State) -> bool:
    """In one step or, when a rule made several, by way of one other state."""
    return state in MOVES[before] or any(state in MOVES[middle] for middle in MOVES[before])


@pytest.mark.django_db
def test_no_order_of_deeds_breaks_a_promise() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )

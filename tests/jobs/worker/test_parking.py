"""What waits for a slot is out of the way of the claims, and comes forward when one is given back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.engine import aborts, verbs
from jobs.engine.limits import Warden
from jobs.engine.rights import operator
from jobs.models import Job, JobExecution, Node
from jobs.states import State
from jobs.worker.claim import Worker, claim, is_due
from jobs.worker.report import WorkerContext
from tests.conftest import MakeJob
from tests.jobs.puppets import at_once

OPERATOR = operator("test")
NORTH = Worker("north")
Queued = Callable[..., JobExecution]
pytestmark = pytest.mark.django_db


def claimed(worker: Worker = NORTH) -> JobExecution | None:
    found = claim(worker)
    return found.execution if found else None


def parked() -> list[int]:
    return list(JobExecution.objects.parked().order_by("pk").values_list("pk", flat=True))


@pytest.fixture
def backlog(make_job: MakeJob, queued: Queued) -> Callable[..., list[JobExecution]]:
    """`backlog(n, **fields)`: the first of so many executions of one job runs, the others are parked."""

    def make(n: int = 4, **fields: Any) -> list[JobExecution]:
        job = make_job(**fields)
        made = [queued(job) for _ in range(n)]
        first = claimed()
        assert first == made[0] and claimed() is None
        return [first, *made[1:]]

    return make


# -- it works --------------------------------------------------------------------------------------------------
def test_a_claim_that_finds_no_slot_parks_what_waits_for_it(backlog: Callable[..., Any]) -> None:
    waiting = backlog()[1:]
    assert parked() == [one.pk for one in waiting]


def test_what_has_a_free_slot_is_not_parked(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=3)
    for _ in range(3):
        queued(job)
    claimed()
    assert parked() == []


@pytest.mark.parametrize("to", [State.SUCCEEDED, State.FAILED, State.QUEUED, State.PAUSED])
def test_the_next_comes_forward_when_the_slot_is_given_back(backlog: Callable[..., Any], to: State) -> None:
    first, second, *others = backlog()
    fields = {} if to in (State.SUCCEEDED, State.FAILED) else {"lease_until": None}
    later = {"run_at": timezone.now() + timedelta(hours=1)} if to is State.QUEUED else {}
    WorkerContext(first).end(to, **fields, **later)
    assert (claimed(), parked()) == (second, [one.pk for one in others])


def test_they_run_in_their_order(backlog: Callable[..., Any]) -> None:
    running, *others = backlog(6)
    order = []
    while running is not None:
        WorkerContext(running).end(State.SUCCEEDED)
        running = claimed()
        order += [running] if running else []
    assert order == others


def test_a_higher_priority_that_comes_later_goes_first(backlog: Callable[..., Any], queued: Queued) -> None:
    first, *_ = backlog()
    urgent = queued(first.job, priority=9)
    WorkerContext(first).end(State.SUCCEEDED)
    assert claimed() == urgent


def test_all_slots_of_a_limit_are_used_again(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=3)
    made = [queued(job) for _ in range(9)]
    running = [claimed() for _ in range(3)]
    assert claimed() is None
    for one in running:
        assert one is not None
        WorkerContext(one).end(State.SUCCEEDED)
    assert [claimed() for _ in range(3)] == made[3:6]


def test_jobs_that_share_slots_make_way_for_each_other(make_job: MakeJob, queued: Queued) -> None:
    first, second = (queued(make_job(concurrency_key="disk")) for _ in range(2))
    running = claimed()
    assert running == first and claimed() is None
    WorkerContext(running).end(State.SUCCEEDED)
    assert claimed() == second


def test_one_for_a_node_that_is_away_keeps_no_other_back(make_job: MakeJob, queued: Queued) -> None:
    first = queued(make_job(concurrency_key="disk"))
    queued(make_job(concurrency_key="disk", node="south", priority=9))
    third = queued(make_job(concurrency_key="disk"))
    assert claimed() == first
    assert claimed(Worker("south")) is None and claimed() is None
    assert len(parked()) == 2
    WorkerContext(JobExecution.objects.get(pk=first.pk)).end(State.SUCCEEDED)
    assert claimed() == third


# -- other ways out --------------------------------------------------------------------------------------------
def test_one_that_came_forward_and_is_aborted_is_followed_by_the_next(backlog: Callable[..., Any]) -> None:
    first, second, third, _ = backlog()
    WorkerContext(first).end(State.SUCCEEDED)
    aborts.abort(second, actor=OPERATOR)
    assert claimed() == third


def test_what_is_parked_can_be_aborted(backlog: Callable[..., Any]) -> None:
    _, second, *_ = backlog()
    aborts.abort(second, actor=OPERATOR)
    assert second.state == State.ABORTED


def test_a_release_brings_back_what_was_held(backlog: Callable[..., Any]) -> None:
    first, second, *_ = backlog()
    verbs.hold(first.job, actor=OPERATOR)
    WorkerContext(first).end(State.SUCCEEDED)
    assert claimed() is None
    verbs.release(first.job, actor=OPERATOR)
    assert claimed() == second


def test_a_hold_of_one_job_leaves_its_slot_to_another(make_job: MakeJob, queued: Queued) -> None:
    jobs = [make_job(concurrency_key="disk") for _ in range(3)]
    made = [queued(job) for job in jobs]
    running = claimed()
    assert running == made[0] and claimed() is None
    WorkerContext(running).end(State.SUCCEEDED)
    verbs.hold(jobs[1], actor=OPERATOR)
    assert claimed() == made[2]


def test_who_was_forgotten_is_found(backlog: Callable[..., Any]) -> None:
    _, second, *_ = backlog()
    JobExecution.objects.live().delete()  # nothing does that; all the same
    assert claimed() is None
    Warden().free_parked()
    assert claimed() == second


def test_the_warden_leaves_alone_who_has_no_slot_yet(backlog: Callable[..., Any]) -> None:
    waiting = backlog()[1:]
    Warden().free_parked()
    assert parked() == [one.pk for one in waiting]


# -- many ------------------------------------------------------------------------------------------------------
@pytest.fixture
def behind(make_job: MakeJob, queued: Queued) -> JobExecution:
    """One behind very many that wait for one slot."""
    job = make_job(priority=9)
    first = queued(job)
    rows = [JobExecution(**{**_fields(first), "handle": f"more-{n}"}) for n in range(1200)]
    JobExecution.objects.bulk_create(rows)
    return queued(make_job())


def _fields(execution: JobExecution) -> dict[str, Any]:
    own = {"id", "uuid", "log_uuid", "handle"}
    return {f.attname: getattr(execution, f.attname) for f in JobExecution._meta.concrete_fields if f.name not in own}


def test_very_many_that_wait_do_not_hide_the_one_behind_them(behind: JobExecution) -> None:
    claimed()
    assert is_due("north")
    assert claimed() == behind


def test_the_second_claim_looks_at_none_of_them(behind: JobExecution, queued: Queued, make_job: MakeJob) -> None:
    while claimed() is not None:
        pass
    queued(make_job())
    with CaptureQueriesContext(connection) as queries:
        assert claimed() is not None
    assert len([q for q in queries if "SAVEPOINT" not in str(q["sql"])]) == 2
    assert len(parked()) == 1200


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite how it would answer")
def test_a_claim_reads_its_own_part_of_the_index(make_job: MakeJob, queued: Queued) -> None:
    queued(make_job())
    with CaptureQueriesContext(connection) as queries:
        claimed()
    question = next(q["sql"] for q in queries if "pinned_to" in q["sql"] and q["sql"].startswith("SELECT"))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {question}")
        told = "\n".join(str(row) for row in cursor.fetchall())
    assert told.count("exec_due") == 2
    assert "exec_slots" in told or "exec_on_node" in told


# -- races -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_nobody_stays_parked_while_claims_and_ends_cross(make_job: MakeJob, queued: Queued) -> None:
    job: Job = make_job()
    for _ in range(40):
        queued(job)

    def work(number: int) -> int:
        worker, done, idle = Worker(f"node-{number}"), 0, 0
        while idle < 40:
            found = claim(worker)
            if found:
                WorkerContext(found.execution).end(State.SUCCEEDED)
                done += 1
            idle = 0 if found else idle + 1
        return done

    answers = at_once(4, work)
    assert (sum(n for n in answers if isinstance(n, int)), parked()) == (40, [])


def test_a_node_that_was_never_heard_of_claims_all_the_same(make_job: MakeJob, queued: Queued) -> None:
    assert not Node.objects.exists()
    assert claimed() is None
    queued(make_job())
    assert claimed() is not None

"""Who gets what: order, time, nodes and slots."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.engine import verbs
from jobs.engine.rights import operator
from jobs.models import JobExecution, Place
from jobs.states import State
from jobs.worker.claim import Worker, claim
from jobs.worker.report import WorkerContext
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.puppets import at_once

NORTH, SOUTH = Worker("north"), Worker("south")
Queued = Callable[..., JobExecution]


def claimed(worker: Worker = NORTH) -> int | None:
    found = claim(worker)
    return found.execution.pk if found else None


def all_claimed(worker: Worker = NORTH) -> list[int]:
    found = []
    while (pk := claimed(worker)) is not None:
        found.append(pk)
    return found


# -- it works --------------------------------------------------------------------------------------------------
def test_nothing_is_due_on_an_empty_hub(db: None) -> None:
    assert claim(NORTH) is None


def test_a_claim_makes_an_attempt_with_a_lease(make_execution: MakeExecution) -> None:
    make_execution()
    found = claim(NORTH)
    assert found is not None
    there = JobExecution.objects.get(pk=found.execution.pk)
    told = (there.state, there.attempt, there.node, there.worker)
    assert (told, there.lease_until is not None) == ((State.RUNNING, 1, "north", NORTH.id), True)


def test_what_is_claimed_is_the_row_as_the_orm_reads_it(make_execution: MakeExecution) -> None:
    make_execution(checkpoint={"at": [1, None]}, records=None, last_id="é")
    found = claim(NORTH)
    assert found is not None
    there = JobExecution.objects.get(pk=found.execution.pk)
    names = [f.attname for f in JobExecution._meta.concrete_fields if f.attname != "lease_until"]
    assert [getattr(found.execution, name) for name in names] == [getattr(there, name) for name in names]


def test_it_tells_whether_there_is_more(make_execution: MakeExecution) -> None:
    make_execution()
    make_execution()
    answers = [claim(NORTH), claim(NORTH)]
    assert [one.more for one in answers if one] == [True, False]


def test_a_new_attempt_has_its_own_deadline(make_execution: MakeExecution, make_job: MakeJob) -> None:
    make_execution(make_job(timeout_s=600))
    found = claim(NORTH)
    assert found is not None
    assert found.execution.deadline is not None
    assert found.execution.deadline > timezone.now() + timedelta(minutes=9)


def test_an_old_request_to_pause_does_not_concern_a_new_attempt(make_execution: MakeExecution) -> None:
    make_execution(pause_requested_at=timezone.now())
    found = claim(NORTH)
    assert found is not None
    assert found.execution.pause_requested_at is None


def test_a_claim_costs_two_statements(make_execution: MakeExecution) -> None:
    make_execution()
    with CaptureQueriesContext(connection) as queries:
        claim(NORTH)
    statements = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert len(statements) == 2


# -- the order -------------------------------------------------------------------------------------------------
def test_the_oldest_comes_first(make_execution: MakeExecution) -> None:
    made = [make_execution().pk for _ in range(3)]
    assert all_claimed() == made


def test_a_higher_priority_comes_before_an_older_one(make_job: MakeJob, queued: Queued) -> None:
    low = queued(make_job(priority=-1)).pk
    plain = queued(make_job()).pk
    high = queued(make_job(), priority=5).pk
    assert all_claimed() == [high, plain, low]


def test_the_earlier_time_comes_first(make_job: MakeJob, queued: Queued) -> None:
    now = timezone.now()
    late, early = (queued(make_job(), run_at=now - timedelta(seconds=s)).pk for s in (5, 50))
    assert all_claimed() == [early, late]


def test_of_the_same_time_the_lower_id_comes_first(make_job: MakeJob, queued: Queued) -> None:
    at = timezone.now() - timedelta(seconds=5)
    made = [queued(make_job(), run_at=at).pk for _ in range(3)]
    assert all_claimed() == made


def test_what_has_just_been_queued_is_due_at_once(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=0)
    assert [queued(job).pk == claimed() for _ in range(20)] == [True] * 20


# -- what is not due -------------------------------------------------------------------------------------------
def test_what_has_its_time_later_is_not_due(make_job: MakeJob, queued: Queued) -> None:
    queued(make_job(), run_at=timezone.now() + timedelta(minutes=1))
    assert claimed() is None


def test_what_is_blocked_is_not_due(make_execution: MakeExecution) -> None:
    make_execution(n_blocks=1)
    assert claimed() is None


def test_what_a_remote_node_does_is_not_due(make_job: MakeJob, queued: Queued) -> None:
    queued(make_job(), place=Place.REMOTE)
    assert claimed() is None


@pytest.mark.parametrize("state", [state for state in State if state is not State.QUEUED])
def test_what_is_not_queued_is_not_due(make_execution: MakeExecution, state: State) -> None:
    make_execution(state=state)
    assert claimed() is None


# -- nodes -----------------------------------------------------------------------------------------------------
def test_a_pinned_one_is_for_its_node_only(make_job: MakeJob, queued: Queued) -> None:
    pk = queued(make_job(node="south")).pk
    assert (claimed(NORTH), claimed(SOUTH)) == (None, pk)


def test_a_node_with_an_odd_name_gets_its_own(make_job: MakeJob, queued: Queued) -> None:
    pk = queued(make_job(node="o'n%s é")).pk
    assert claimed(Worker("o'n%s é")) == pk


# -- slots -----------------------------------------------------------------------------------------------------
def test_a_job_runs_once_at_a_time(make_job: MakeJob, queued: Queued) -> None:
    job = make_job()
    first = queued(job).pk
    queued(job)
    assert all_claimed() == [first]


def test_a_job_without_a_limit_runs_as_often_as_it_is_due(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=0)
    made = [queued(job).pk for _ in range(3)]
    assert all_claimed() == made


def test_a_limit_of_two_is_two_slots(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=2)
    for _ in range(4):
        queued(job)
    all_claimed()
    assert sorted(JobExecution.objects.live().values_list("slot_no", flat=True)) == [0, 1]


def test_the_lowest_free_slot_is_taken(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=2)
    for _ in range(3):
        queued(job)
    first = all_claimed()[0]
    WorkerContext(JobExecution.objects.get(pk=first)).end(State.SUCCEEDED)
    pk = claimed()
    assert JobExecution.objects.get(pk=pk).slot_no == 0


def test_jobs_with_the_same_key_share_their_slots(make_job: MakeJob, queued: Queued) -> None:
    one, other = (queued(make_job(concurrency_key="disk")).pk for _ in range(2))
    assert (all_claimed(), JobExecution.objects.get(pk=other).state) == ([one], State.QUEUED)


def test_the_same_key_in_another_project_is_another(make_job: MakeJob, queued: Queued, beta: Any) -> None:
    queued(make_job(concurrency_key="disk"))
    queued(make_job(concurrency_key="disk", project=beta))
    assert len(all_claimed()) == 2


def test_a_full_job_does_not_keep_others_waiting(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(priority=9)
    first, _, other = queued(job).pk, queued(job), queued(make_job()).pk
    assert all_claimed() == [first, other]


def test_a_paused_one_leaves_its_slot(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    job = make_job()
    make_execution(job, State.PAUSED)
    pk = queued(job).pk
    assert claimed() == pk


def test_an_aborting_one_keeps_its_slot(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    job = make_job()
    make_execution(job, State.ABORTING)
    queued(job)
    assert claimed() is None


def test_a_new_job_of_a_deleted_ones_name_has_slots_of_its_own(make_job: MakeJob, queued: Queued) -> None:
    job = make_job("gone")
    queued(job)
    claimed()
    verbs.delete_job(job, actor=operator("test"))
    again = make_job("gone")
    queued(again)
    assert claimed() is not None


# -- races -----------------------------------------------------------------------------------------------------
def workers_claim(n: int) -> list[Any]:
    return at_once(n, lambda number: claimed(Worker(f"node-{number}")))


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_get_the_same(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=0)
    made = {queued(job).pk for _ in range(8)}
    got = [pk for _ in range(4) for pk in workers_claim(4) if pk is not None]
    assert (sorted(got), sorted(got)) == (sorted(set(got)), sorted(made))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_run_than_there_are_slots_however_many_claim(make_job: MakeJob, queued: Queued, limit: int) -> None:
    job = make_job(concurrency_limit=limit)
    for _ in range(12):
        queued(job)
    got = [pk for _ in range(3) for pk in workers_claim(6) if pk is not None]
    assert (len(got), JobExecution.objects.live().count()) == (limit, limit)


@pytest.mark.django_db(transaction=True)
def test_no_slot_is_taken_twice_while_others_are_given_back(make_job: MakeJob, queued: Queued) -> None:
    job = make_job(concurrency_limit=2)
    for _ in range(24):
        queued(job)

    def work(number: int) -> int:
        most = 0
        for _ in range(6):
            if found := claim(Worker(f"node-{number}")):
                most = max(most, JobExecution.objects.live().count())
                WorkerContext(found.execution).end(State.SUCCEEDED)
        return most

    assert max(at_once(4, work)) <= 2  # type: ignore[type-var]

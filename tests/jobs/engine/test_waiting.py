"""Why a queued execution is not running."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.engine import verbs
from jobs.engine.rights import operator
from jobs.engine.waiting import SHOWN, waiting_for
from jobs.models import JobExecution, Node
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob

OPERATOR = operator("test")
Queued = Callable[..., JobExecution]


def reasons(execution: JobExecution) -> list[dict[str, object]]:
    return waiting_for([JobExecution.objects.get(pk=execution.pk)])[execution.pk]


def kinds(execution: JobExecution) -> list[object]:
    return [reason["kind"] for reason in reasons(execution)]


@pytest.fixture
def node(db: None) -> Node:
    return Node.objects.create(name="north", workers=2)


def test_it_waits_for_another_execution(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    first = make_execution(state=State.RUNNING)
    reason = reasons(queued(make_job(), after=[first]))[0]
    assert (reason["kind"], reason["executions"]) == ("execution", [first.handle])


def test_it_does_not_wait_for_one_that_has_ended(
    make_job: MakeJob, make_execution: MakeExecution, queued: Queued
) -> None:
    ended, active = make_execution(state=State.SUCCEEDED), make_execution(state=State.RUNNING)
    assert reasons(queued(make_job(), after=[ended, active]))[0]["executions"] == [active.handle]


def test_it_waits_for_the_release_of_its_job(make_job: MakeJob, queued: Queued) -> None:
    job, until = make_job(), timezone.now() + timedelta(hours=1)
    execution = queued(job)
    verbs.hold(job, actor=OPERATOR, reason="disk is full", until=until)
    reason = reasons(execution)[0]
    assert (reason["kind"], reason["reason"], reason["until"]) == ("hold", "disk is full", until)


def test_it_waits_for_its_time(make_job: MakeJob, queued: Queued) -> None:
    at = timezone.now() + timedelta(hours=1)
    reason = reasons(queued(make_job(), run_at=at))[0]
    assert (reason["kind"], reason["until"]) == ("time", at)


def test_it_waits_for_a_slot(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    job = make_job()
    holder = make_execution(job, State.RUNNING)
    reason = reasons(queued(job))[0]
    assert (reason["kind"], reason["executions"]) == ("slot", [holder.handle])


def test_it_waits_for_a_slot_that_another_job_holds(
    make_job: MakeJob, make_execution: MakeExecution, queued: Queued
) -> None:
    holder = make_execution(make_job(concurrency_key="disk"), State.ABORTING)
    assert reasons(queued(make_job(concurrency_key="disk")))[0]["executions"] == [holder.handle]


def test_it_waits_for_a_node_that_does_not_report(make_job: MakeJob, queued: Queued, node: Node) -> None:
    reason = reasons(queued(make_job(node="south")))[0]
    assert (reason["kind"], reason["node"]) == ("node", "south")


def test_it_waits_for_a_worker_where_none_runs(make_job: MakeJob, queued: Queued) -> None:
    reason = reasons(queued(make_job()))[0]
    assert (reason["kind"], "none is running" in str(reason["text"])) == ("worker", True)


def test_it_waits_for_a_free_worker(make_job: MakeJob, queued: Queued, node: Node) -> None:
    assert reasons(queued(make_job()))[0]["text"] == "a free worker: there are 2"


def test_a_node_that_was_last_heard_of_long_ago_does_not_count(make_job: MakeJob, queued: Queued, node: Node) -> None:
    Node.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    assert "none is running" in str(reasons(queued(make_job()))[0]["text"])


def test_it_tells_all_reasons(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    job = make_job(node="south")
    make_execution(job, State.RUNNING)
    later = timezone.now() + timedelta(hours=1)
    execution = queued(job, after=[make_execution(state=State.RUNNING)], run_at=later)
    verbs.hold(job, actor=OPERATOR)
    assert kinds(execution) == ["execution", "hold", "time", "slot", "node"]


def test_of_very_many_it_names_the_first(make_job: MakeJob, make_execution: MakeExecution, queued: Queued) -> None:
    first = [make_execution(state=State.RUNNING) for _ in range(SHOWN + 2)]
    reason = reasons(queued(make_job(), after=first))[0]
    assert (len(reason["executions"]), str(reason["text"]).endswith("and 2 more")) == (SHOWN, True)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [state for state in State if state is not State.QUEUED])
def test_what_is_not_queued_waits_for_nothing(make_execution: MakeExecution, state: State) -> None:
    assert waiting_for([make_execution(state=state)]) == {}


@pytest.mark.parametrize("n", [1, 8])
def test_it_costs_few_queries_however_many_there_are(
    make_job: MakeJob, make_execution: MakeExecution, queued: Queued, n: int
) -> None:
    first = make_execution(state=State.RUNNING)
    job = make_job()
    made = [queued(job, after=[first]) for _ in range(n)]
    verbs.hold(job, actor=OPERATOR)
    rows = list(JobExecution.objects.filter(pk__in=[one.pk for one in made]))
    with CaptureQueriesContext(connection) as queries:
        waiting_for(rows)
    assert len(queries) <= 5

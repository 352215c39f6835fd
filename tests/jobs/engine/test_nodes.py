"""Nodes: how they are, and what is drained, labelled and limited."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine import nodes
from jobs.engine.nodes import NodeState, change_node, drain, state_of, undrain
from jobs.engine.rights import Actor, actor_for, operator
from jobs.engine.trigger import trigger
from jobs.engine.waiting import waiting_for
from jobs.errors import Forbidden, Invalid, NotFound
from jobs.models import AuditEvent, Job, JobExecution, Node, Place, User
from jobs.states import State
from jobs.worker.claim import Worker, claim, is_due
from jobs.worker.report import WorkerContext
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.puppets import at_once

pytestmark = pytest.mark.django_db
OPERATOR = operator("test")
Queued = Callable[..., JobExecution]


@pytest.fixture
def north(db: None) -> Node:
    return Node.objects.create(name="north", workers=4)


def claimed(node: str = "north") -> JobExecution | None:
    """By a worker that has just looked at its node."""
    found = claim(Worker(node))
    return found.execution if found else None


def reason(execution: JobExecution) -> tuple[Any, ...]:
    first = waiting_for([JobExecution.objects.get(pk=execution.pk)])[execution.pk][0]
    return first["kind"], first["text"]


# -- how they are ----------------------------------------------------------------------------------------------
def test_a_node_that_reports_is_up(north: Node) -> None:
    assert state_of(north, 3) == NodeState.UP


def test_a_drained_node_is_draining_while_it_has_work(north: Node) -> None:
    drain(north, actor=OPERATOR)
    assert [state_of(north, n) for n in (2, 0)] == [NodeState.DRAINING, NodeState.DRAINED]


@pytest.mark.parametrize(("interval_s", "ago_s", "is_silent"), [(0, 31, True), (0, 25, False), (60, 300, False)])
def test_a_node_is_silent_after_its_own_time(north: Node, interval_s: int, ago_s: int, is_silent: bool) -> None:
    north.interval_s, north.seen_at = interval_s, timezone.now() - timedelta(seconds=ago_s)
    assert (state_of(north, 0) is NodeState.SILENT) == is_silent


# -- drained ---------------------------------------------------------------------------------------------------
def test_a_drained_node_takes_no_new_work(north: Node, make_execution: MakeExecution) -> None:
    make_execution()
    worker = Worker("north")
    assert worker.here.name == "north"  # it knows its node from before
    drain(north, actor=OPERATOR)
    assert (claim(worker), is_due("north")) == (None, False)
    assert claimed("south") is not None


def test_what_runs_on_it_goes_on(north: Node, make_execution: MakeExecution) -> None:
    make_execution()
    running = claimed()
    drain(north, actor=OPERATOR)
    assert running is not None
    WorkerContext(running).end(State.SUCCEEDED)
    assert running.state == State.SUCCEEDED


def test_an_undrained_node_takes_work_again(north: Node, make_execution: MakeExecution) -> None:
    make_execution()
    drain(north, actor=OPERATOR, reason="disk")
    undrain(north, actor=OPERATOR)
    assert claimed() is not None
    assert (north.drained_at, north.drain_reason, north.drained_by) == (None, "", "")


def test_a_second_drain_changes_the_reason_and_not_the_time(north: Node) -> None:
    drain(north, actor=OPERATOR, reason="disk")
    since = north.drained_at
    drain(north, actor=OPERATOR, reason="memory")
    assert (north.drained_at, north.drain_reason) == (since, "memory")


def test_a_drained_node_that_polls_is_asked_for_nothing(north: Node, make_job: MakeJob, op: Actor) -> None:
    drain(north, actor=OPERATOR)
    execution, _ = trigger(make_job(node="north"), actor=op, place=Place.REMOTE)
    assert execution.asked_at is None
    assert not JobExecution.objects.due_remote(timezone.now()).exists()
    undrain(north, actor=OPERATOR)
    assert JobExecution.objects.due_remote(timezone.now()).get() == execution


# -- labelled --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("field", ["labels", "own_labels"])
def test_what_is_pinned_to_a_label_runs_where_it_is(north: Node, make_job: MakeJob, queued: Queued, field: str) -> None:
    pinned = queued(make_job(node="label:gpu"))
    assert claimed() is None
    Node.objects.update(**{field: ["ssd", "gpu"]})
    assert claimed("south") is None
    assert claimed() == pinned


def test_of_all_that_a_node_may_run_the_best_comes_first(north: Node, make_job: MakeJob, queued: Queued) -> None:
    change_node(north, {"labels": ["gpu"]}, actor=OPERATOR)
    made = [queued(make_job(node=node), priority=n) for n, node in enumerate(["", "label:gpu", "north", "label:gpu"])]
    assert [claimed() for _ in made] == made[::-1]


def test_a_node_may_lose_its_labels(north: Node) -> None:
    change_node(north, {"labels": ["gpu"], "max_running": 3}, actor=OPERATOR)
    change_node(north, {"labels": []}, actor=OPERATOR)
    assert (north.all_labels, north.max_running) == ([], 3)


@pytest.mark.parametrize("node", ["label:", "label:GPU", "label:a b", "label:-", f"label:{'a' * 64}", "a\0", "x" * 101])
def test_a_job_with_a_wrong_label_is_refused(make_job: MakeJob, node: str) -> None:
    with pytest.raises(Invalid) as caught:
        make_job(node=node)
    assert [error.field for error in caught.value.errors] == ["node"]


# -- limited ---------------------------------------------------------------------------------------------------
def test_a_node_runs_no_more_than_it_may(north: Node, make_job: MakeJob, queued: Queued) -> None:
    change_node(north, {"max_running": 2}, actor=OPERATOR)
    job = make_job(concurrency_limit=0)
    for _ in range(4):
        queued(job)
    running = [claimed() for _ in range(3)]
    assert (running[2], is_due("north")) == (None, False)
    assert running[0] is not None
    WorkerContext(running[0]).end(State.SUCCEEDED)
    assert claimed() is not None


def test_the_limit_of_one_is_none_of_another(north: Node, make_job: MakeJob, queued: Queued) -> None:
    change_node(north, {"max_running": 1}, actor=OPERATOR)
    job = make_job(concurrency_limit=0)
    for _ in range(3):
        queued(job)
    assert [claimed() is None, claimed() is None, claimed("south") is None] == [False, True, False]


@pytest.mark.django_db(transaction=True)
def test_a_limit_holds_however_many_claim_at_once(north: Node, make_job: MakeJob, queued: Queued) -> None:
    change_node(north, {"max_running": 2}, actor=OPERATOR)
    job: Job = make_job(concurrency_limit=0)
    for _ in range(12):
        queued(job)
    for _ in range(3):
        at_once(6, lambda _: claimed())
    assert JobExecution.objects.live().count() == 2


# -- why something waits ---------------------------------------------------------------------------------------
def test_it_waits_for_a_drained_node(north: Node, make_job: MakeJob, queued: Queued) -> None:
    drain(north, actor=OPERATOR, reason="new disk")
    waiting = queued(make_job(node="north"))
    assert reason(waiting) == ("node", "the node 'north', which is drained: new disk")


def test_it_waits_for_a_label(north: Node, make_job: MakeJob, queued: Queued) -> None:
    waiting = queued(make_job(node="label:gpu"))
    assert reason(waiting) == ("node", "a node labelled 'gpu', which does not report")


def test_it_waits_for_a_place_on_a_node(north: Node, make_job: MakeJob, queued: Queued) -> None:
    change_node(north, {"max_running": 1, "labels": ["gpu"]}, actor=OPERATOR)
    job = make_job(node="label:gpu", concurrency_limit=0)
    queued(job), claimed()
    assert reason(queued(job)) == ("node_limit", "a place on a node labelled 'gpu', which runs as many as it may (1)")


def test_where_all_are_drained_it_waits_for_one_that_is_not(north: Node, make_job: MakeJob, queued: Queued) -> None:
    drain(north, actor=OPERATOR)
    assert reason(queued(make_job())) == ("node", "a node that takes work, which is drained")


def test_the_workers_of_a_drained_node_are_not_waited_for(north: Node, make_job: MakeJob, queued: Queued) -> None:
    Node.objects.create(name="south", workers=2)
    drain(north, actor=OPERATOR)
    assert reason(queued(make_job())) == ("worker", "a free worker: there are 2")


# -- who may, and what is refused ------------------------------------------------------------------------------
@pytest.mark.parametrize("deed", [drain, undrain, lambda node, actor: change_node(node, {"labels": []}, actor=actor)])
def test_only_superusers_change_nodes(north: Node, alice: User, deed: Any) -> None:
    with pytest.raises(Forbidden):
        deed(north, actor=actor_for(alice, face="test"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"labels": ["GPU"]}, "labels.0"),
        ({"labels": ["a", "a"]}, "labels"),
        ({"labels": "gpu"}, "labels"),
        ({"labels": ["a"] * 51}, "labels"),
        ({"labels": ["a\0"]}, "labels.0"),
        ({"max_running": 0}, "max_running"),
        ({"max_running": 1001}, "max_running"),
        ({"name": "x"}, "name"),
        ([], ""),
    ],
)
def test_a_wrong_change_is_named_and_changes_nothing(north: Node, changes: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        change_node(north, changes, actor=OPERATOR)
    assert caught.value.errors[0].field == field
    assert Node.objects.get().labels == []


@pytest.mark.parametrize("text", ["x" * 501, "a\0", "\udc80"])
def test_a_reason_that_no_row_holds_is_refused(north: Node, text: str) -> None:
    with pytest.raises(Invalid):
        drain(north, actor=OPERATOR, reason=text)


def test_a_node_is_found_by_name_id_and_uuid(north: Node, op: Actor) -> None:
    found = [nodes.find_node(ref, actor=op) for ref in ("north", str(north.pk), str(north.uuid))]
    assert found == [north] * 3


@pytest.mark.parametrize("ref", ["south", "0", "9" * 30, "a\0", "²"])
def test_there_is_no_other_node(north: Node, op: Actor, ref: str) -> None:
    with pytest.raises(NotFound):
        nodes.find_node(ref, actor=op)


def test_each_deed_is_in_the_audit(north: Node) -> None:
    drain(north, actor=OPERATOR, reason="disk")
    undrain(north, actor=OPERATOR)
    undrain(north, actor=OPERATOR)
    change_node(north, {"max_running": 2}, actor=OPERATOR)
    deeds = AuditEvent.objects.order_by("pk").values_list("deed", "subject")
    assert list(deeds) == [("drain", "north"), ("undrain", "north"), ("edit node", "north")]

"""What nodes of their own tell about themselves and about the runs that they do."""

import math
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from jobs.engine import chains, limits
from jobs.engine.nodes import allowed_silence_s, is_silent
from jobs.engine.rights import Actor, Right, audit, operator
from jobs.engine.trigger import new_execution, save_named
from jobs.errors import Conflict, IllegalMove, Invalid
from jobs.models import Job, JobExecution, Node, Place
from jobs.states import FINAL, State

REPORTED = frozenset({State.RUNNING, *FINAL})
TRIES = 5


def register_node(name: str, *, interval_s: int) -> None:
    """A node that polls by itself says that it is alive, and how often it will say so.

    Raises `Conflict` for the name of one whose workers are the hub's.
    """
    said = {"seen_at": timezone.now(), "interval_s": interval_s}
    if Node.objects.filter(name=name, interval_s__gt=0).update(**said):
        return
    if not Node.objects.get_or_create(name=name, defaults=said)[0].interval_s:
        raise Conflict(f"{name!r} is a node of the hub's own workers")


def report(
    job: Job,
    *,
    actor: Actor,
    remote_ref: str,
    node: str,
    state: State,
    started_at: datetime | None = None,
    finished_at: datetime | None = None,
    **told: Any,
) -> JobExecution:
    """Take in what a node says of one run of a job: `running` or an end.

    `remote_ref` is the node's own name of the run: the same report twice changes nothing. The run is the one of that
    name, else the oldest queued one that the node was asked for, else a new row. `told` are `message`, `errors`,
    `exit_code`, `records`, `last_id` and progress. Raises `Invalid` for another state.
    """
    actor.require(Right.TRIGGER, job.project_id, "reporting a run")
    if state not in REPORTED or not remote_ref:
        raise Invalid.field("state", f"wanted a name of the run and one of {', '.join(sorted(REPORTED))}")
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                execution = _run_of(job, actor, remote_ref)
                before = execution.state
                _advance(execution, state, node=node, started_at=started_at, finished_at=finished_at, told=told)
                if execution.state != before:
                    audit(actor, "report", execution.handle, job.project_id, state=execution.state)
        except IntegrityError:
            continue
        return execution
    raise IllegalMove(f"the run {remote_ref!r} is reported by too many at once; try again")


def _run_of(job: Job, actor: Actor, remote_ref: str) -> JobExecution:
    runs = JobExecution.objects.select_for_update().filter(job=job, place=Place.REMOTE)
    if known := runs.filter(remote_ref=remote_ref).first():
        return known
    asked = runs.filter(remote_ref="", state=State.QUEUED, asked_at__isnull=False)
    if waiting := asked.order_by("pk").first():
        JobExecution.objects.filter(pk=waiting.pk).update(remote_ref=remote_ref)
        return waiting
    execution = new_execution(job, actor=actor, place=Place.REMOTE)
    execution.remote_ref = remote_ref
    save_named(execution)
    return execution


def _advance(
    execution: JobExecution,
    state: State,
    *,
    node: str,
    started_at: datetime | None,
    finished_at: datetime | None,
    told: dict[str, Any],
) -> None:
    """As far as the table of moves allows; a report that comes late or twice is passed over."""
    if execution.state == State.QUEUED:
        started_at = started_at or timezone.now()
        soft_at = limits.soft_timeout_of(execution, started_at)
        execution.move(
            State.RUNNING, node=node, started_at=started_at, soft_timeout_at=soft_at, attempt=execution.attempt + 1
        )
    if execution.state in FINAL:
        return
    if state is State.ABORTED and execution.state == State.RUNNING:
        execution.move(State.ABORTING, abort_requested_at=timezone.now(), abort_requested_by=node)
    if state in FINAL:
        at: dict[str, Any] = {} if finished_at is None else {"finished_at": finished_at}
        execution.move(state, **at, **told)
        chains.settle(execution)
    elif told:
        JobExecution.objects.filter(pk=execution.pk).update(version=F("version") + 1, **told)


def fail_silent_nodes(listened_s: float = math.inf) -> None:
    """End the runs of nodes that have been silent for ten of their intervals.

    `listened_s`: how long the hub has listened without a break; no silence that it knows of is longer.
    """
    now = timezone.now()
    for node in Node.objects.filter(interval_s__gt=0):
        if listened_s < allowed_silence_s(node) or not is_silent(node, now):
            continue
        text = f"node lost: {node.name} has not been heard of since {node.seen_at:%Y-%m-%d %H:%M:%S %Z}"
        for execution in JobExecution.objects.live().filter(place=Place.REMOTE, node=node.name):
            _lose(execution, text)


def _lose(execution: JobExecution, text: str) -> None:
    with transaction.atomic():
        try:
            execution.move(State.FAILED, fence=execution.attempt, message=text, errors=[text])
        except IllegalMove:
            return
        chains.settle(execution)
        audit(operator("ticker"), "give up", execution.handle, execution.project_id, reason=text)

"""Why a queued execution is not running."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from jobs.engine.nodes import NODE_SILENT_S, running_on
from jobs.models import Dependency, Job, JobExecution, Node, Place
from jobs.models.prepared import Prepared
from jobs.states import ACTIVE, State
from jobs.texts import LABEL

SHOWN = 10
"""So many of the executions that one waits for are named."""

Reason = dict[str, Any]
_NODES = Prepared(
    Node.objects.values("name", "workers", "labels", "own_labels", "max_running", "drained_at", "drain_reason"),
    "seen_at__gte",
)


def waiting_for(executions: Iterable[JobExecution]) -> dict[int, list[Reason]]:
    """The reasons of every queued one among the given, by id; the others are absent. At most six queries.

    A reason is `{"kind": …, "text": …}` and what belongs to it: `execution` and `slot` (`executions`: who must end
    first), `hold` (`reason`, `until`), `time` (`until`), `node` (`node`: there is none that it may run on, or it is
    drained), `node_limit` (`node`: it runs as many as it may), `worker` (none runs, or all are busy).
    """
    queued = [one for one in executions if one.state == State.QUEUED]
    if not queued:
        return {}
    known = _Known(queued)
    return {execution.pk: known.reasons(execution) for execution in queued}


def live_nodes(now: datetime | None = None) -> dict[str, int]:
    """The nodes that were heard of lately, with the number of their workers."""
    return {node.name: node.workers for node in _live(now or timezone.now())}


def _live(now: datetime) -> list[Node]:
    return [Node(**row) for row in _NODES.all(now - timedelta(seconds=NODE_SILENT_S))]


class _Known:
    """What has to be known about all of them, asked once."""

    def __init__(self, queued: list[JobExecution]) -> None:
        self.now = timezone.now()
        self.nodes = _live(self.now)
        self.full = _full(self.nodes)
        self.predecessors = _predecessors(queued)
        self.holds = _holds(queued)
        self.slots = _slots(queued)

    def reasons(self, execution: JobExecution) -> list[Reason]:
        found = [
            *self._of_predecessors(execution),
            *self._of_hold(execution),
            *self._of_time(execution),
            *self._of_slot(execution),
            *self._of_node(execution),
        ]
        return found or [self._of_workers() if execution.place == Place.HUB else _of_remote_node(execution)]

    def _of_predecessors(self, execution: JobExecution) -> list[Reason]:
        handles = self.predecessors.get(execution.pk, [])
        return [_named("execution", "the end of", handles)] if handles else []

    def _of_hold(self, execution: JobExecution) -> list[Reason]:
        job = self.holds.get(execution.job_id or 0)
        if job is None:
            return []
        text = f"the job is on hold: {job.hold_reason or 'no reason given'}"
        return [{"kind": "hold", "text": text, "reason": job.hold_reason, "until": job.hold_until}]

    def _of_time(self, execution: JobExecution) -> list[Reason]:
        if execution.run_at <= self.now:
            return []
        text = f"its time, {execution.run_at:%Y-%m-%d %H:%M:%S %Z}"
        return [{"kind": "time", "text": text, "until": execution.run_at}]

    def _of_slot(self, execution: JobExecution) -> list[Reason]:
        holders = [name for name in self.slots.get(execution.slot_key, []) if name != execution.handle]
        if not execution.slot_key or len(holders) < execution.slot_limit:
            return []
        return [_named("slot", f"one of {execution.slot_limit} slots, held by", holders)]

    def _of_node(self, execution: JobExecution) -> list[Reason]:
        pin = execution.pinned_to
        if not pin or execution.place != Place.HUB:
            return []
        is_label = pin.startswith(LABEL)
        name = f"a node labelled {pin.removeprefix(LABEL)!r}" if is_label else f"the node {pin!r}"
        return self._of_nodes([node for node in self.nodes if pin in node.pins], name, "" if is_label else pin)

    def _of_nodes(self, nodes: list[Node], name: str, ref: str) -> list[Reason]:
        """Why none of these, which it might run on, takes it; nothing when one does."""
        if not nodes:
            return [{"kind": "node", "text": f"{name}, which does not report", "node": ref}]
        undrained = [node for node in nodes if node.drained_at is None]
        if not undrained:
            because = f": {nodes[0].drain_reason}" if nodes[0].drain_reason else ""
            return [{"kind": "node", "text": f"{name}, which is drained{because}", "node": ref}]
        if all(node.name in self.full for node in undrained):
            text = f"a place on {name}, which runs as many as it may ({sum(self.full[one.name] for one in undrained)})"
            return [{"kind": "node_limit", "text": text, "node": ref}]
        return []

    def _of_workers(self) -> Reason:
        working = [node for node in self.nodes if node.workers]
        if not working:
            return {"kind": "worker", "text": "a worker: none is running; start one with `manage.py worker`"}
        found = self._of_nodes(working, "a node that takes work", "")
        text = f"a free worker: there are {sum(node.workers for node in working if node.drained_at is None)}"
        return found[0] if found else {"kind": "worker", "text": text}


def _full(nodes: list[Node]) -> dict[str, int]:
    """Those that run as many as they may, with how many that is."""
    limits = {node.name: node.max_running for node in nodes if node.max_running is not None}
    running = running_on(limits) if limits else {}
    return {name: limit for name, limit in limits.items() if running.get(name, 0) >= limit}


def _of_remote_node(execution: JobExecution) -> Reason:
    node = execution.pinned_to
    return {"kind": "node", "text": f"its node {node!r} to fetch it" if node else "a node to fetch it", "node": node}


def _named(kind: str, text: str, handles: list[str]) -> Reason:
    more = f" and {len(handles) - SHOWN} more" if len(handles) > SHOWN else ""
    return {"kind": kind, "text": f"{text} {', '.join(handles[:SHOWN])}{more}", "executions": handles[:SHOWN]}


def _predecessors(queued: list[JobExecution]) -> dict[int, list[str]]:
    blocked = [one.pk for one in queued if one.n_blocks]
    found: dict[int, list[str]] = defaultdict(list)
    if blocked:
        rows = Dependency.objects.filter(execution__in=blocked, after__state__in=[s.value for s in ACTIVE])
        for pk, name in rows.order_by("after_id").values_list("execution_id", "after__handle"):
            found[pk].append(name)
    return found


def _holds(queued: list[JobExecution]) -> dict[int, Job]:
    blocked = {one.job_id for one in queued if one.n_blocks and one.job_id}
    return Job.objects.filter(is_held=True).in_bulk(blocked) if blocked else {}


def _slots(queued: list[JobExecution]) -> dict[str, list[str]]:
    keys = {one.slot_key for one in queued if one.slot_key}
    found: dict[str, list[str]] = defaultdict(list)
    if keys:
        rows = JobExecution.objects.live().filter(slot_key__in=keys).annotate(name=F("handle"))
        for key, name in rows.order_by("pk").values_list("slot_key", "name"):
            found[key].append(name)
    return found

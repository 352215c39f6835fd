"""Take the best due execution for this worker."""

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.engine import limits
from jobs.errors import IllegalMove
from jobs.models import JobExecution, Node
from jobs.models.moves import DatabaseTime
from jobs.models.prepared import Prepared
from jobs.states import State

TRIES = 20
KNOWN_FOR_S = 2.0
"""So long a worker goes by what it last read of its node."""
_NODE = Prepared(Node.objects.values("name", "labels", "own_labels", "max_running"), "name")


class Worker:
    """One worker process, by a name that no other process ever had."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.id = uuid.uuid4().hex
        self._here = Node(name=node)
        self._known_until = float("-inf")

    @property
    def here(self) -> Node:
        """Its node: what may be claimed here by its labels, and whether there is a limit. Not whether it is drained,
        which is asked with each claim."""
        if time.monotonic() >= self._known_until:
            self._here = look_up(self.node)
            self._known_until = time.monotonic() + KNOWN_FOR_S
        return self._here


def look_up(node: str) -> Node:
    """As much of a node as a claim has to know; one that has not reported yet has no labels and no limit."""
    row = _NODE.first(node)
    return Node(**row) if row else Node(name=node)


@dataclass(frozen=True)
class Claimed:
    execution: JobExecution
    more: bool
    """Another execution was due as well."""
    asked_at: float
    """The `time.monotonic()` from which its lease surely lasts."""


def claim(worker: Worker) -> Claimed | None:
    """Move the best due execution to `running`, with a new attempt and a lease; `None` when nothing is due."""
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                claimed = _claim(worker)
        except (IllegalMove, IntegrityError):
            continue
        if claimed or not _park(worker.here):
            return claimed
    return None


def is_due(node: str) -> bool:
    """Whether a worker of this node would get something now, or had at least to look behind what waits for slots."""
    here = look_up(node)
    found, _ = JobExecution.objects.best_due(node, here.pins, lock=False)
    return found is not None or bool(_park(here))


def _park(here: Node) -> int:
    """How many that wait for slots were taken out of the way of a claim that found nothing before them."""
    if not JobExecution.objects.wants_slots(here.pins):
        return 0
    with transaction.atomic():
        return JobExecution.objects.park(here.pins)


def _claim(worker: Worker) -> Claimed | None:
    asked_at = time.monotonic()
    if worker.here.max_running is not None:
        Node.objects.select_for_update().filter(name=worker.node).first()  # so that nobody counts beside us
    execution, more = JobExecution.objects.best_due(worker.node, worker.here.pins, lock=True)
    if execution is None:
        return None
    timeout_s = execution.plan.get("timeout_s")
    now = timezone.now()
    execution.move(
        State.RUNNING,
        fence=execution.attempt,
        attempt=execution.attempt + 1,
        worker=worker.id,
        node=worker.node,
        lease_until=DatabaseTime(settings.HUB["LEASE_S"]),
        deadline=now + timedelta(seconds=timeout_s) if timeout_s else None,
        soft_timeout_at=limits.soft_timeout_of(execution, now),
        started_at=execution.started_at or now,
        slot_no=_free_slot(execution),
        pause_requested_at=None,
    )
    return Claimed(execution, more, asked_at)


def _free_slot(execution: JobExecution) -> int | None:
    """The lowest slot that nobody holds; two workers that choose the same one meet the unique constraint.

    Raises `IllegalMove` when the last one has just been taken.
    """
    if not execution.slot_key:
        return None
    if execution.slot_limit == 1:
        return 0
    live = JobExecution.objects.live().filter(slot_key=execution.slot_key)
    taken = set(live.values_list("slot_no", flat=True))
    for number in range(execution.slot_limit):
        if number not in taken:
            return number
    raise IllegalMove(f"there is no slot left for execution {execution.handle}")

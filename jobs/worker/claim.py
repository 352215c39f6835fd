"""Take the best due execution for this worker."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from jobs.engine import limits
from jobs.errors import IllegalMove
from jobs.models import JobExecution
from jobs.models.moves import DatabaseTime
from jobs.states import State

TRIES = 20


@dataclass(frozen=True)
class Worker:
    """One worker process, by a name that no other process ever had."""

    node: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


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
                return _claim(worker)
        except (IllegalMove, IntegrityError):
            continue
    return None


def _claim(worker: Worker) -> Claimed | None:
    lock = connection.features.has_select_for_update_skip_locked
    asked_at = time.monotonic()
    execution, more = JobExecution.objects.best_due(worker.node, lock=lock)
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

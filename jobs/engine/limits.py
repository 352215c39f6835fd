"""What limits runs: the soft timeout, and slots that are given back."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.engine import notices
from jobs.engine.rights import audit, operator
from jobs.models import Event, JobExecution, Place

log = logging.getLogger(__name__)
BATCH = 200


def soft_timeout_of(execution: JobExecution, started_at: datetime) -> datetime | None:
    """When an attempt that started then has run longer than its job expects."""
    seconds = execution.plan.get("soft_timeout_s")
    return started_at + timedelta(seconds=seconds) if seconds else None


def soft_timeout_text(execution: JobExecution) -> str:
    return f"soft timeout: it has been running for more than {execution.plan['soft_timeout_s']} s"


def soft_timeout(execution: JobExecution) -> None:
    """An attempt has passed its soft timeout and goes on. Called once for each, in the transaction that notes it."""
    limit_s = execution.plan.get("soft_timeout_s")
    audit(operator("worker"), "soft timeout", execution.handle, execution.project_id, limit_s=limit_s)
    notices.note(execution, Event.SOFT_TIMEOUT)


def tell_remote_soft_timeouts() -> None:
    """What a worker does for its own run, for those on nodes that poll."""
    late = JobExecution.objects.live().filter(place=Place.REMOTE, soft_timeout_at__lte=timezone.now())
    for execution in late[:BATCH]:
        try:
            with transaction.atomic():
                _tell(execution)
        except Exception:
            log.exception("cannot tell of the soft timeout of %s", execution.handle)


def _tell(execution: JobExecution) -> None:
    rows = JobExecution.objects.live().filter(pk=execution.pk, soft_timeout_at=execution.soft_timeout_at)
    if rows.update(soft_timeout_at=None, n_warnings=F("n_warnings") + 1, version=F("version") + 1):
        soft_timeout(execution)


class Warden:
    """Brings forward, should there ever be one, who is parked for slots that nobody holds."""

    def __init__(self) -> None:
        self._seen = ""

    def free_parked(self) -> None:
        """Look at some slots, and at the next ones the next time."""
        keys = JobExecution.objects.parked_keys(self._seen, BATCH)
        for key in keys:
            self._free(key)
        self._seen = keys[-1] if len(keys) == BATCH else ""

    @staticmethod
    def _free(key: str) -> None:
        with transaction.atomic():
            parked = JobExecution.objects.parked().filter(slot_key=key).first()
            if parked and JobExecution.objects.live().filter(slot_key=key).count() < parked.slot_limit:
                JobExecution.objects.unpark(key)

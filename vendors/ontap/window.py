"""How long an ended job is shown: ONTAP deletes it 300 s after its end, and then knows nothing of it."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone


def _horizon() -> datetime:
    return timezone.now() - timedelta(seconds=settings.HUB["ONTAP_JOB_TTL"])


def is_shown(finished_at: datetime | None) -> bool:
    """Whether an execution that ended at that time, or has not ended, is still a job here."""
    return finished_at is None or finished_at > _horizon()


def shown(executions: QuerySet[Any]) -> list[QuerySet[Any]]:
    """Those that are still jobs here: what has not ended, and what ended lately.

    Each is a short range of one index. As one condition SQLite would read all that the projects ever ran.
    """
    return [executions.filter(finished_at__isnull=True), executions.filter(finished_at__gt=_horizon())]

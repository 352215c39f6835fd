"""How long an ended job is shown: ONTAP deletes it 300 s after its end, and then knows nothing of it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone


def _horizon() -> datetime:
    return timezone.now() - timedelta(seconds=settings.HUB["ONTAP_JOB_TTL"])


def is_shown(finished_at: datetime | None) -> bool:
    """Whether an execution that ended at that time, or has not ended, is still a job here."""
    return finished_at is None or finished_at > _horizon()


def shown() -> Q:
    """The same as a condition on executions. Those that have not ended are found by the same index."""
    return Q(finished_at__isnull=True) | Q(finished_at__gt=_horizon())

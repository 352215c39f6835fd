"""The logs beside the history of executions, and how long each is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet

from jobs.models import AuditEvent, Delivery, SlotFate


@dataclass(frozen=True)
class Log:
    """`ended`: the rows that nothing needs any more, however young. `since`: what says how old one is."""

    words: str
    setting: str
    """Of days; 0: for ever."""
    ended: Callable[[], QuerySet]
    since: str

    def old(self, now: datetime) -> QuerySet | None:
        """What is past its days, oldest first; `None` when all are kept."""
        days = settings.HUB[self.setting]
        if not days:
            return None
        return self.ended().filter(**{f"{self.since}__lt": now - timedelta(days=days)}).order_by(self.since)


def _told() -> QuerySet[Delivery]:
    return Delivery.objects.filter(next_at__isnull=True)


def _passed() -> QuerySet[SlotFate]:
    """Of a paused schedule those stay that the planner, on its release, must not take for missed."""
    return SlotFate.objects.filter(is_waiting=False).exclude(until_at__gte=F("schedule__next_at"))


def _events() -> QuerySet[AuditEvent]:
    """Not those that tell of this very work."""
    newest = AuditEvent.objects.values_list("pk", flat=True).first()
    return AuditEvent.objects.filter(pk__lte=newest or 0)


LOGS = {
    "notices": Log("notices", "OUTPUT_DAYS", _told, "created_at"),
    "slots": Log("missed, skipped and moved times", "KEEP_DAYS", _passed, "until_at"),
    "events": Log("audit events", "AUDIT_DAYS", _events, "at"),
}

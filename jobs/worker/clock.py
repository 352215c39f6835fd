"""What is mended when the clock of this machine was set: times that were written by the old one."""

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from jobs.engine import planner
from jobs.models import JobExecution, Place
from jobs.models.moves import due_now
from jobs.states import State

log = logging.getLogger(__name__)
SET_S = 1
"""A clock that is set by less is let be: no lease and no schedule is that exact."""


class WallClock:
    """The clock on the wall beside the one that nobody sets."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._steady_since = time.monotonic()

    @property
    def steady_s(self) -> float:
        """For how long it has been looked at and nobody has set it."""
        return time.monotonic() - self._steady_since

    def mind(self) -> None:
        """Mend what a change since the last call has put wrong. With the first call schedules are planned anew, by the
        time zones that this process knows. What fails is tried again with the next."""
        ahead = time.time() - time.monotonic()
        by_s = 0.0 if self._ahead is None else ahead - self._ahead
        if abs(by_s) > SET_S:
            log.warning("the clock was set by %+.1f s", by_s)
            self._steady_since = time.monotonic()
            renew_leases()
        if by_s < -SET_S:
            make_due(timezone.now() - timedelta(seconds=by_s))
        if self._ahead is None or by_s < -SET_S:
            planner.replan()
        self._ahead = ahead


def renew_leases() -> None:
    """Leases look as if they were over, or last far too long: let each last as long as a new one, so that whoever is
    alive can renew it, and whoever is not is found out."""
    until = Now() + timedelta(seconds=settings.HUB["LEASE_S"])
    JobExecution.objects.live().filter(place=Place.HUB).update(lease_until=until)


def make_due(until: datetime) -> None:
    """What was due by the old clock stays due."""
    queued = JobExecution.objects.filter(state=State.QUEUED)
    queued.filter(run_at__gt=timezone.now(), run_at__lte=until).update(run_at=due_now())

"""The runs to come, computed when somebody looks."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet
from django.utils import timezone

from jobs.errors import JobHubError
from jobs.models import Fate, Job, Schedule, SlotFate

M = TypeVar("M", bound=Model)
MOST = 1000
LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Planned:
    """A run to come. `slot_at` is its name; `at` is when it starts, which differs for one that was moved."""

    at: datetime
    slot_at: datetime
    schedule: Schedule
    state: str
    """planned, moved, skipped, paused (the schedule is, also of a moved one) or held (the job is)."""
    reason: str = ""
    by: str = ""

    @property
    def is_moved(self) -> bool:
        return self.at != self.slot_at

    @property
    def local(self) -> datetime:
        """Its start in the zone of its schedule."""
        return self.at.astimezone(ZoneInfo(self.schedule.zone))


def planned(
    projects: Iterable[int] | None, *, hours: float = 24, of: Job | Schedule | None = None, limit: int = MOST
) -> tuple[list[Planned], bool]:
    """The runs to come within so many hours of these projects (`None`: all), soonest first, and whether that is all.

    `of`: only of that job or schedule. What is skipped stands among them. A `continuous` schedule has no planned runs.
    """
    now = timezone.now()
    until = now + min(timedelta(hours=hours), LONGEST)
    rows = _of(Schedule.objects.filter(next_at__lte=until), "", projects, of)
    schedules = list(rows[: limit + 1])
    fates = _fates(schedules, now)
    at_their_times = heapq.merge(*(_slots(one, fates, now, until) for one in schedules), key=_when)
    runs: list[Planned] = []
    for run in heapq.merge(at_their_times, _moved(projects, of, now, until), key=_when):
        if len(runs) == limit:
            return runs, False
        runs.append(run)
    return runs, len(schedules) <= limit


def coming(schedule: Schedule, n: int = 5) -> list[datetime]:
    """The next times of one schedule, whatever becomes of them; none where it is switched off or `continuous`."""
    if not schedule.enabled or schedule.broken or schedule.is_continuous:
        return []
    try:
        return list(islice(schedule.timetable().after(timezone.now()), n))
    except JobHubError:
        return []


Fates = dict[tuple[int, datetime], SlotFate]


def _of(rows: QuerySet[M], prefix: str, projects: Iterable[int] | None, of: Job | Schedule | None) -> QuerySet[M]:
    """Of these projects and this job or schedule, jobs and projects read along; `prefix` leads to the schedule."""
    rows = rows.select_related(f"{prefix}job__project")
    if projects is not None:
        rows = rows.filter(**{f"{prefix}job__project__in": list(projects)})
    if of is not None:
        rows = rows.filter(**{f"{prefix}pk" if isinstance(of, Schedule) else f"{prefix}job": of.pk})
    return rows.order_by(f"{prefix}next_at")


def _fates(schedules: list[Schedule], now: datetime) -> Fates:
    rows = SlotFate.objects.filter(schedule__in=[one.pk for one in schedules], slot_at__gt=now)
    return {(fate.schedule_id, fate.slot_at): fate for fate in rows}


def _slots(schedule: Schedule, fates: Fates, now: datetime, until: datetime) -> Iterator[Planned]:
    for at in takewhile(lambda at: at <= until, _times(schedule, now)):
        fate = fates.get((schedule.pk, at))
        if fate is None:
            yield Planned(at, at, schedule, *_state(schedule, at))
        elif fate.fate == Fate.SKIPPED:
            yield Planned(at, at, schedule, "skipped", fate.reason, fate.by)


def _times(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """The first of them is known without reading what the schedule says."""
    if schedule.is_continuous or schedule.next_at is None:
        return
    if schedule.next_at > now:
        yield schedule.next_at
    try:
        yield from schedule.timetable().after(max(now, schedule.next_at))
    except JobHubError:
        return


def _state(schedule: Schedule, at: datetime) -> tuple[str, str, str]:
    job = schedule.job
    if schedule.is_paused and (schedule.paused_until is None or at <= schedule.paused_until):
        return "paused", schedule.pause_reason, schedule.paused_by
    if job.is_held and (job.hold_until is None or at <= job.hold_until):
        return "held", job.hold_reason, job.held_by
    return "planned", "", ""


def _moved(projects: Iterable[int] | None, of: Job | Schedule | None, now: datetime, until: datetime) -> list[Planned]:
    rows = SlotFate.objects.filter(is_waiting=True, schedule__enabled=True, schedule__broken="")
    rows = _of(rows.filter(moved_to__gt=now, moved_to__lte=until), "schedule__", projects, of).order_by("moved_to")
    return [_moved_run(fate) for fate in rows[:MOST]]


def _moved_run(fate: SlotFate) -> Planned:
    assert fate.moved_to is not None
    state, reason, by = _state(fate.schedule, fate.moved_to)
    if state == "planned":
        state, reason, by = "moved", fate.reason, fate.by
    return Planned(fate.moved_to, fate.slot_at, fate.schedule, state, reason, by)


def _when(run: Planned) -> tuple[datetime, int]:
    return run.at, run.schedule.pk

"""Start what the schedules say, when its time has come. A broken schedule is switched off and stops no other."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from jobs.engine.rights import Actor, audit
from jobs.engine.schedules import subject
from jobs.engine.trigger import trigger
from jobs.errors import Conflict, JobHubError, NotFound
from jobs.models import CatchUp, Fate, Job, JobExecution, Schedule, SlotFate
from jobs.models.prepared import Prepared
from jobs.schedules import Timetable
from jobs.states import State
from jobs.texts import storable

log = logging.getLogger(__name__)
CLOCK = Actor(name="schedule", face="schedule", sees_all=True)
"""Who triggers what nobody has triggered."""
AT_A_TURN = 200
"""So many schedules are served before the ticker looks after other things."""
STARTED_AT_A_TURN = 100
COUNTED = 1000
"""More missed slots than these are not counted one by one."""
OUTAGE = "the hub was not running, or came too late"
MAX_REASON_CHARS = 500


@dataclass(frozen=True)
class Turn:
    """What a look at a due schedule found."""

    start: Sequence[datetime]
    missed: Sequence[datetime]
    next_at: datetime | None
    last_missed_at: datetime | None = None
    """The last one, where there are more than are in `missed`."""


# -- which ones --------------------------------------------------------------------------------------------------------
def _serving() -> QuerySet[Schedule]:
    return Schedule.objects.filter(next_at__isnull=False, is_paused=False, job__is_held=False)


def _moved() -> QuerySet[SlotFate]:
    served = {"schedule__is_paused": False, "schedule__job__is_held": False}
    return SlotFate.objects.filter(is_waiting=True, schedule__enabled=True, schedule__broken="", **served)


_FIRST = Prepared(_serving().order_by("next_at").values("next_at")[:1])
_FIRST_MOVED = Prepared(_moved().order_by("moved_to").values("moved_to")[:1])


def next_due() -> datetime | None:
    """When the next run is due, perhaps in the past; asked once a second."""
    rows = [*_FIRST.all(), *_FIRST_MOVED.all()]
    return min((at for row in rows for at in row.values()), default=None)


def start_due(now: datetime | None = None) -> None:
    """Start every run that is due, each schedule in a transaction of its own."""
    now = now or timezone.now()
    due = _serving().filter(next_at__lte=now).order_by("next_at").values_list("pk", "job_id")[:AT_A_TURN]
    for pk, job_id in due:
        _guarded(pk, partial(_serve, pk, job_id, now))
    moved = _moved().filter(moved_to__lte=now).order_by("moved_to")
    for pk, schedule_id, job_id in moved.values_list("pk", "schedule_id", "schedule__job_id")[:AT_A_TURN]:
        _guarded(schedule_id, partial(_start_moved, pk, schedule_id, job_id, now))


def replan(now: datetime | None = None) -> None:
    """Compute anew when each schedule comes next: the clock was set back, or a new process knows new time zones.

    What ran already does not run again: a slot has one execution. What was written down as missed or skipped by a
    clock that was ahead comes at its time.
    """
    now = now or timezone.now()
    is_ahead = Q(next_at__gt=now) | Q(pk__in=_told_ahead(now).values("schedule"))
    for schedule in Schedule.objects.filter(is_ahead, enabled=True, broken="").iterator():
        _guarded(schedule.pk, partial(_replan, schedule, now))


def _told_ahead(now: datetime) -> QuerySet[SlotFate]:
    fates = SlotFate.objects.filter(fate__in=(Fate.MISSED, Fate.SKIPPED), by=CLOCK.name, moved_to=None)
    return fates.filter(until_at__gt=now)


def _replan(schedule: Schedule, now: datetime) -> None:
    timetable = schedule.timetable()
    next_at = timetable.next_after(now)
    if next_at == schedule.next_at:
        return
    rows = Schedule.objects.filter(pk=schedule.pk, version=schedule.version, next_at=schedule.next_at)
    if rows.update(next_at=next_at):
        for fate in _told_ahead(now).filter(schedule=schedule):
            _cut(fate, timetable, now)
        log.warning("schedule %s comes next at %s, not at %s", schedule, next_at, schedule.next_at)


def _cut(fate: SlotFate, timetable: Timetable, now: datetime) -> None:
    """It tells of no slot that is to come."""
    before = fate.slot_at - timedelta(seconds=1)
    last = timetable.latest(before, now)
    if last is None:
        fate.delete()
    else:
        fate.until_at, fate.n = last, min(fate.n, len(timetable.within(before, last, COUNTED + 1)))
        fate.save(update_fields=["until_at", "n"])


# -- one of them -------------------------------------------------------------------------------------------------------
def _guarded(schedule_id: int, deed: Callable[[], None]) -> None:
    try:
        with transaction.atomic():
            deed()
    except NotFound:
        return
    except (OperationalError, InterfaceError):
        if not connection.is_usable():
            raise
        log.warning("the database refused schedule %s; it is tried again", schedule_id, exc_info=True)
    except Exception as error:
        log.exception("schedule %s is broken and switched off", schedule_id)
        told = error.message if isinstance(error, JobHubError) else f"{type(error).__name__}: {error}"
        _switch_off(schedule_id, told)


def _switch_off(schedule_id: int, reason: str) -> None:
    broken = storable(reason, MAX_REASON_CHARS)
    with transaction.atomic():
        Schedule.objects.filter(pk=schedule_id).update(broken=broken, next_at=None, version=F("version") + 1)
        for schedule in Schedule.objects.filter(pk=schedule_id).select_related("job"):
            audit(CLOCK, "switch off schedule", *subject(schedule), schedule=schedule.name, reason=broken)


def _locked_job(job_id: int) -> Job | None:
    """Locked before its schedules, as everywhere; `None` for a held one, whose slots wait for the end of the hold."""
    jobs = Job.objects.select_for_update(of=("self",), no_key=True).select_related("project")
    return jobs.filter(pk=job_id, is_held=False).first()


def _serve(pk: int, job_id: int, now: datetime) -> None:
    job = _locked_job(job_id)
    rows = Schedule.objects.select_for_update(no_key=True).filter(pk=pk, next_at__lte=now, is_paused=False)
    schedule = rows.first() if job else None
    if job is None or schedule is None:
        return
    schedule.job = job
    timetable = schedule.timetable()
    if schedule.is_continuous:
        found = _continuous(schedule, timetable, now)
    else:
        found = turn(schedule, timetable, now, _known(schedule, now))
    _note_missed(schedule, found)
    for slot_at in found.start:
        _start(schedule, timetable, slot_at)
    Schedule.objects.filter(pk=pk).update(next_at=found.next_at)


def _known(schedule: Schedule, now: datetime) -> frozenset[datetime]:
    """The slots that somebody has skipped, moved or run before their time, or the clock, before it was set back."""
    turn = {"slot_at__gte": schedule.next_at, "slot_at__lte": now}
    decided = schedule.fates.filter(**turn).order_by().values_list("slot_at", flat=True)
    run = JobExecution.objects.filter(schedule=schedule, **turn).order_by().values_list("slot_at", flat=True)
    return frozenset(decided.union(run, all=True))


def _continuous(schedule: Schedule, timetable: Timetable, now: datetime) -> Turn:
    """It starts again once nothing of it is active; no second is ever missed."""
    assert schedule.next_at is not None
    is_active = JobExecution.objects.active().filter(schedule=schedule).exists()
    at = None if is_active else timetable.latest(schedule.next_at - timedelta(seconds=1), now)
    return Turn([at] if at else [], [], timetable.next_after(now))


def turn(schedule: Schedule, timetable: Timetable, now: datetime, known: frozenset[datetime]) -> Turn:
    """Which of the slots up to now are started, and which are missed."""
    assert schedule.next_at is not None
    before = schedule.next_at - timedelta(seconds=1)
    cut = _missed_until(schedule, now)
    late = [] if schedule.catch_up == CatchUp.ALL else timetable.within(before, cut, COUNTED + 1)
    begin = before if schedule.catch_up == CatchUp.ALL else max(before, cut)
    fresh = timetable.within(begin, now, STARTED_AT_A_TURN + 1)
    next_at = fresh.pop() if len(fresh) > STARTED_AT_A_TURN else timetable.next_after(now)
    missed = [at for at in late if at not in known]
    last = timetable.latest(before, cut) if len(late) > COUNTED else None
    start = [at for at in fresh if at not in known]
    if schedule.catch_up == CatchUp.ONCE and missed and not fresh:
        start = [last or missed[-1]]
        missed = [at for at in missed if at != start[0]]
    return Turn(start, missed, next_at, last)


def _missed_until(schedule: Schedule, now: datetime) -> datetime:
    """Slots up to then have been missed."""
    in_time_since = now - timedelta(seconds=schedule.grace_s)
    return min(max(in_time_since, schedule.missed_until or in_time_since), now)


def _start(schedule: Schedule, timetable: Timetable, slot_at: datetime) -> None:
    waiting = _waiting_one(schedule)
    if waiting:
        _note_skipped(schedule, timetable, slot_at, f"execution {waiting} of this schedule still waits")
        return
    try:
        trigger(schedule.job, actor=CLOCK, schedule=schedule, slot_at=slot_at)
    except Conflict as error:
        _note_skipped(schedule, timetable, slot_at, error.message)


def _waiting_one(schedule: Schedule) -> str:
    """The handle of a run of it that has not begun; where each slot has to run, that is no hindrance."""
    if schedule.catch_up == CatchUp.ALL:
        return ""
    rows = JobExecution.objects.active().filter(schedule=schedule, state=State.QUEUED, attempt=0)
    return rows.values_list("handle", flat=True).first() or ""


# -- what is written down ----------------------------------------------------------------------------------------------
def _note_missed(schedule: Schedule, found: Turn) -> None:
    """One row for all of them."""
    if not found.missed:
        return
    in_pause = schedule.missed_until is not None and found.missed[0] <= schedule.missed_until
    SlotFate.objects.create(
        schedule=schedule,
        slot_at=found.missed[0],
        until_at=found.last_missed_at or found.missed[-1],
        n=len(found.missed),
        fate=Fate.MISSED,
        reason=schedule.missed_reason if in_pause else OUTAGE,
        by=CLOCK.name,
    )


def _note_skipped(schedule: Schedule, timetable: Timetable, slot_at: datetime, reason: str) -> None:
    """The same reason as for the slot before is counted in its row."""
    reason = storable(reason, MAX_REASON_CHARS)
    last = schedule.fates.order_by("-slot_at").first()
    is_same = last and (last.fate, last.by, last.reason) == (Fate.SKIPPED, CLOCK.name, reason)
    if last and is_same and timetable.next_after(last.until_at) == slot_at:
        SlotFate.objects.filter(pk=last.pk).update(n=F("n") + 1, until_at=slot_at)
        return
    told = {"fate": Fate.SKIPPED, "until_at": slot_at, "reason": reason, "by": CLOCK.name, "is_waiting": False}
    SlotFate.objects.update_or_create(schedule=schedule, slot_at=slot_at, defaults=told)


def _start_moved(pk: int, schedule_id: int, job_id: int, now: datetime) -> None:
    job = _locked_job(job_id)
    rows = Schedule.objects.select_for_update(no_key=True).filter(pk=schedule_id, is_paused=False)
    schedule = rows.first() if job else None
    if job is None or schedule is None:
        return
    schedule.job = job
    fate = schedule.fates.filter(pk=pk, is_waiting=True, moved_to__lte=now).first()
    if fate is None or fate.moved_to is None:
        return
    fate.is_waiting = False
    if schedule.catch_up == CatchUp.SKIP and fate.moved_to <= _missed_until(schedule, now):
        fate.fate, fate.reason = Fate.MISSED, schedule.missed_reason or OUTAGE
    else:
        try:
            trigger(job, actor=CLOCK, schedule=schedule, slot_at=fate.slot_at)
        except Conflict as error:
            fate.fate, fate.reason = Fate.SKIPPED, storable(error.message, MAX_REASON_CHARS)
    fate.save()

"""Single runs of a schedule: leave one out, give it another time, run it now, or let it come as planned after all."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.engine.locks import job_for_update
from jobs.engine.rights import Actor, Right, audit
from jobs.engine.schedules import reason_of, schedule_for_update, subject
from jobs.engine.times import check_future
from jobs.engine.trigger import trigger
from jobs.errors import Conflict, Invalid
from jobs.models import Fate, JobExecution, Schedule, SlotFate

SHOWN = 3


def skip(schedule: Schedule, slot_at: datetime, *, actor: Actor, reason: str = "") -> None:
    """Leave out one run to come. Raises `Invalid` when none is planned for that time, `Conflict` when it has run."""
    actor.require(Right.EDIT, schedule.job.project_id, "skipping a run")
    with transaction.atomic():
        _to_come(schedule_for_update(schedule), slot_at)
        _decide(schedule, slot_at, actor=actor, fate=Fate.SKIPPED, reason=reason_of(reason))
        audit(actor, "skip run", *subject(schedule), **_about(schedule, slot_at), reason=reason)


def move(schedule: Schedule, slot_at: datetime, to: datetime, *, actor: Actor, reason: str = "") -> None:
    """Give one run to come another time, earlier or later. Raises as `skip` does."""
    actor.require(Right.EDIT, schedule.job.project_id, "moving a run")
    check_future("to", to)
    with transaction.atomic():
        _to_come(schedule_for_update(schedule), slot_at)
        given = {"moved_to": to, "is_waiting": True, "reason": reason_of(reason)}
        _decide(schedule, slot_at, actor=actor, fate=Fate.MOVED, **given)
        audit(actor, "move run", *subject(schedule), **_about(schedule, slot_at), to=to.isoformat(), reason=reason)


def run(schedule: Schedule, slot_at: datetime | None = None, *, actor: Actor) -> JobExecution:
    """Start one run to come now instead of at its time; without a time the next one.

    Raises as `skip` does, and what `trigger` raises.
    """
    actor.require(Right.TRIGGER, schedule.job.project_id, "running a planned run")
    with transaction.atomic():
        job = job_for_update(schedule.job)
        schedule = schedule_for_update(schedule)
        schedule.job = job
        slot_at = slot_at or next_slot(schedule)
        _to_come(schedule, slot_at)
        execution, _ = trigger(job, actor=actor, schedule=schedule, slot_at=slot_at)
        if execution.is_skipped:
            raise Conflict(f"{execution.message}; the run comes at its own time")
        _decide(schedule, slot_at, actor=actor, fate=Fate.MOVED, moved_to=timezone.now())
    return execution


def reinstate(schedule: Schedule, slot_at: datetime, *, actor: Actor) -> None:
    """Let a run that was skipped or moved come at its own time after all; harmless for one that does.

    Raises as `skip` does, and `Conflict` when that time has passed.
    """
    actor.require(Right.EDIT, schedule.job.project_id, "reinstating a run")
    with transaction.atomic():
        _to_come(schedule_for_update(schedule), slot_at)
        if slot_at <= timezone.now():
            raise Conflict("its own time has passed; run it now, move it or skip it")
        if schedule.fates.filter(slot_at=slot_at).delete()[0]:
            audit(actor, "reinstate run", *subject(schedule), **_about(schedule, slot_at))


def next_slot(schedule: Schedule) -> datetime:
    """The first to come that nobody has skipped, moved or run."""
    now = timezone.now()
    decided = set(schedule.fates.filter(slot_at__gt=now).values_list("slot_at", flat=True))
    found = next((at for at in schedule.timetable().after(now) if at not in decided), None)
    if found is None:
        raise Conflict(f"the schedule {schedule.name!r} has no more runs")
    return found


def _to_come(schedule: Schedule, slot_at: datetime) -> None:
    """One that was moved is still to come when its own time has passed."""
    if not schedule.enabled or schedule.broken:
        raise Conflict(f"the schedule {schedule.name!r} is switched off{schedule.broken and ': '}{schedule.broken}")
    if schedule.is_continuous:
        raise Conflict(f"the schedule {schedule.name!r} is continuous: it has no planned runs; trigger its job instead")
    now, timetable = timezone.now(), schedule.timetable()
    is_owed = schedule.fates.filter(slot_at=slot_at, is_waiting=True).exists()
    if not is_owed and (slot_at <= now or not timetable.comes_at(slot_at)):
        times = [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in islice(timetable.after(now), SHOWN)]
        come = f"; the next: {', '.join(times)}" if times else "; there are no more"
        text = (
            f"the schedule {schedule.name!r} has no run to come at {slot_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}{come}"
        )
        raise Invalid.field("slot_at", text)
    started = JobExecution.objects.filter(schedule=schedule, slot_at=slot_at).first()
    if started:
        raise Conflict(f"this run was started already: execution {started.handle}")


def _decide(schedule: Schedule, slot_at: datetime, *, actor: Actor, fate: Fate, **given: Any) -> None:
    plain = {"moved_to": None, "is_waiting": False, "reason": "", "at": timezone.now()}
    told = {**plain, "fate": fate, "until_at": slot_at, "by": actor.name, **given}
    SlotFate.objects.update_or_create(schedule=schedule, slot_at=slot_at, defaults=told)


def _about(schedule: Schedule, slot_at: datetime) -> dict[str, Any]:
    return {"schedule": schedule.name, "slot_at": slot_at.isoformat()}

"""Set the schedules of a job, pause them and let them go on."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.engine.locks import job_for_update
from jobs.engine.rights import Actor, Right, audit
from jobs.engine.schedule_documents import MAX_SCHEDULES, ScheduleDocument
from jobs.engine.times import check_future
from jobs.errors import FieldError, Invalid, NotFound
from jobs.models import Job, Schedule, SlotFate
from jobs.schedules import Dialect, check, moment
from jobs.texts import check_text

MAX_REASON_CHARS = 500
TIMES = frozenset({"dialect", "text", "fields", "zone", "policy", "starts_at", "ends_at"})
"""What says when it comes; a schedule that changes in one of these is planned anew."""


def set_schedules(job: Job, raw: Iterable[Any], *, actor: Actor) -> list[Schedule]:
    """Make these the schedules of a job; each is a `ScheduleDocument` as a dictionary, known by its name.

    One that is as it was keeps its next run, its pause and the runs that were skipped or moved. Raises `Invalid`
    naming every wrong field (`schedules.0.cron`); nothing was written then.
    """
    actor.require(Right.EDIT, job.project_id, "scheduling a job")
    documents = _parsed(list(raw))
    with transaction.atomic():
        job_for_update(job)
        if replace(job, documents):
            now = timezone.now()
            Job.objects.filter(pk=job.pk).update(version=F("version") + 1, updated_at=now)
            audit(actor, "schedule", job.name, job.project_id, schedules=len(documents))
        job.refresh_from_db(fields=["version", "updated_at"])
    return list(job.schedules.all())


def _parsed(raw: Sequence[Any]) -> list[ScheduleDocument]:
    if len(raw) > MAX_SCHEDULES:
        raise Invalid.field("schedules", f"wanted at most {MAX_SCHEDULES}")
    documents, errors = [], list[FieldError]()
    for position, one in enumerate(raw):
        try:
            documents.append(ScheduleDocument.parse(one))
        except Invalid as error:
            errors += error.under(f"schedules.{position}").errors
    if errors:
        raise Invalid(errors)
    return documents


def replace(job: Job, documents: Sequence[ScheduleDocument]) -> bool:
    """`set_schedules` without the questions of right, for who has locked the job; whether anything has changed."""
    now = timezone.now()
    names = _names(documents)
    old = {schedule.name: schedule for schedule in job.schedules.select_for_update(no_key=True)}
    changed, errors = [], list[FieldError]()
    for position, (name, document) in enumerate(zip(names, documents, strict=True)):
        schedule = old.get(name) or Schedule(job=job, name=name)
        try:
            if _fit(schedule, {**_attributes(document), "position": position}, now):
                changed.append(schedule)
        except Invalid as error:
            errors += error.under(f"schedules.{position}").errors
    if errors:
        raise Invalid(errors)
    gone, _ = job.schedules.exclude(name__in=names).delete()
    for schedule in changed:
        schedule.save()
    return bool(changed or gone)


def _names(documents: Sequence[ScheduleDocument]) -> list[str]:
    names = [document.name or str(number) for number, document in enumerate(documents, start=1)]
    doubles = [
        FieldError(f"schedules.{position}.name", f"there is another schedule {name!r}")
        for position, name in enumerate(names)
        if name in names[:position]
    ]
    if doubles:
        raise Invalid(doubles)
    return names


def _attributes(document: ScheduleDocument) -> dict[str, Any]:
    """The document as the columns of a schedule. Raises `Invalid` for its zone, start and end."""
    is_text = document.dialect != Dialect.FIELDS
    return {
        "dialect": document.dialect,
        "text": document.value if is_text else "",
        "fields": {} if is_text else {name: one for name, one in document.value.items() if one is not None},
        "zone": document.zone,
        "policy": document.policy,
        "starts_at": document.start and moment("start", document.start, zone=document.zone),
        "ends_at": document.end and moment("end", document.end, zone=document.zone),
        "catch_up": document.catch_up,
        "grace_s": document.grace_s,
        "enabled": document.enabled,
    }


def _fit(schedule: Schedule, wanted: dict[str, Any], now: datetime) -> bool:
    """Make a schedule as it is wanted, without saving it; whether that changed it.

    One that is as it was is not checked again: that its time has passed is no mistake.
    """
    changed = {name for name, value in wanted.items() if getattr(schedule, name) != value}
    is_anew = schedule.pk is None or changed & TIMES
    if not (is_anew or changed or schedule.broken):
        return False
    for name, value in wanted.items():
        setattr(schedule, name, value)
    if is_anew or schedule.broken:
        _check(schedule, now)
    if is_anew:
        schedule.anchor_at = now
        schedule.missed_until, schedule.missed_reason = None, ""
        SlotFate.objects.filter(schedule=schedule.pk, slot_at__gt=now).delete()
    if is_anew or schedule.broken or "enabled" in changed:
        schedule.broken = ""
        schedule.next_at = schedule.timetable().next_after(now) if schedule.enabled else None
    schedule.version += 1
    return True


def _check(schedule: Schedule, now: datetime) -> None:
    check(
        schedule.dialect,
        schedule.value,
        zone=schedule.zone,
        policy=schedule.policy,
        start=schedule.starts_at,
        end=schedule.ends_at,
        now=now,
    )


def find_schedule(job: Job, name: str = "") -> Schedule:
    """A schedule of a job by its name; without a name the only one."""
    found = list(job.schedules.all())
    fitting = [one for one in found if one.name == name] if name else found
    if len(fitting) == 1:
        fitting[0].job = job
        return fitting[0]
    known = ", ".join(one.name for one in found) or "none"
    what = f"there is no schedule {name!r}" if name else "name one of its schedules"
    raise NotFound(f"the job {job.name!r}: {what}; known: {known}")


def pause(schedule: Schedule, *, actor: Actor, reason: str = "", until: datetime | None = None) -> None:
    """Let its times pass without a run until somebody releases it, or until `until`.

    What becomes of them then says its `catch_up`. Pausing a paused schedule changes the reason and the end.
    """
    actor.require(Right.EDIT, schedule.job.project_id, "pausing a schedule")
    check_future("until", until)
    said = {"is_paused": True, "paused_until": until, "pause_reason": reason_of(reason), "paused_by": actor.name}
    with transaction.atomic():
        schedule_for_update(schedule)
        _update(schedule, **said)
        audit(actor, "pause schedule", *subject(schedule), schedule=schedule.name, reason=reason)


def release(schedule: Schedule, *, actor: Actor, only_if_over: bool = False) -> None:
    """End a pause; harmless without one. `only_if_over`: unless somebody has prolonged it."""
    actor.require(Right.EDIT, schedule.job.project_id, "releasing a schedule")
    with transaction.atomic():
        locked, now = schedule_for_update(schedule), timezone.now()
        is_over = locked.paused_until is not None and locked.paused_until <= now
        if locked.is_paused and (is_over or not only_if_over):
            said = {"is_paused": False, "paused_until": None, "pause_reason": "", "paused_by": ""}
            why = f"paused by {locked.paused_by}: {locked.pause_reason or 'no reason given'}"
            ended_at = locked.paused_until if is_over else now
            _update(schedule, missed_until=ended_at, missed_reason=why[:MAX_REASON_CHARS], **said)
            audit(actor, "release schedule", *subject(schedule), schedule=schedule.name)
        schedule.refresh_from_db()


def end_hold(job: Job, reason: str) -> None:
    """The hold of the job is over: what its schedules missed meanwhile is up to each one's `catch_up`."""
    now, why = timezone.now(), f"the job was on hold: {reason or 'no reason given'}"
    job.schedules.filter(next_at__lte=now).update(missed_until=now, missed_reason=why[:MAX_REASON_CHARS])


def reason_of(text: str) -> str:
    """A reason as it is kept; raises `Invalid`."""
    try:
        check_text(text)
    except ValueError as error:
        raise Invalid.field("reason", str(error)) from None
    if len(text) > MAX_REASON_CHARS:
        raise Invalid.field("reason", f"wanted at most {MAX_REASON_CHARS} characters")
    return text


def schedule_for_update(schedule: Schedule) -> Schedule:
    """The schedule as it is now, alone until this transaction ends. Who also locks its job does that first."""
    locked = Schedule.objects.select_for_update(no_key=True).filter(pk=schedule.pk).first()
    if locked is None:
        raise NotFound(f"the schedule {schedule.name!r} was deleted")
    return locked


def _update(schedule: Schedule, **fields: Any) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(version=F("version") + 1, **fields)
    schedule.refresh_from_db()


def subject(schedule: Schedule) -> tuple[str, int]:
    """What the audit calls it: its job, and that one's project."""
    return schedule.job.name, schedule.job.project_id

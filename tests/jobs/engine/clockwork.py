"""Schedules as the planner finds them, and what it made of them."""

from datetime import datetime
from typing import Any

from jobs.models import Job, JobExecution, Schedule, SlotFate
from jobs.states import State


def schedule_of(job: Job) -> Schedule:
    schedule: Schedule = job.schedules.get()
    schedule.job = job
    return schedule


def first(schedule: Schedule) -> datetime:
    assert schedule.next_at is not None
    return schedule.next_at


def change(schedule: Schedule, **fields: Any) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(**fields)
    schedule.refresh_from_db()


def end_all() -> None:
    for execution in JobExecution.objects.active():
        execution.move(State.ABORTED)


def started() -> list[datetime]:
    found = list(JobExecution.objects.order_by("slot_at").values_list("slot_at", flat=True))
    return [at for at in found if at is not None]


def fates() -> list[tuple[str, datetime, int]]:
    return list(SlotFate.objects.order_by("slot_at").values_list("fate", "slot_at", "n"))

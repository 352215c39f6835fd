"""Freezer's `job_schedule` as a schedule of the engine, for jobs that the hub's own nodes run, and the way back."""

import re
from typing import Any

from jobs.errors import FieldError, Invalid
from jobs.models import Schedule
from jobs.schedules import Dialect

Json = dict[str, Any]
NAME = "freezer"
FIELDS = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
OF_RUNS = frozenset({"event", "status", "result", "time_created", "time_started", "time_ended", "current_pid"})
"""What is told of runs, and no part of when they are."""
OF_ENGINE = re.compile(r"schedules\.[0-9]+\.(?:fields\.)?([a-z_]+)")
WORDS = {"at": "date", "start": "start_date", "end": "end_date"}
"""What the engine calls otherwise."""
GRACE_S = 3600
"""So late may a scheduler be."""


def is_timed(schedule: Json) -> bool:
    """Whether it says when to run; else it means once, soon."""
    return bool(_times(schedule))


def definition(schedule: Json) -> Json:
    """Without what is told of runs."""
    return {name: value for name, value in schedule.items() if name not in OF_RUNS}


def _times(schedule: Json) -> Json:
    """A date goes before an interval, and that before fields."""
    if at := schedule.get("schedule_date"):
        return {"at": at}
    if interval := schedule.get("schedule_interval"):
        return {"interval": interval}
    fields = {name: schedule[f"schedule_{name}"] for name in FIELDS if schedule.get(f"schedule_{name}")}
    return {"fields": fields} if fields else {}


def documents(schedule: Json, *, is_enabled: bool) -> list[Json]:
    """For the engine: one schedule, or none."""
    times = _times(schedule)
    if not times:
        return []
    start, end = (schedule.get(f"schedule_{name}_date") or None for name in ("start", "end"))
    bounds = {"start": start, "end": end} if start and "at" not in times else {}
    return [{"name": NAME, **times, **bounds, "grace_s": GRACE_S, "enabled": is_enabled}]


def is_as_shown(said: Json, kept: Json, schedule: Schedule | None) -> bool:
    """Whether it says what was shown, so that nobody has changed it here."""
    return definition(said) == definition(shown(kept, schedule))


def in_its_words(error: Invalid) -> str:
    """What the engine refuses, `job_schedule.schedule_hour` for `schedules.0.fields.hour`."""
    return Invalid(FieldError(OF_ENGINE.sub(_word, one.field), one.message) for one in error.errors).message


def _word(found: re.Match[str]) -> str:
    name = "" if found[1] == "fields" else f".schedule_{WORDS.get(found[1], found[1])}"
    return f"job_schedule{name}"


def shown(kept: Json, schedule: Schedule | None) -> Json:
    """The `job_schedule` that was written, or another one where the engine's has been changed since."""
    said = _times(kept)
    now = {} if schedule is None else {schedule.dialect: schedule.value}
    if said == now:
        return kept
    told = {name: value for name, value in kept.items() if name in OF_RUNS}
    return {**_words(schedule), **told}


def _words(schedule: Schedule | None) -> Json:
    if schedule is None:
        return {}
    if schedule.dialect == Dialect.FIELDS:
        return {f"schedule_{name}": str(value) for name, value in schedule.fields.items()}
    names = {Dialect.AT: "schedule_date", Dialect.INTERVAL: "schedule_interval"}
    name = names.get(Dialect(schedule.dialect))
    return {name: schedule.text} if name else {}

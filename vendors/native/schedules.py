"""Schedules and planned runs as this face shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jobs.engine.planned import Planned, coming
from jobs.engine.schedule_documents import schedule_document
from jobs.models import Schedule, SlotFate
from jobs.schedules import describe

Row = dict[str, Any]
RECENT = 20


def schedule_json(schedule: Schedule) -> Row:
    times = coming(schedule)
    return {
        **schedule_document(schedule),
        "means": describe(schedule.dialect, schedule.value),
        "broken": schedule.broken,
        "pause": _pause(schedule),
        "next": [{"at": at, "local": _local(at, schedule)} for at in times],
        "recent": [_fate_json(fate) for fate in schedule.fates.all()[:RECENT]],
        "version": schedule.version,
    }


def _pause(schedule: Schedule) -> Row | None:
    if not schedule.is_paused:
        return None
    return {"reason": schedule.pause_reason, "until": schedule.paused_until, "by": schedule.paused_by}


def _fate_json(fate: SlotFate) -> Row:
    names = ("slot_at", "until_at", "fate", "moved_to", "reason", "by", "at")
    return {"count": fate.n, **{name: getattr(fate, name) for name in names}}


def planned_json(runs: Sequence[Planned]) -> list[Row]:
    return [_planned(run) for run in runs]


def _planned(run: Planned) -> Row:
    job = run.schedule.job
    return {
        "at": run.at,
        "local": run.local.isoformat(),
        "slot_at": run.slot_at,
        "job": job.name,
        "job_id": job.pk,
        "project": job.project.name,
        "schedule": run.schedule.name,
        "state": run.state,
        "reason": run.reason,
        "by": run.by,
    }


def _local(at: datetime, schedule: Schedule) -> str:
    return at.astimezone(ZoneInfo(schedule.zone)).isoformat()

"""What a hub's database, and the runs themselves, tell of what happened."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.chronos.checker import Absence, Run

Rows = Callable[[str], list[tuple[Any, ...]]]
RUNS = """
SELECT job_name, slot_at, queued_at, started_at, state, uuid, attempt FROM jobs_jobexecution
WHERE schedule_id IS NOT NULL
"""
NEXT = """
SELECT job.name, schedule.anchor_at, schedule.next_at FROM jobs_schedule schedule
JOIN jobs_job job ON job.id = schedule.job_id WHERE schedule.next_at IS NOT NULL
"""
ABSENCES = """
SELECT job.name, fate.slot_at, fate.until_at, fate.n, fate.fate FROM jobs_slotfate fate
JOIN jobs_schedule schedule ON schedule.id = fate.schedule_id JOIN jobs_job job ON job.id = schedule.job_id
"""


def runs(rows: Rows, marks: Path) -> list[Run]:
    """`marks`: a line for each start of a program, with the UUID of its execution."""
    starts = Counter(marks.read_text().replace("-", "").split()) if marks.exists() else Counter[str]()
    return [
        Run(
            line=name,
            slot_at=_time(slot),
            queued_at=_time(queued),
            started_at=started and _time(started),
            state=state,
            n_starts=_starts(starts, uuid, state, attempt),
            attempts=attempt,
        )
        for name, slot, queued, started, state, uuid, attempt in rows(RUNS)
    ]


def absences(rows: Rows) -> list[Absence]:
    return [Absence(name, _time(at), _time(until), n, fate) for name, at, until, n, fate in rows(ABSENCES)]


def next_times(rows: Rows) -> dict[str, tuple[datetime, datetime]]:
    """Of each line: when it was written, and the first time that nobody has looked at yet."""
    found = rows(NEXT)
    return {name: (_time(anchor), _time(next_at)) for name, anchor, next_at in found}


def _starts(starts: Counter[str], uuid: Any, state: str, attempt: int) -> int:
    """Of a run that succeeded: its one start, or each attempt's; a killed attempt may not have come to its mark."""
    n = starts[str(uuid).replace("-", "")]
    return 1 if state != "succeeded" or 1 <= n <= attempt else n


def _time(value: Any) -> datetime:
    """SQLite keeps UTC as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)

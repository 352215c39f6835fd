"""Executions as commands print them: as JSON, and as lines for people."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from jobs.engine.waiting import waiting_for
from jobs.models import JobExecution
from jobs.states import State


def summaries(executions: Iterable[JobExecution]) -> list[str]:
    """One line about each: why it waits, how far it is, how it ended."""
    rows = list(executions)
    reasons = waiting_for(rows)
    return [_summary(row, reasons.get(row.pk, [])) for row in rows]


def summary(execution: JobExecution) -> str:
    return summaries([execution])[0]


def _summary(execution: JobExecution, reasons: list[dict[str, Any]]) -> str:
    if execution.state == State.QUEUED:
        return f"waits for {' and '.join(reason['text'] for reason in reasons)}" if reasons else ""
    if execution.is_final:
        return ", ".join(part for part in (execution.message, _warnings(execution)) if part)
    return progress(execution)


def progress(execution: JobExecution) -> str:
    """`40/200 files`, as far as it is known."""
    if execution.progress_done is None:
        return ""
    total = "" if execution.progress_total is None else f"/{execution.progress_total}"
    return f"{execution.progress_done}{total} {execution.progress_unit}".rstrip()


def duration(execution: JobExecution) -> str:
    """How long it ran, or has run so far."""
    if execution.started_at is None:
        return ""
    seconds = ((execution.finished_at or timezone.now()) - execution.started_at).total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def moment(at: datetime | None) -> str:
    """A time in JOBHUB_TIME_ZONE, with that zone."""
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def _warnings(execution: JobExecution) -> str:
    number = execution.n_warnings
    return f"{number} warning{'' if number == 1 else 's'}" if number else ""

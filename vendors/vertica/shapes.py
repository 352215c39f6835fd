"""Executions as the agent's jobs."""

from typing import Any

from jobs.models import Output
from jobs.states import ACTIVE, State
from vendors.vertica.vendor import epoch

Row = dict[str, Any]
JOB = ("id", "project_id", "handle", "kind", "state", "exit_code", "queued_at", "started_at", "finished_at")
WITH_OUTPUT = (*JOB, "message", "errors", "output_seq")
BACKUP = "backup"
STILL_RUNNING = -1
SUCCESS_OF_BACKUPS = 0
SUCCESS_OF_OTHERS = -9
FAILURE = 1


def job_json(row: Row) -> Row:
    """`ts` is the time of the last change; `status` is always the word "unused" (GET jobs, 12.0 reference)."""
    changed_at = row["finished_at"] or row["started_at"] or row["queued_at"]
    return {
        "exit_code": exit_code(row),
        "id": row["handle"],
        "is_running": row["state"] in ACTIVE,
        "status": "unused",
        "ts": epoch(changed_at),
    }


def exit_code(row: Row) -> int:
    """0 is the success of backups and -9 that of all other jobs; anything else is a failure (GET jobs, reference)."""
    if row["state"] in ACTIVE:
        return STILL_RUNNING
    if row["state"] == State.SUCCEEDED:
        return SUCCESS_OF_BACKUPS if row["kind"] == BACKUP else SUCCESS_OF_OTHERS
    code: int | None = row["exit_code"]
    return FAILURE if code in (None, SUCCESS_OF_BACKUPS, SUCCESS_OF_OTHERS, STILL_RUNNING) else int(code or FAILURE)


def with_output(row: Row) -> Row:
    """With what it printed, and at the end why it failed."""
    return {**job_json(row), "output": "".join([*_printed(row), *_reasons(row)])}


def _printed(row: Row) -> list[str]:
    if not row["output_seq"]:
        return []
    return list(Output.objects.filter(execution_id=row["id"]).order_by("seq").values_list("text", flat=True))


def _reasons(row: Row) -> list[str]:
    said = row["errors"] or ([row["message"]] if row["message"] and row["state"] not in ACTIVE else [])
    return [f"{text}\n" for text in said]

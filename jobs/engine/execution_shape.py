"""An execution as the native face and the commands show it. A hot read: plain dictionaries, no serializers."""

from collections.abc import Iterable
from typing import Any

from jobs.engine.waiting import waiting_for
from jobs.models import JobExecution
from jobs.states import State

Row = dict[str, Any]
EXECUTION = (
    "id",
    "uuid",
    "handle",
    "project_id",
    "project__name",
    "job_id",
    "job_name",
    "kind",
    "state",
    "attempt",
    "progress_done",
    "progress_total",
    "progress_unit",
    "records",
    "last_id",
    "n_dropped",
    "volume_bytes",
    "message",
    "errors",
    "n_warnings",
    "exit_code",
    "queued_at",
    "started_at",
    "finished_at",
    "expires_at",
    "is_kept",
    "requested_by",
    "node",
    "params",
    "priority",
    "run_at",
    "retry_of_id",
    "first",
    "triggered_by",
    "chain",
    "version",
    "place",
    "n_blocks",
    "pinned_to",
    "slot_key",
    "slot_limit",
)
"""The columns that `execution_json` and `waiting_for` need."""
WAITING = ("id", "state", "place", "job_id", "n_blocks", "pinned_to", "run_at", "slot_key", "slot_limit")


def execution_json(row: Row, waiting: list[Row]) -> Row:
    return {
        "id": row["id"],
        "uuid": row["uuid"],
        "handle": row["handle"],
        "project": row["project__name"],
        "job": row["job_name"],
        "job_id": row["job_id"],
        "kind": row["kind"],
        "state": row["state"],
        "attempt": row["attempt"],
        "progress": _progress(row),
        "records": row["records"],
        "last_id": row["last_id"],
        "n_dropped": row["n_dropped"],
        "volume_bytes": row["volume_bytes"],
        "message": row["message"],
        "errors": row["errors"],
        "n_warnings": row["n_warnings"],
        "exit_code": row["exit_code"],
        "params": row["params"],
        "priority": row["priority"],
        "run_at": row["run_at"],
        "queued_at": row["queued_at"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "expires_at": None if row["is_kept"] else row["expires_at"],
        "is_kept": row["is_kept"],
        "requested_by": row["requested_by"],
        "node": row["node"],
        "retry_of": row["retry_of_id"],
        "first": row["first"],
        "triggered_by": row["triggered_by"],
        "chain": row["chain"],
        "waiting_for": waiting,
    }


def _progress(row: Row) -> Row | None:
    if row["progress_done"] is None and row["progress_total"] is None:
        return None
    return {"done": row["progress_done"], "total": row["progress_total"], "unit": row["progress_unit"]}


def executions_json(rows: Iterable[Row]) -> list[Row]:
    """Rows with the columns `EXECUTION`; at most five more queries, and only when one of them is queued."""
    rows = list(rows)
    queued = [JobExecution(**{name: row[name] for name in WAITING}) for row in rows if _is_queued(row)]
    reasons = waiting_for(queued) if queued else {}
    return [execution_json(row, reasons.get(row["id"], [])) for row in rows]


def fresh_json(execution: JobExecution) -> Row:
    """An execution at hand that is as the database has it; it is not read again."""
    return all_fresh_json([execution])[0]


def all_fresh_json(executions: list[JobExecution]) -> list[Row]:
    reasons = waiting_for(executions)
    return [
        execution_json({**vars(one), "project__name": one.project.name}, reasons.get(one.pk, [])) for one in executions
    ]


def _is_queued(row: Row) -> bool:
    return bool(row["state"] == State.QUEUED.value)

"""Executions as the connector shows them: optional keys are absent, times are milliseconds."""

from typing import Any

from jobs.states import State
from vendors.siren.vendor import INFOS, STATES
from vendors.wire.times import epoch_millis

Row = dict[str, Any]
STATUS = (
    "id",
    "log_uuid",
    "project_id",
    "job_name",
    "kind",
    "state",
    "records",
    "progress_done",
    "last_id",
    "message",
    "errors",
    "queued_at",
    "started_at",
    "finished_at",
)
"""The columns that a status needs."""
STOPPED = (State.ABORTING.value, State.ABORTED.value)


def status_json(row: Row) -> Row:
    word = STATES.words[State(row["state"])]
    end_time = epoch_millis(row["finished_at"])
    shown: Row = {"version": 1, "id": row["job_name"], "is_running": end_time is None}
    if row["state"] in STOPPED:
        shown["is_aborting"] = True
    shown["start_time"] = epoch_millis(row["started_at"] or row["queued_at"])
    if end_time is not None:
        shown["end_time"] = end_time
    shown["infos"] = INFOS[word]
    if row["state"] == State.FAILED.value:
        shown["error"] = row["errors"] or [row["message"]]
    shown |= {"state": word, "count": row["records"] or row["progress_done"] or 0}
    if row["last_id"]:
        shown["last_id"] = row["last_id"]
    return shown


def job_json(row: Row) -> Row:
    """A job by its current or last run."""
    return {"_id": row["job_name"], "type": row["kind"], "found": True, "status": status_json(row)}


def no_job(type: str, id: str) -> Row:
    return {"_id": id, "type": type, "found": False}


def running_json(row: Row) -> Row:
    return {"_id": row["job_name"], "_source": {row["kind"]: status_json(row)}}


def log_json(row: Row) -> Row:
    """An entry of the job log."""
    return {"_id": f"{row['job_name']}{row['log_uuid']}", "_source": {row["kind"]: status_json(row)}}


def hits(total: int, found: list[Row]) -> Row:
    """Every list: `total` is a plain number, as before Elasticsearch 7."""
    return {"hits": {"total": total, "hits": found}}

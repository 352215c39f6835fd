"""Executions as Datameer shows them. V1 writes numbers, V2 texts; the order of keys is the vendor's."""

from collections.abc import Iterable
from typing import Any

from vendors.datameer import estimates
from vendors.datameer.kinds import EXPORT_JOB, IMPORT_JOB
from vendors.datameer.rows import Row
from vendors.datameer.times import medium, timestamp
from vendors.datameer.waiting import waits
from vendors.datameer.words import NONE, RUNNING, word_v1, word_v2
from vendors.wire.vendor import Seen

PREVIEW_RECORDS = 5000
"""So many records of an import the vendor keeps for its previews, unless its document says otherwise."""


def status_v1(row: Row | None) -> Row:
    """Of a job by its last run, whose id this is, not the job's. Empty for one that never ran."""
    return {} if row is None else run(row, waits=waits(row))


def run(row: Row, *, waits: bool) -> Row:
    """A run in lists. Nothing in it may be a number but the id: scripts take the first one of the text."""
    return {"id": row["id"], "jobStatus": word_v1(row, waits=waits)}


def history(rows: Iterable[Row], waiting: set[int]) -> list[Row]:
    return [run(row, waits=row["id"] in waiting) for row in rows]


def volume_report(rows: Iterable[Row], waiting: set[int]) -> list[Row]:
    """What each run read; what is no import has no volume."""
    return [
        {
            **run(row, waits=row["id"] in waiting),
            **({"importedVolume": row["volume_bytes"] or 0} if row["kind"] == IMPORT_JOB.kind else {}),
            "type": "NORMAL",
        }
        for row in rows
    ]


def details(row: Row) -> Row:
    """One run with its counters. The times that it does not have yet are left out."""
    body = {
        "counters": _counters(row),
        "failureCount": row["n_dropped"] or 0,
        "jobStatus": word_v1(row, waits=waits(row)),
        "startTime": timestamp(row["started_at"]),
        "stopTime": timestamp(row["finished_at"]),
        "successCount": row["records"] or 0,
    }
    return {name: value for name, value in body.items() if value is not None}


def _counters(row: Row) -> Row:
    """What a script tells imports from exports by; a workbook's are those of an import."""
    records, dropped, volume = (row[name] or 0 for name in ("records", "n_dropped", "volume_bytes"))
    if row["kind"] == EXPORT_JOB.kind:
        return {"EXPORT_RECORDS": records, "EXPORT_DROPPED_RECORDS": dropped, "EXPORT_BYTES": volume}
    return {
        "IMPORT_RECORDS": records,
        "IMPORT_BYTES": volume,
        "IMPORT_DROPPED_RECORDS": dropped,
        "IMPORT_PREVIEW_RECORDS": min(records, PREVIEW_RECORDS),
        "IMPORT_OUTPUT_BYTES": volume,
        "IMPORT_DROPPED_SPLITS": 0,
        "IMPORT_OUTPUT_PARTITIONS": 0,
    }


def status_v2(row: Row | None) -> Row:
    """Of a file by its last run."""
    if row is None:
        return {"status": "success", "job-status": NONE}
    word = word_v2(row, waits=waits(row))
    body: Row = {
        "status": "success",
        "file-id": row["job_id"],
        "job-execution-id": row["id"],
        "job-status": word,
        "start-time": medium(row["started_at"]),
    }
    if word == RUNNING:
        return {**body, "estimate-time": estimates.estimate_time(row), "job-progress": estimates.progress(row)}
    return {**body, "stop-time": medium(row["finished_at"])} if row["finished_at"] else body


def triggered(execution: Any) -> Row:
    """The answer to a trigger, as the vendor prints it for both versions."""
    return {
        "status": "success",
        "job-execution-id": execution.pk,
        "job-execution-user": execution.requested_by,
        "job-execution-trigger": "RESTAPI",
    }


def seen_as(row: Row, *, is_newest: bool) -> Seen:
    """The last run of a job is what its status shows; an older one has only its details."""
    if is_newest:
        path = f"api/job-execution/{row['job_id']}/status"
        return Seen(id=str(row["id"]), path=path, body=status_v2(row))
    return Seen(id=str(row["id"]), path=f"rest/job-execution/job-details/{row['id']}", body=details(row))

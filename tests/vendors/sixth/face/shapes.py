"""Executions as firings."""

from typing import Any

from jobs.states import State
from vendors.kiln.vendor import VENDOR

Row = dict[str, Any]
FIRING = ("id", "project_id", "job_name", "state", "started_at", "finished_at")


def firing(row: Row) -> Row:
    return {
        "firing": row["id"],
        "ware": row["job_name"],
        "stage": VENDOR.states.words[State(row["state"])],
        "lit": VENDOR.time(row["started_at"]),
        "opened": VENDOR.time(row["finished_at"]),
    }

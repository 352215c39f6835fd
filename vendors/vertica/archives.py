"""What backups made, as the agent's archives."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from jobs.errors import NotFound
from jobs.models import Archive

ARCHIVE_ID = re.compile(r"(.+)_(\d{8}_\d{6})", re.ASCII | re.DOTALL)
STAMP = "%Y%m%d_%H%M%S"
COLUMNS = ("id", "job_name", "name", "container", "level", "size_bytes", "created_at")
LISTED = 1000


def archive_id(row: dict[str, Any]) -> str:
    """As vbr names them: `nightly_20261125_013000`, in UTC."""
    return f"{row['name']}_{row['created_at'].astimezone(UTC):{STAMP}}"


def archive_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "archive_id": archive_id(row),
        "backup": row["job_name"],
        "href": f"/backups/{row['job_name']}/{archive_id(row)}",
        "level": row["level"],
        "size": row["size_bytes"],
        "timestamp": f"{row['created_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}",
    }


def newest(project_id: int) -> QuerySet[Any, dict[str, Any]]:
    return Archive.objects.filter(project_id=project_id).order_by("-created_at").values(*COLUMNS)[:LISTED]


def find_archive(text: str, project_id: int) -> dict[str, Any]:
    """The newest one of that name and second. Raises `NotFound`."""
    match = ARCHIVE_ID.fullmatch(text)
    row = _find(match[1], match[2], project_id) if match and "\0" not in text else None
    if row is None:
        raise NotFound(f"there is no archive {text!r}")
    return row


def _find(name: str, stamp: str, project_id: int) -> dict[str, Any] | None:
    try:
        began = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    second = (began, began + timedelta(seconds=1))
    rows = Archive.objects.filter(project_id=project_id, name=name, created_at__gte=second[0], created_at__lt=second[1])
    return rows.order_by("-created_at").values(*COLUMNS).first()

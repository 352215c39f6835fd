"""Backups: what schedulers say that they have made, and the archives of the hub's own nodes."""

import heapq
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from jobs.engine import archives
from jobs.errors import NotFound
from jobs.models import Archive
from vendors.freezer.errors import bad_format
from vendors.freezer.scope import Scope
from vendors.freezer.search import Search
from vendors.freezer.stores import BACKUPS, unpacked
from vendors.models import VendorDocument

Json = dict[str, Any]
AVAILABLE = "available"
STATUSES = ("creating", AVAILABLE, "error", "deleting", "deleted")
UNFINISHED = ("creating", "error", "deleting")
BAD = "Bad Data Format"
OWN = "archive-"
"""What the id of one of the hub's own archives begins with."""
CHUNK = 200
NAME_CHARS = 255


def create(given: Json, scope: Scope) -> str:
    status = given.get("status") or AVAILABLE
    names = ("backup_name",) if status in UNFINISHED else ("backup_name", "container", "hostname")
    if status not in STATUSES or not all(isinstance(given.get(name), str) and given[name] for name in names):
        raise bad_format(BAD)
    backup_id = uuid.uuid4().hex
    BACKUPS.create(backup_id, {"status": status, "backup_metadata": given}, scope)
    return backup_id


def patch(backup_id: str, given: Json, scope: Scope) -> Json:
    """Its status, its metadata as a whole, or both; the backup as it is then. Raises `NotFound`."""
    status, metadata = given.get("status"), given.get("backup_metadata")
    if (status is not None and status not in STATUSES) or not isinstance(metadata, dict | None):
        raise bad_format(BAD)
    changes = {name: value for name, value in (("status", status), ("backup_metadata", metadata)) if value is not None}
    if not BACKUPS.find(backup_id, scope.project_id):
        raise NotFound(f"No backup found with ID {backup_id}")
    kept = BACKUPS.change(backup_id, lambda old: {**old, **changes}, scope)
    return _shown(backup_id, scope.keystone_id, scope.user, kept)


def _shown(backup_id: str, project: str, user: str, kept: Json) -> Json:
    return {"project_id": project, "backup_id": backup_id, "user_id": user, **kept}


def get(backup_id: str, scope: Scope) -> Json:
    """Raises `NotFound`."""
    row = BACKUPS.find(backup_id, scope.project_id)
    if row is not None:
        return _shown(row.key, scope.keystone_id, row.body["user"], unpacked(row))
    archive = find_archive(backup_id, scope)
    if archive is None:
        raise NotFound
    return archive_json(archive, scope.keystone_id)


def delete(backup_id: str, scope: Scope) -> bool:
    """The record goes, the data stay where they are."""
    archive = find_archive(backup_id, scope)
    if archive is not None:
        archives.forget(archive, actor=scope.actor)
        return True
    return BACKUPS.delete(backup_id, scope)


# -- the hub's own -----------------------------------------------------------------------------------------------------
def find_archive(backup_id: str, scope: Scope) -> Archive | None:
    number = backup_id.removeprefix(OWN)
    if number == backup_id or not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    rows = Archive.objects.select_related("execution__job", "execution__requested_user")
    return rows.filter(pk=int(number), project=scope.project_id).first()


def archive_json(archive: Archive, project: str) -> Json:
    execution = archive.execution
    user = execution.requested_user if execution else None
    job = execution.job if execution else None
    metadata = {
        "action": "backup",
        "mode": "fs",
        "storage": "local",
        "backup_name": archive.name,
        "container": archive.container,
        "hostname": archive.node,
        "time_stamp": int(archive.created_at.timestamp()),
        "curr_backup_level": archive.level,
        "level": archive.level,
        "job_id": job.key if job else "",
        "path": archive.path,
        "size": archive.size_bytes,
        "sha256": archive.sha256,
    }
    kept = {"status": AVAILABLE, "backup_metadata": metadata}
    return _shown(f"{OWN}{archive.pk}", project, user.uuid.hex if user else "", kept)


# -- lists -------------------------------------------------------------------------------------------------------------
def listed(search: Search, window: tuple[float, float], limit: int, offset: int, scope: Scope) -> list[Json]:
    """Both kinds, the newest first; `window` are the times between which they were made."""
    most = None if search or window != EVER else limit + offset
    both = heapq.merge(_documents(scope, most), _archives(scope, most), key=lambda item: item[0], reverse=True)
    fitting = (one for at, one in both if window[0] < _time_of(one, at) < window[1] and search.takes(one))
    return [_as_listed(one) for one in islice(fitting, offset, offset + limit)]


EVER = (float("-inf"), float("inf"))


def window_of(body: Any) -> tuple[float, float]:
    """The `time_after` and `time_before` of a search."""
    given = body if isinstance(body, dict) else {}
    after, before = given.get("time_after", EVER[0]), given.get("time_before", EVER[1])
    if isinstance(after, bool) or isinstance(before, bool) or not isinstance(after, int | float):
        raise bad_format(BAD)
    if not isinstance(before, int | float):
        raise bad_format(BAD)
    return after, before


def _time_of(shown: Json, at: float) -> float:
    stamp = shown["backup_metadata"].get("time_stamp")
    return stamp if isinstance(stamp, int | float) else at


def _as_listed(one: Json) -> Json:
    """Lists have an order of their own."""
    return {name: one[name] for name in ("project_id", "user_id", "backup_id", "status", "backup_metadata")}


def _documents(scope: Scope, most: int | None) -> Iterator[tuple[float, Json]]:
    rows: Iterable[VendorDocument] = BACKUPS.all(scope.project_id).order_by("-pk")[:most]
    for row in _pieces(rows, most):
        shown = _shown(row.key, scope.keystone_id, row.body["user"], unpacked(row))
        yield row.created_at.timestamp(), shown


def _archives(scope: Scope, most: int | None) -> Iterator[tuple[float, Json]]:
    rows = Archive.objects.filter(project=scope.project_id).order_by("-created_at")
    for row in _pieces(rows.select_related("execution__job", "execution__requested_user")[:most], most):
        yield row.created_at.timestamp(), archive_json(row, scope.keystone_id)


def _pieces(rows: Any, most: int | None) -> Iterable[Any]:
    return rows if most is not None else rows.iterator(chunk_size=CHUNK)

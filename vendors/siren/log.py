"""The job log: what has ended, the last started first, found by any of its filters in an index."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet

from jobs.models import JobExecution
from jobs.models.queries import Literal
from vendors.siren.filters import LogFilters, Window
from vendors.siren.shapes import STATUS, Row

COUNTED = 10_000
"""Totals are exact up to here."""
ORDER = ("-began_at", "-id")


def of_project(project_id: int) -> QuerySet[Any]:
    return JobExecution.objects.begun().filter(project_id=project_id)


def total(filters: LogFilters) -> int:
    scans = _cut([scan.values("pk") for scan in _scans(filters)], COUNTED)
    return _together(scans)[:COUNTED].count() if scans else 0


def page(filters: LogFilters, window: Window) -> list[Row]:
    scans = [scan.values(*STATUS, "began_at") for scan in _scans(filters)]
    if not scans or not window.size:
        return []
    scans = _cut(scans, window.end) if len(scans) > 1 else scans
    return list(window.of_rows(_together(scans).order_by(*ORDER)))


def _scans(filters: LogFilters) -> list[QuerySet[Any]]:
    """Each state is a scan of an index: no planner finds that by itself."""
    rows = filters.checked().order_by()
    return [rows.filter(state=Literal(state.value)) for state in filters.states]


def _cut(scans: list[QuerySet[Any]], until: int) -> list[QuerySet[Any]]:
    """PostgreSQL wants to be told that each scan is in order, and how far it goes; SQLite knows, and cannot be told."""
    if not connection.features.supports_slicing_ordering_in_compound:
        return scans
    return [scan.order_by(*ORDER)[:until] for scan in scans]


def _together(scans: list[QuerySet[Any]]) -> QuerySet[Any]:
    first, *others = scans
    return first.union(*others, all=True) if others else first

"""The job log: what has ended, the last started first, found by any of its filters in an index."""

from typing import Any

from django.db.models import QuerySet

from jobs.models import JobExecution
from jobs.models.queries import Literal
from vendors.siren.filters import LogFilters, Window
from vendors.siren.shapes import STATUS, Row

COUNTED = 10_000
"""Totals are exact up to here."""
ORDER = ("-began_at", "-id")


def everything(project_id: int) -> QuerySet[Any]:
    return JobExecution.objects.log().filter(project_id=project_id)


def total(filters: LogFilters) -> int:
    if not filters.states:
        return 0
    rows = filters.checked().filter(state__in=[Literal(state) for state in filters.states])
    return rows.order_by()[:COUNTED].count()


def page(filters: LogFilters, window: Window) -> list[Row]:
    """Each state is a scan of an index, and they are merged: no planner finds that by itself without statistics."""
    rows = filters.checked()
    scans = [rows.filter(state=Literal(state)).values(*STATUS, "began_at").order_by() for state in filters.states]
    if not scans or not window.size:
        return []
    first, *others = scans
    merged = first.union(*others, all=True) if others else first
    return list(window.of_rows(merged.order_by(*ORDER)))

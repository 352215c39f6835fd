"""Times that somebody gives for something to come."""

from datetime import datetime

from django.utils import timezone

from jobs.errors import Invalid
from jobs.schedules.zones import YEARS


def check_year(field: str, at: datetime | None) -> None:
    """Raises `Invalid` near the ends of the calendar: such a time cannot be shown in every time zone."""
    if at is not None and at.year not in YEARS:
        raise Invalid.field(field, f"wanted a year from {YEARS[0]} to {YEARS[-1]}, not {at.year}")


def check_future(field: str, at: datetime | None) -> None:
    """Raises `Invalid` for a time that has passed, and for one that is too far away."""
    if at is not None and at <= timezone.now():
        raise Invalid.field(field, "wanted a time in the future")
    check_year(field, at)

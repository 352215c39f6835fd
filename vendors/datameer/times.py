"""Datameer's two ways to write a time, both in the zone of the server and without naming it."""

from datetime import datetime

from django.utils import timezone

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def timestamp(at: datetime | None) -> str | None:
    """V1's: `2012-07-06 18:19:09.0`, as `java.sql.Timestamp` prints milliseconds, with no zero behind them."""
    if at is None:
        return None
    local = timezone.localtime(at)
    return f"{local:%Y-%m-%d %H:%M:%S}.{f'{local.microsecond // 1000:03}'.rstrip('0') or '0'}"


def medium(at: datetime | None) -> str | None:
    """V2's: `Sep 28, 2018 6:44:56 PM`, as Java's medium format of en_US: no zero before the day and the hour."""
    if at is None:
        return None
    local = timezone.localtime(at)
    half = "PM" if local.hour >= 12 else "AM"
    return f"{MONTHS[local.month - 1]} {local.day}, {local.year} {local.hour % 12 or 12}:{local:%M:%S} {half}"

"""How the values of options are read: each raises argparse's own error with what was wanted."""

import re
from argparse import ArgumentTypeError
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from jobs.engine.times import check_year
from jobs.errors import Invalid

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def param(text: str) -> tuple[str, str]:
    """`name=value`."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"wanted name=value, got {text!r}")
    return name, value


def moment_option(text: str) -> datetime:
    """A time as ISO 8601, without an offset in JOBHUB_TIME_ZONE, or a span from now such as `90m` or `30d`."""
    return _told(text, 1)


def past_moment_option(text: str) -> datetime:
    """As `moment_option`, but a span counts back from now."""
    return _told(text, -1)


def _told(text: str, direction: int) -> datetime:
    span = _span(text)
    try:
        at = timezone.now() + direction * span if span else _moment(text)
        check_year("", at)
    except (OverflowError, Invalid):
        raise ArgumentTypeError(f"{text!r} is too far away") from None
    return at


def _span(text: str) -> timedelta | None:
    match = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    return timedelta(**{UNITS[match[2]]: int(match[1])}) if match else None


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text if len(text) > 10 else f"{text}T00:00:00")
    except ValueError:
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"wanted a time such as 2027-01-31T08:00 or a span such as 90m or 30d, got {text!r}")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def count(text: str) -> int:
    """A whole number from 1."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1_000_000:
        raise ArgumentTypeError(f"wanted a whole number from 1, got {text!r}")
    return int(text)

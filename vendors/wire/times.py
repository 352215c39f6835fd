"""How times are written and read on the wire."""

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def rfc3339(at: datetime | None) -> str | None:
    """`2026-11-22T08:01:39.250000Z`; microseconds only where there are any."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def keystone(at: datetime) -> str:
    """`2026-11-22T08:01:39.250000Z`, always with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> datetime:
    """An aware time in UTC. Raises `ValueError` that says what was wanted."""
    try:
        if RFC3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("wanted a time with its zone, such as 2026-11-22T08:00:00Z")


def epoch_millis(at: datetime | None) -> int | None:
    """Whole milliseconds since 1970."""
    return None if at is None else (at - EPOCH) // MILLISECOND


def from_epoch_millis(millis: int) -> datetime:
    """The time at which that millisecond begins; the first or last known one for what is beyond them."""
    try:
        return EPOCH + millis * MILLISECOND
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if millis > 0 else datetime.min.replace(tzinfo=UTC)

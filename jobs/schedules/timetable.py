"""A schedule as it is written, and when it comes."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from jobs.errors import Invalid
from jobs.schedules import cron, fields, interval, quartz, zones
from jobs.schedules.times import HORIZON_YEARS, Moment, Pattern, Steps, WallClock, as_datetime

T = TypeVar("T")
LONGEST_TEXT = 500


class Dialect(StrEnum):
    """How a schedule is written; each is also the name of the field that holds it."""

    INTERVAL = "interval"
    """Elapsed time: `15m`, `1h 30m`, `2 days`, or `continuous`: again as soon as the last run has ended."""
    CRON = "cron"
    """Five fields, as Debian's cron reads them."""
    QUARTZ = "quartz"
    """Six or seven fields with seconds."""
    FIELDS = "fields"
    """An object of fields from `year` to `second`, with the expressions of APScheduler 3."""
    AT = "at"
    """One date and time."""


class Policy(StrEnum):
    """What the change of the clocks does to times that are named (`30 2 * * *`, not `*/5 * * * *`)."""

    ONCE = "once"
    """One run, also when the clocks show the time twice or leave it out."""
    WALL = "wall"
    """A run whenever the clocks show the time: perhaps twice, perhaps not at all."""


class Times(Protocol):
    def next_after(self, instant: int) -> int | None: ...


@dataclass(frozen=True)
class Timetable:
    """When a schedule comes, as aware UTC times. Its end belongs to it."""

    times: Times
    start: int | None = None
    end: int | None = None

    def next_after(self, after: datetime) -> datetime | None:
        """The first time later than `after`; `None` when there is none within a hundred years."""
        instant = int(after.timestamp() // 1)
        if self.start is not None:
            instant = max(instant, self.start - 1)
        found = self.times.next_after(instant)
        return None if found is None or (self.end is not None and found > self.end) else as_datetime(found)

    def after(self, after: datetime) -> Iterator[datetime]:
        """All times later than that, one after the other."""
        at = self.next_after(after)
        while at is not None:
            yield at
            at = self.next_after(at)

    def within(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The first of the times later than `after` up to and with `until`."""
        return list(islice(takewhile(lambda at: at <= until, self.after(after)), limit))

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        """The last of the times later than `after` up to and with `until`, without looking at all of them."""
        span = timedelta(minutes=1)
        while True:
            begin = max(after, until - span)
            if found := deque(takewhile(lambda at: at <= until, self.after(begin)), maxlen=1):
                return found[0]
            if begin == after:
                return None
            span *= 2

    def comes_at(self, at: datetime) -> bool:
        return self.next_after(as_datetime(int(at.timestamp()) - 1)) == at


def parse(
    dialect: str,
    value: str | Mapping[str, Any],
    *,
    zone: str = "UTC",
    policy: str = Policy.ONCE,
    start: datetime | None = None,
    end: datetime | None = None,
    anchor: datetime | None = None,
) -> Timetable:
    """Read a schedule. Intervals are counted from `start`, else from `anchor`, else from now.

    Raises `Invalid` with the dialect (`cron`, `fields.hour`), `zone` or `policy` as the field and what is wrong.
    """
    where = _field("zone", lambda: zones.zone(zone))
    _field("policy", lambda: Policy(policy), f"wanted {' or '.join(Policy)}, not {policy!r}")
    first = None if start is None else int(start.timestamp())
    since = int((start or anchor or datetime.now(UTC)).timestamp())
    times = _field(str(dialect), lambda: _times(dialect, value, where, policy, since))
    return Timetable(times, first, None if end is None else int(end.timestamp()))


def check(
    dialect: str,
    value: str | Mapping[str, Any],
    *,
    zone: str = "UTC",
    policy: str = Policy.ONCE,
    start: datetime | None = None,
    end: datetime | None = None,
    now: datetime | None = None,
) -> None:
    """Raises `Invalid` for what cannot be read, and for what never comes after `now`."""
    now = now or datetime.now(UTC)
    if end is not None and start is not None and end < start:
        raise Invalid.field("end", f"is before its start, {start:%Y-%m-%d %H:%M} UTC")
    if end is not None and end < now:
        raise Invalid.field("end", f"{end:%Y-%m-%d %H:%M} UTC has passed")
    if parse(dialect, value, zone=zone, policy=policy, start=start, end=end, anchor=now).next_after(now) is None:
        raise Invalid.field(str(dialect), _why_never(dialect, value, start, end, now))


def next_times(
    dialect: str,
    value: str | Mapping[str, Any],
    *,
    zone: str = "UTC",
    policy: str = Policy.ONCE,
    start: datetime | None = None,
    end: datetime | None = None,
    after: datetime | None = None,
    n: int = 5,
) -> list[datetime]:
    """The next times after `after` (default: now), at most `n`, in UTC. Raises `Invalid` as `parse` does."""
    after = after or datetime.now(UTC)
    timetable = parse(dialect, value, zone=zone, policy=policy, start=start, end=end, anchor=after)
    return list(islice(timetable.after(after), n))


def moment(field: str, text: str, *, zone: str = "UTC") -> datetime:
    """A date and time in that zone, unless it has an offset, in UTC. Raises `Invalid` with that field, or `zone`."""
    where = _field("zone", lambda: zones.zone(zone))
    return as_datetime(_field(field, lambda: zones.instant(text, where)))


def _times(dialect: str, value: str | Mapping[str, Any], where: ZoneInfo, policy: str, since: int) -> Times:
    if dialect == Dialect.FIELDS:
        if not isinstance(value, Mapping):
            raise ValueError("wanted an object of fields")
        return WallClock(fields.parse(value), where, policy == Policy.ONCE)
    if not isinstance(value, str):
        raise ValueError("wanted a text")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"wanted at most {LONGEST_TEXT} characters")
    if dialect == Dialect.INTERVAL:
        return Steps(since, interval.parse(value))
    if dialect == Dialect.AT:
        return Moment(zones.instant(value, where))
    if dialect not in PATTERNS:
        raise ValueError(f"wanted one of {', '.join(Dialect)}")
    return WallClock(PATTERNS[dialect](value), where, policy == Policy.ONCE)


PATTERNS: dict[str, Callable[[str], Pattern]] = {Dialect.CRON: cron.parse, Dialect.QUARTZ: quartz.parse}


def _field(name: str, read: Callable[[], T], message: str = "") -> T:
    """What `read` gives, its errors told of a field."""
    try:
        return read()
    except ValueError as error:
        raise Invalid.field(name, message or str(error)) from None
    except Invalid as error:
        raise error.under(name) from None


def _why_never(
    dialect: str, value: str | Mapping[str, Any], start: datetime | None, end: datetime | None, now: datetime
) -> str:
    shown = f"{value!r}" if isinstance(value, str) else ", ".join(f"{name}={text}" for name, text in value.items())
    if dialect == Dialect.AT:
        return f"{shown} has passed"
    if end is not None:
        now = max(now, start or now)
        return f"{shown} does not come between {now:%Y-%m-%d %H:%M} UTC and its end, {end:%Y-%m-%d %H:%M} UTC"
    return f"{shown} never comes: there is no such time within {HORIZON_YEARS} years"

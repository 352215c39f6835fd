"""The next time of a pattern by the clock on the wall of a time zone: the normal form of all dialects.

Instants are whole seconds since 1970 in UTC, days are numbered from 1970-01-01, times of a day are its seconds. Nothing
is ever added to a local time: that is how others lose a day or run one twice when the clocks change.
"""

from bisect import bisect_left
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86_400
EPOCH = date(1970, 1, 1).toordinal()
HORIZON_YEARS = 100
LAST_YEAR = 9900
"""After it no calendar here can be trusted to have a next year."""
WIDEST_OFFSET = 16 * HOUR
"""Wider than any zone ever was: Manila before 1844 was 15:56 behind."""


@dataclass(frozen=True)
class Pattern:
    """Some seconds of some days. Hours, minutes and seconds are sorted and not empty."""

    months: Container[int]
    day: Callable[[date], bool]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...] = (0,)
    years: Container[int] | None = None
    names_times: bool = True
    """It says at which times of the day, not every so many minutes or hours of it."""

    def takes(self, on: date) -> bool:
        return on.month in self.months and (self.years is None or on.year in self.years) and self.day(on)

    def first(self, second: int) -> int | None:
        """The first of its times of a day that is not before this second of it."""
        hour, minute = divmod(second // MINUTE, 60)
        i = bisect_left(self.hours, hour)
        if i < len(self.hours) and self.hours[i] == hour:
            within = self._in_hour(minute, second % MINUTE)
            if within is not None:
                return hour * HOUR + within
            i += 1
        return None if i == len(self.hours) else self.hours[i] * HOUR + self.minutes[0] * MINUTE + self.seconds[0]

    def _in_hour(self, minute: int, second: int) -> int | None:
        i = bisect_left(self.minutes, minute)
        if i < len(self.minutes) and self.minutes[i] == minute:
            j = bisect_left(self.seconds, second)
            if j < len(self.seconds):
                return minute * MINUTE + self.seconds[j]
            i += 1
        return None if i == len(self.minutes) else self.minutes[i] * MINUTE + self.seconds[0]


class Piece(NamedTuple):
    """A part of a local day in which the clock on the wall goes on without a jump."""

    start: int
    end: int
    offset: int


@dataclass(frozen=True)
class WallClock:
    """A pattern in a zone.

    `once`: what names its times runs once where the clock shows them twice (the first time), and at the first instant
    after a gap that swallows them, as Debian's cron does. Otherwise it runs at each instant whose local time fits.
    """

    pattern: Pattern
    zone: ZoneInfo
    once: bool = True

    def next_after(self, instant: int) -> int | None:
        """The first of its times after an instant; `None` when there is none within a hundred years."""
        first = instant + 1
        for day in self._days(_day_of(self.zone, first) - 1):
            found = self._in_day(day, first)
            if found is not None:
                return self._or_interleaved(day, first, found)
        return None

    def _or_interleaved(self, day: int, first: int, found: int) -> int:
        """A clock set back over midnight shows some of the next day before the rest of this one."""
        if len(pieces(self.zone, day)) > 1 and self.pattern.takes(_date(day + 1)):
            other = self._in_day(day + 1, first)
            return found if other is None else min(found, other)
        return found

    def _days(self, day: int) -> Iterator[int]:
        on = _date(day)
        last_year = min(on.year + HORIZON_YEARS, LAST_YEAR)
        while on.year <= last_year:
            if self.pattern.years is not None and on.year not in self.pattern.years:
                on = date(on.year + 1, 1, 1)
            elif on.month not in self.pattern.months:
                on = date(on.year + on.month // 12, on.month % 12 + 1, 1)
            else:
                if self.pattern.day(on):
                    yield on.toordinal() - EPOCH
                on = date.fromordinal(on.toordinal() + 1)

    def _in_day(self, day: int, first: int) -> int | None:
        if not self.once or not self.pattern.names_times:
            return self._as_shown(day, first)
        return self._once(day, first)

    def _as_shown(self, day: int, first: int) -> int | None:
        for start, end, offset in pieces(self.zone, day):
            shift = offset - day * DAY
            time = self.pattern.first(max(start, first) + shift) if end > first else None
            if time is not None and time < end + shift:
                return time - shift
        return None

    def _once(self, day: int, first: int) -> int | None:
        shown = 0
        """So much of the day the clock has shown."""
        for start, end, offset in pieces(self.zone, day):
            shift = offset - day * DAY
            if start >= first and self._has(shown, start + shift):
                return start
            time = self.pattern.first(max(start + shift, shown, first + shift))
            if time is not None and time < end + shift:
                return time - shift
            shown = max(shown, end + shift)
        end_of_day = _end(self.zone, day)
        return end_of_day if end_of_day >= first and self._has(shown, DAY) else None

    def _has(self, begin: int, end: int) -> bool:
        time = self.pattern.first(begin) if begin < end else None
        return time is not None and time < end


@dataclass(frozen=True)
class Steps:
    """Every so many seconds of elapsed time, counted from a start."""

    start: int
    step: int

    def next_after(self, instant: int) -> int | None:
        return self.start if instant < self.start else instant + self.step - (instant - self.start) % self.step


@dataclass(frozen=True)
class Moment:
    """One instant."""

    at: int

    def next_after(self, instant: int) -> int | None:
        return self.at if instant < self.at else None


@lru_cache(maxsize=20_000)
def pieces(zone: ZoneInfo, day: int) -> tuple[Piece, ...]:
    """A local day as the instants at which the zone's clocks show it, in their order; empty where it was left out."""
    midnight, found = day * DAY, list[Piece]()
    at, end = midnight - WIDEST_OFFSET, midnight + DAY + WIDEST_OFFSET
    while at < end:
        offset, until = offset_at(zone, at), at + HOUR
        if offset_at(zone, until) != offset:
            until = _change(zone, at, until)
        start, stop = max(at, midnight - offset), min(until, midnight + DAY - offset)
        if start < stop:
            goes_on = found and found[-1].end == start and found[-1].offset == offset
            found.append(Piece(found.pop().start if goes_on else start, stop, offset))
        at = until
    return tuple(found)


def offset_at(zone: ZoneInfo, instant: int) -> int:
    """Seconds by which local time is ahead of UTC."""
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None
    return offset.days * DAY + offset.seconds


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The first instant after `low` with the offset of `high`, when there is one change between them."""
    offset = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _end(zone: ZoneInfo, day: int) -> int:
    """The instant at which a local day is over; of one that was left out, at which it would have begun."""
    own = pieces(zone, day)
    return own[-1].end if own else pieces(zone, day + 1)[0].start


def _day_of(zone: ZoneInfo, instant: int) -> int:
    return (instant + offset_at(zone, instant)) // DAY


def _date(day: int) -> date:
    return date.fromordinal(day + EPOCH)


def as_datetime(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)

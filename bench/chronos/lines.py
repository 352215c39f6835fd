"""Schedules as they are written, and when they come by a look at the clock on the wall at every second, or at every
minute where no schedule and no change of the clocks has seconds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GRACE_S = 2
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Nuuk",
    "Asia/Kolkata",
    "UTC",
)
RULES = ("skip", "once", "all")


@dataclass(frozen=True)
class Line:
    """A schedule and the question to a local time whether it comes then."""

    name: str
    written: dict[str, Any]
    fits: Callable[[datetime], bool]
    names_times: bool = False
    step: timedelta = SECOND
    """How often the clock is looked at."""
    lasts_s: float = 0
    """Each of its runs."""

    @property
    def catch_up(self) -> str:
        return str(self.written["catch_up"])

    @property
    def is_once(self) -> bool:
        """One run where the clocks show its time twice, or leave it out."""
        return self.names_times and self.written.get("policy") != "wall"

    def times(self, begin: datetime, end: datetime) -> list[datetime]:
        """From `begin` to before `end`."""
        zone, found = ZoneInfo(self.written["zone"]), list[datetime]()
        at = begin + (EPOCH - begin) % self.step
        latest = _local(at - self.step, zone)
        while at < end:
            local = _local(at, zone)
            unseen = self._between(latest, local) if self.is_once else [local]
            if any(self.fits(one) for one in unseen):
                found.append(at)
            latest = max(latest, local)
            at += self.step
        return found

    def _between(self, after: datetime, until: datetime) -> list[datetime]:
        """What the clock would have shown, had it not been set forward: until then, not again what it showed before."""
        return [after + n * self.step for n in range(1, (until - after) // self.step + 1)]


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def often(n: int) -> list[Line]:
    """So many lines that come every few seconds, in all zones, with all rules, in three dialects."""
    return [_often(number) for number in range(n)]


def _often(number: int) -> Line:
    every, zone, rule = 4 + number % 8, ZONES[number % len(ZONES)], RULES[number % len(RULES)]
    first = number % every
    more = {"zone": zone, "catch_up": rule, "grace_s": GRACE_S}

    def fits(local: datetime) -> bool:
        return local.second >= first and (local.second - first) % every == 0

    if number % 2:
        return Line(f"{number}-fields-{rule}", {"fields": {"second": f"{first}-59/{every}"}, **more}, fits)
    return Line(f"{number}-quartz-{rule}", {"quartz": f"{first}/{every} * * * * ?", **more}, fits)


def daily(at: datetime, zone: str, *, policy: str, catch_up: str) -> Line:
    """Every day at this local time of the zone."""
    name = f"{zone.replace('/', '-')}-{at:%H%M}-{policy}-{catch_up}"
    written = {"cron": f"{at.minute} {at.hour} * * *", "zone": zone, "policy": policy, "catch_up": catch_up}
    return Line(
        name,
        {**written, "grace_s": GRACE_S},
        lambda local: (local.hour, local.minute, local.second) == (at.hour, at.minute, 0),
        names_times=True,
        step=MINUTE,
    )


def changes(zone: str, begin: datetime, end: datetime) -> list[datetime]:
    """When the zone's clocks are set, in UTC, to the minute."""
    where, found = ZoneInfo(zone), list[datetime]()
    at = begin
    while at < end:
        later = at + timedelta(hours=6)
        if at.astimezone(where).utcoffset() != later.astimezone(where).utcoffset():
            probes = (at + n * MINUTE for n in range(361))
            offset = at.astimezone(where).utcoffset()
            found.append(next(one for one in probes if one.astimezone(where).utcoffset() != offset).astimezone(UTC))
        at = later
    return found


def shown_at(change: datetime, zone: str) -> datetime:
    """A local time that the change swallows, or shows for the second time just then."""
    where = ZoneInfo(zone)
    before, after = _local(change - SECOND, where) + SECOND, _local(change, where)
    return min(before, after)

"""Time zones by name, and local times in them."""

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

YEARS = range(1970, 2200)
NOT_ISO = re.compile(r"[^0-9T:.,+Z -]")


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def zone(name: str) -> ZoneInfo:
    """Raises `ValueError` for what is not in the IANA database."""
    if name not in _names():
        near = sorted(
            known for known in _names() if known.lower().rpartition("/")[2] == name.lower().rpartition("/")[2]
        )
        hint = f"; did you mean {near[0]}?" if near else ", such as Europe/Berlin or UTC"
        raise ValueError(f"{name!r} is not a time zone of the IANA database{hint}")
    return ZoneInfo(name)


def instant(text: str, where: ZoneInfo) -> int:
    """A date and time (`2027-03-01T06:00`, or the date alone) as an instant; with an offset or Z it needs no zone.

    Fractions of a second are dropped. A time that the clocks show twice is the first one. Raises `ValueError` for
    what is no time, or one that the zone's clocks leave out.
    """
    local = _parsed(text)
    if local.year not in YEARS:
        raise ValueError(f"wanted a year from {YEARS[0]} to {YEARS[-1]}, not {local.year}")
    if local.tzinfo is not None:
        return int(local.timestamp())
    aware = local.replace(tzinfo=where)
    if aware.astimezone(UTC).astimezone(where).replace(tzinfo=None) != local:
        raise ValueError(f"{local:%Y-%m-%d %H:%M} does not exist in {where.key}: the clocks are set forward then")
    return int(aware.timestamp())


def _parsed(text: str) -> datetime:
    try:
        if NOT_ISO.search(text):
            raise ValueError
        return datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        raise ValueError(f"wanted a date and time such as 2027-03-01T06:00, not {text[:50]!r}") from None

"""Generated schedules, and a slow way to find their times: look at the clock on the wall at every single minute."""

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

WINDOW_DAYS = 2
SWITCHES = [
    ("Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 2, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 2, 14, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 3, 21, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 3, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2019, 2, 16, tzinfo=UTC)),
    ("America/Nuuk", datetime(2026, 3, 28, tzinfo=UTC)),
    ("America/Nuuk", datetime(2026, 10, 24, tzinfo=UTC)),
    ("America/St_Johns", datetime(2006, 4, 1, tzinfo=UTC)),
    ("America/St_Johns", datetime(2006, 10, 28, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC)),
    ("Asia/Kolkata", datetime(2028, 2, 28, tzinfo=UTC)),
    ("UTC", datetime(2026, 12, 31, tzinfo=UTC)),
]
"""Windows around clock changes: by half an hour, at midnight, over midnight (St. John's), by a whole day (Apia)."""

Fits = Callable[[int], bool]
FitsDay = Callable[[datetime], bool]


@dataclass(frozen=True)
class Case:
    """A schedule as it is written, and the same as questions to a local time."""

    value: str | dict[str, Any]
    day: FitsDay
    hour: Fits
    minute: Fits
    second: Fits
    names_times: bool

    def __repr__(self) -> str:
        return repr(self.value)

    def fits(self, local: datetime) -> bool:
        return self.minute(local.minute) and self.hour(local.hour) and self.second(local.second) and self.day(local)


@cache
def clock(zone: str, start: datetime, days: int = WINDOW_DAYS) -> list[tuple[datetime, datetime]]:
    """Every minute of a window with what the clock on the wall shows at it."""
    where = ZoneInfo(zone)
    instants = (start + timedelta(minutes=n) for n in range(days * 24 * 60))
    return [(at, at.astimezone(where).replace(tzinfo=None)) for at in instants]


def on_the_wall(case: Case, minutes: list[tuple[datetime, datetime]]) -> list[datetime]:
    return [at for at, local in minutes if case.fits(local)]


def once(case: Case, minutes: list[tuple[datetime, datetime]]) -> list[datetime]:
    """Nothing that the clock has shown already counts; what it leaves out counts at its next minute."""
    if not case.names_times:
        return on_the_wall(case, minutes)
    found, latest = [], minutes[0][1] - timedelta(minutes=1)
    for at, local in minutes:
        if any(case.fits(unseen) for unseen in _minutes(latest, local)):
            found.append(at)
        latest = max(latest, local)
    return found


def _minutes(after: datetime, until: datetime) -> Iterator[datetime]:
    at = after + timedelta(minutes=1)
    while at <= until:
        yield at
        at += timedelta(minutes=1)


# -- numbers -----------------------------------------------------------------------------------------------------------
@st.composite
def terms(draw: st.DrawFn, low: int, high: int, *, wraps: bool = False, step_to: int = 5) -> tuple[str, Fits]:
    """One item of a field and what fits it."""
    size, first = high - low + 1, draw(st.integers(low, high))
    step = draw(st.integers(1, step_to))
    kind = draw(st.sampled_from(["one", "one", "range", "range step", "from"]))
    if kind == "one":
        return str(first), lambda v: v == first
    if kind == "from":
        return f"{first}/{step}", lambda v: v >= first and (v - first) % step == 0
    last = draw(st.integers(low if wraps else first, high))
    length = (last - first) % size
    if kind == "range":
        return f"{first}-{last}", lambda v: (v - first) % size <= length
    return f"{first}-{last}/{step}", lambda v: (v - first) % size <= length and (v - first) % size % step == 0


@st.composite
def fields(
    draw: st.DrawFn, low: int, high: int, *, wraps: bool = False, is_star_likely: bool = True
) -> tuple[str, Fits]:
    if draw(st.booleans()) and is_star_likely:
        step = draw(st.sampled_from([1, 1, 2, 3]))
        return ("*" if step == 1 else f"*/{step}"), lambda v: (v - low) % step == 0
    items = draw(st.lists(terms(low, high, wraps=wraps), min_size=1, max_size=3))
    return ",".join(text for text, _ in items), lambda v: any(fits(v) for _, fits in items)


def is_star(text: str) -> bool:
    return text.startswith("*")


# -- dialects ----------------------------------------------------------------------------------------------------------
@st.composite
def cron(draw: st.DrawFn) -> Case:
    texts, (minute, hour, day, month, weekday) = zip(
        *(draw(fields(*limits)) for limits in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))), strict=True
    )

    def fits_day(local: datetime) -> bool:
        sunday = local.isoweekday() == 7
        in_week = weekday(local.isoweekday()) or (sunday and weekday(0))
        both = is_star(texts[2]) or is_star(texts[4])
        in_month = day(local.day)
        return month(local.month) and (in_month and in_week if both else in_month or in_week)

    return Case(" ".join(texts), fits_day, hour, minute, _zero, not (is_star(texts[0]) or is_star(texts[1])))


@st.composite
def quartz_days(draw: st.DrawFn) -> tuple[str, str, FitsDay]:
    """Day of the month, day of the week, and what fits them."""
    n, back, nth = draw(st.integers(1, 28)), draw(st.integers(0, 30)), draw(st.integers(1, 5))
    weekday = draw(st.integers(1, 7))
    kind = draw(
        st.sampled_from(["days", "days", "L", "L-n", "nW", "LW", "L-nW", "week", "week", "L week", "nL", "n#k"])
    )
    if kind == "days":
        text, fits = draw(fields(1, 31, wraps=True))
        return text, "?", lambda local: fits(local.day)
    if kind == "week":
        text, fits = draw(fields(1, 7, wraps=True))
        return "?", text, lambda local: fits(_from_sunday(local))
    if kind in ("nL", "n#k", "L week"):
        return "?", *_named_weekday(kind, weekday, nth)
    days_back = {"L": 0, "LW": 0}.get(kind, back)
    text = f"{n}W" if kind == "nW" else f"L-{back}" if kind in ("L-n", "L-nW") else "L"
    if kind in ("LW", "L-nW"):
        text += "W"
    return (
        text,
        "?",
        lambda local: _is_wanted(local, n if kind == "nW" else _length(local) - days_back, kind[-1] == "W"),
    )


def _named_weekday(kind: str, weekday: int, nth: int) -> tuple[str, FitsDay]:
    if kind == "L week":
        return "L", lambda local: _from_sunday(local) == 7
    if kind == "nL":
        return f"{weekday}L", lambda local: _from_sunday(local) == weekday and local.day > _length(local) - 7
    return f"{weekday}#{nth}", lambda local: _from_sunday(local) == weekday and 7 * nth - 7 < local.day <= 7 * nth


def _is_wanted(local: datetime, day: int, at_work: bool) -> bool:
    if day < 1:
        return False
    if not at_work:
        return local.day == day
    days = [local.replace(day=n) for n in range(1, _length(local) + 1)]
    return min((one for one in days if one.isoweekday() < 6), key=lambda one: abs(one.day - day)).day == local.day


def _from_sunday(local: datetime) -> int:
    return local.isoweekday() % 7 + 1


def _length(local: datetime) -> int:
    return calendar.monthrange(local.year, local.month)[1]


@st.composite
def quartz(draw: st.DrawFn) -> Case:
    minute_text, minute = draw(fields(0, 59, wraps=True))
    hour_text, hour = draw(fields(0, 23, wraps=True))
    month_text, month = draw(fields(1, 12, wraps=True))
    day_text, week_text, day = draw(quartz_days())
    year = draw(st.sampled_from(["", " *", " 2018-2028", " 2006/4", " 2011,2026"]))
    years = {"": range(9999), " *": range(9999), " 2018-2028": range(2018, 2029), " 2006/4": range(2006, 2200, 4)}
    in_year = years.get(year, (2011, 2026))
    goes_round = any(is_star(text) or text.startswith("0/") for text in (minute_text, hour_text))
    return Case(
        f"0 {minute_text} {hour_text} {day_text} {month_text} {week_text}{year}",
        lambda local: local.year in in_year and month(local.month) and day(local),
        hour,
        minute,
        _zero,
        not goes_round,
    )


@st.composite
def named_days(draw: st.DrawFn) -> tuple[str, FitsDay]:
    """The field `day`, which alone knows `last` and `1st mon`."""
    kind, nth = draw(st.sampled_from(["numbers", "numbers", "last", "nth", "last x"])), draw(st.integers(1, 5))
    weekday = draw(st.integers(0, 6))
    name = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][weekday]
    if kind == "numbers":
        text, fits = draw(fields(1, 31))
        return text, lambda local: fits(local.day)
    if kind == "last":
        return "last,15", lambda local: local.day == 15 or local.day == _length(local)
    if kind == "nth":
        nth_text = ["1st", "2nd", "3rd", "4th", "5th"][nth - 1]
        return f"{nth_text} {name}", lambda local: local.weekday() == weekday and 7 * nth - 7 < local.day <= 7 * nth
    return f"last {name}", lambda local: local.weekday() == weekday and local.day > _length(local) - 7


@st.composite
def named_fields(draw: st.DrawFn) -> Case:
    limits = {"month": (1, 12), "week": (1, 53), "day_of_week": (0, 6), "hour": (0, 23), "minute": (0, 59)}
    given = {name: draw(fields(*limits[name])) for name in limits if draw(st.booleans())}
    given = {name: one for name, one in given.items() if not _has_long_step(one[0])}
    days = draw(st.none() | named_days())
    days = None if days is None or _has_long_step(days[0]) else days
    names = ["year", "month", "day", "week", "day_of_week", "hour", "minute", "second"]
    least = max([names.index(name) for name in given] + [2 if days else 0])

    def fits(name: str, value: int, minimum: int | None) -> bool:
        if name in given:
            return given[name][1](value)
        return minimum is None or names.index(name) < least or value == minimum

    def fits_day(local: datetime) -> bool:
        in_day = days[1](local) if days else fits("day", local.day, 1)
        in_week = fits("week", local.isocalendar()[1], None) and fits("day_of_week", local.weekday(), None)
        return fits("month", local.month, 1) and in_day and in_week

    value = {name: text for name, (text, _) in given.items()} | ({"day": days[0]} if days else {}) or {"year": "*"}
    has_star = any(name not in given and names.index(name) < least for name in ("hour", "minute"))
    has_star = has_star or any(is_star(given[name][0]) for name in ("hour", "minute") if name in given)
    return Case(value, fits_day, lambda v: fits("hour", v, 0), lambda v: fits("minute", v, 0), _zero, not has_star)


def _has_long_step(text: str) -> bool:
    """APScheduler refuses a step that does not fit into its range; here such a field is left out."""
    return "/" in text and not is_star(text)


def _zero(second: int) -> bool:
    return second == 0

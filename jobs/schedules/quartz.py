"""Quartz: seconds, minutes, hours, day of the month, month, day of the week and perhaps the year.

After the documentation of CronExpression (Quartz 2.3). What Quartz reads in a surprising way is refused.
"""

import calendar
import re
from collections.abc import Callable
from datetime import date

from jobs.schedules.numbers import FROM_SUNDAY, MONTHS, Numbers, is_star, why_never
from jobs.schedules.times import Pattern

WEEKDAYS = {name: i for i, name in enumerate(FROM_SUNDAY, start=1)}
SECONDS = Numbers("seconds", 0, 59, wraps=True, longest_step=59)
MINUTES = Numbers("minutes", 0, 59, wraps=True, longest_step=59)
HOURS = Numbers("hours", 0, 23, wraps=True, longest_step=23)
DAYS = Numbers("day of the month", 1, 31, wraps=True, longest_step=31)
MONTH = Numbers("month", 1, 12, MONTHS, wraps=True, longest_step=12)
WEEK = Numbers("day of the week", 1, 7, WEEKDAYS, wraps=True, longest_step=7)
YEAR = Numbers("year", 1970, 2199, longest_step=229)
FROM_LAST = re.compile(r"L(?:-(?P<back>[0-9]{1,2}))?(?P<work>W?)")
NEAREST = re.compile(r"(?P<day>[0-9]{1,2})W")
LAST_WEEKDAY = re.compile(r"(?P<day>[1-9A-Z]+)L")
NTH_WEEKDAY = re.compile(r"(?P<day>[0-9A-Z]+)#(?P<nth>[0-9]+)")
FOREVER = "*"

Takes = Callable[[date], bool]


def parse(text: str) -> Pattern:
    """Raises `ValueError` saying what is wrong."""
    second, minute, hour, day, month, weekday, year = split(text)
    months = MONTH.values(month)
    return Pattern(
        months=months,
        day=_days(day, months) if weekday == "?" else _weekdays(weekday),
        hours=tuple(sorted(HOURS.values(hour))),
        minutes=tuple(sorted(MINUTES.values(minute))),
        seconds=tuple(sorted(SECONDS.values(second))),
        years=None if year == FOREVER else YEAR.values(year),
        names_times=not _goes_round(minute) and not _goes_round(hour),
    )


def split(text: str) -> list[str]:
    """The seven fields in capitals, the year `*` where there is none."""
    fields = text.upper().split()
    if text.startswith("@"):
        raise ValueError(f"{text!r} is not taken; write six fields, such as 0 0 0 * * ? for every midnight")
    if len(fields) not in (6, 7):
        hint = "; five fields are plain cron: begin with the seconds, or say cron instead" if len(fields) == 5 else ""
        wanted = "six or seven fields (second, minute, hour, day, month, day of the week, year)"
        raise ValueError(f"wanted {wanted}, not {len(fields)}{hint}")
    if (fields[3] == "?") == (fields[5] == "?"):
        raise ValueError("exactly one of day of the month and day of the week must be ?")
    return fields if len(fields) == 7 else [*fields, FOREVER]


def _goes_round(field: str) -> bool:
    """Every so many minutes or hours: `0/15` is how Quartz is used to write `*/15`."""
    return is_star(field) or field.startswith("0/")


def _days(text: str, months: frozenset[int]) -> Takes:
    if found := FROM_LAST.fullmatch(text):
        return _from_last(int(found["back"] or 0), is_work=bool(found["work"]))
    if found := NEAREST.fullmatch(text):
        return _nearest(int(found["day"]))
    if "W" in text or "L" in text:
        raise ValueError(f"{DAYS.name}: {text!r}: L and W stand alone, as L, L-3, LW, L-3W or 15W")
    days = DAYS.values(text)
    if never := why_never(days, months):
        raise ValueError(never)
    return lambda on: on.day in days


def _from_last(back: int, *, is_work: bool) -> Takes:
    if back > 30:
        raise ValueError(f"{DAYS.name}: L-{back} is before the first of every month")

    def takes(on: date) -> bool:
        day = _length(on) - back
        return day >= 1 and on.day == (_workday(on, day) if is_work else day)

    return takes


def _nearest(day: int) -> Takes:
    if not 1 <= day <= 28:
        hint = "; the last working day is LW" if 28 < day < 32 else ""
        raise ValueError(f"{DAYS.name}: {day}W is not within 1W-28W{hint}")
    return lambda on: on.day == _workday(on, day)


def _workday(on: date, day: int) -> int:
    """The day from Monday to Friday that is nearest to this one, in the same month."""
    weekday = on.replace(day=day).isoweekday()
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 7:
        return day + 1 if day < _length(on) else day - 2
    return day


def _length(on: date) -> int:
    return calendar.monthrange(on.year, on.month)[1]


def _weekdays(text: str) -> Takes:
    if text == "L":
        return lambda on: on.isoweekday() == 6
    if found := LAST_WEEKDAY.fullmatch(text):
        last = WEEK.number(found["day"])
        return lambda on: _quartz_day(on) == last and on.day + 7 > _length(on)
    if found := NTH_WEEKDAY.fullmatch(text):
        return _nth(WEEK.number(found["day"]), int(found["nth"]))
    if "#" in text or "L" in text:
        raise ValueError(f"{WEEK.name}: {text!r}: L and # stand alone, as L, 6L or 6#3")
    days = WEEK.values(text)
    return lambda on: _quartz_day(on) in days


def _nth(weekday: int, nth: int) -> Takes:
    if not 1 <= nth <= 5:
        raise ValueError(f"{WEEK.name}: a month has a first to a fifth such day, not #{nth}")
    return lambda on: _quartz_day(on) == weekday and (on.day - 1) // 7 + 1 == nth


def _quartz_day(on: date) -> int:
    """1 for Sunday to 7 for Saturday."""
    return on.isoweekday() % 7 + 1

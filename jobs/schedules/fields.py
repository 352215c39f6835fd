"""Named fields from year to second, as APScheduler 3 reads them: all of them have to fit, and Monday is 0."""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from jobs.errors import FieldError, Invalid
from jobs.schedules.numbers import FROM_SUNDAY, MONTHS, Numbers, is_star, why_never
from jobs.schedules.times import Pattern

WEEKDAYS = {name: i for i, name in enumerate((*FROM_SUNDAY[1:], FROM_SUNDAY[0]))}
NTHS = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5}
NTH_WEEKDAY = re.compile(r"(?P<nth>1st|2nd|3rd|4th|5th|last) +(?P<weekday>[a-z]+)")
NAMED = re.compile(r"[a-z]+(-[a-z]+)?")
LONGEST_TEXT = 200
LETTER = re.compile(r"[a-z]")
ORDER = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
NUMBERS = {
    "year": Numbers("year", 1970, 9999),
    "month": Numbers("month", 1, 12, MONTHS),
    "day": Numbers("day", 1, 31),
    "week": Numbers("week", 1, 53),
    "day_of_week": Numbers("day_of_week", 0, 6, WEEKDAYS),
    "hour": Numbers("hour", 0, 23),
    "minute": Numbers("minute", 0, 59),
    "second": Numbers("second", 0, 59),
}
LEAST = {
    "year": "*",
    "month": "1",
    "day": "1",
    "week": "*",
    "day_of_week": "*",
    "hour": "0",
    "minute": "0",
    "second": "0",
}
"""What a field is that is less significant than all that are given."""

Takes = Callable[[date], bool]


def parse(given: Mapping[str, Any]) -> Pattern:
    """Raises `Invalid` naming every wrong field."""
    texts = complete(given)
    errors: list[FieldError] = []
    values: dict[str, frozenset[int]] = {}
    takes: Takes = _any_day
    for name in ORDER:
        try:
            if name == "day":
                takes = _days(texts[name], values.get("month", frozenset({1})))
            else:
                values[name] = _values(NUMBERS[name], texts[name])
        except ValueError as error:
            errors.append(FieldError(name, str(error).removeprefix(f"{name}: ")))
    if errors:
        raise Invalid(errors)
    return Pattern(
        months=values["month"],
        day=_all_of(takes, values["week"], values["day_of_week"]),
        hours=tuple(sorted(values["hour"])),
        minutes=tuple(sorted(values["minute"])),
        seconds=tuple(sorted(values["second"])),
        years=None if texts["year"] == "*" else values["year"],
        names_times=not is_star(texts["minute"]) and not is_star(texts["hour"]),
    )


def complete(given: Mapping[str, Any]) -> dict[str, str]:
    """All fields as texts; what is not given, null or blank, as APScheduler would take it. Raises `Invalid`."""
    errors = [
        FieldError(str(name)[:50], f"unknown field; known: {', '.join(ORDER)}") for name in given if name not in ORDER
    ]
    texts: dict[str, str] = {}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            errors.append(FieldError(str(name)[:50], "wanted a text or a number"))
        elif value is not None and len(str(value)) > LONGEST_TEXT:
            errors.append(FieldError(name, f"wanted at most {LONGEST_TEXT} characters"))
        elif value is not None and str(value).strip():
            texts[name] = str(value).strip().lower()
    if errors:
        raise Invalid(errors)
    if not texts:
        raise Invalid.field("", f"wanted at least one field of {', '.join(ORDER)}")
    least_given = max(ORDER.index(name) for name in texts)
    return {name: texts.get(name) or (LEAST[name] if i > least_given else "*") for i, name in enumerate(ORDER)}


def _values(numbers: Numbers, text: str) -> frozenset[int]:
    return frozenset(value for term in _terms(text) for value in _term(numbers, term))


def _terms(text: str) -> Iterator[str]:
    return (term.strip() for term in text.split(","))


def _term(numbers: Numbers, term: str) -> frozenset[int]:
    """A range of names takes no step, and a step must fit into its range."""
    if LETTER.search(term) and not NAMED.fullmatch(term):
        raise ValueError(f"{numbers.name}: {term!r} is no name or range of names; these take no numbers and no steps")
    values = numbers.values(term)
    if "/" in term:
        begin, _, step = term.partition("/")
        low, _, high = begin.partition("-")
        room = int(high or numbers.high) - (numbers.low if low == "*" else int(low))
        if int(step) > room:
            raise ValueError(f"{numbers.name}: the step of {term!r} is longer than its range; name one value")
    return values


def _days(text: str, months: frozenset[int]) -> Takes:
    takes: list[Takes] = []
    numbers: set[int] = set()
    for term in _terms(text):
        if term == "last":
            takes.append(lambda on: on.day == _length(on))
        elif found := NTH_WEEKDAY.fullmatch(term):
            takes.append(_nth(found["nth"], NUMBERS["day_of_week"].number(found["weekday"])))
        elif LETTER.search(term):
            raise ValueError(f"day: {term!r} is no number, range or step, nor last, 1st mon to 5th sun, or last fri")
        else:
            numbers |= _term(NUMBERS["day"], term)
    if not takes and (never := why_never(frozenset(numbers), months)):
        raise ValueError(never)
    return lambda on: on.day in numbers or any(one(on) for one in takes)


def _nth(nth: str, weekday: int) -> Takes:
    if nth == "last":
        return lambda on: on.weekday() == weekday and on.day + 7 > _length(on)
    return lambda on: on.weekday() == weekday and (on.day - 1) // 7 + 1 == NTHS[nth]


def _any_day(_: date) -> bool:
    return True


def _length(on: date) -> int:
    return calendar.monthrange(on.year, on.month)[1]


def _all_of(day: Takes, weeks: frozenset[int], weekdays: frozenset[int]) -> Takes:
    has_all_weeks = len(weeks) == NUMBERS["week"].high

    def takes(on: date) -> bool:
        return on.weekday() in weekdays and (has_all_weeks or on.isocalendar().week in weeks) and day(on)

    return takes

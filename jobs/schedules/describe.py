"""Schedules in words. The words are a help for the eye: what counts are the next times, which stand beside them."""

import re
from collections.abc import Mapping
from typing import Any

from cron_descriptor import ExpressionDescriptor, Options

from jobs.errors import Invalid
from jobs.schedules import cron, fields, interval, quartz
from jobs.schedules.numbers import MONTH_NAMES
from jobs.schedules.timetable import Dialect

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NTHS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth", "last": "last"}
PLURALS = {"month": "months", "week": "weeks", "day_of_week": "days of the week", "year": "years", "day": "days"}
LONG_STEP = re.compile(r"\*/([0-9]+)")


def describe(dialect: str, value: str | Mapping[str, Any]) -> str:
    """What a schedule says, in words without its zone; as it is written where there are no words for it."""
    try:
        return _described(dialect, value)
    except (Invalid, ValueError):
        return str(value)


def _described(dialect: str, value: Any) -> str:
    if dialect == Dialect.INTERVAL:
        if interval.is_continuous(value):
            return "again as soon as the last run has ended"
        return interval.described(interval.parse(value))
    if dialect == Dialect.AT:
        return f"once, at {value.replace('T', ' ')}"
    if dialect == Dialect.CRON:
        return _of_cron(value)
    return _of_quartz(value) if dialect == Dialect.QUARTZ else _of_fields(value)


def _of_cron(text: str) -> str:
    """`*/90` among minutes is one that never repeats within the hour."""
    parts = cron.split(text)
    fitting = [_fitting(part, field.low, field.high) for part, field in zip(parts, cron.FIELDS, strict=True)]
    return _in_words(" ".join(fitting), sunday=0)


def _fitting(part: str, low: int, high: int) -> str:
    return LONG_STEP.sub(lambda found: str(low) if int(found[1]) > high - low else found[0], part)


def _of_quartz(text: str) -> str:
    parts = quartz.split(text)
    if parts[5] == "L":
        parts[5] = "SAT"
    if parts[6] == quartz.FOREVER:
        parts.pop()
    words = _in_words(" ".join(parts), sunday=1)
    return f"{words} (the working day nearest to it)" if re.fullmatch("L-[0-9]+W", parts[3]) else words


def _in_words(text: str, *, sunday: int) -> str:
    options = Options()
    options.use_24hour_time_format = True
    options.day_of_week_start_index_zero = sunday == 0
    try:
        words = ExpressionDescriptor(text, options).get_description()
    except Exception:  # noqa: BLE001 - it was made for other readings of the same text
        return text
    return words[:1].lower() + words[1:]


def _of_fields(value: Mapping[str, Any]) -> str:
    given = fields.complete(value)
    time = _in_words(f"{given['second']} {given['minute']} {given['hour']} * * *", sunday=0)
    parts = [
        _days(given["day"]),
        _listed("on", "day_of_week", given["day_of_week"], DAYS, 0),
        _listed("in week", "week", given["week"], (), 0),
        _listed("in", "month", given["month"], MONTH_NAMES, 1),
        _listed("in", "year", given["year"], (), 0),
    ]
    return ", ".join([time, *(part for part in parts if part)])


def _days(text: str) -> str:
    if text == "*":
        return ""
    found = []
    for term in (term.strip() for term in text.split(",")):
        nth = fields.NTH_WEEKDAY.fullmatch(term)
        if nth:
            found.append(f"the {NTHS[nth['nth']]} {DAYS[fields.WEEKDAYS[nth['weekday']]]}")
        else:
            found.append("the last day" if term == "last" else _term("day", term, (), 0, before="day "))
    return f"on {' and '.join(found)} of the month"


def _listed(before: str, name: str, text: str, names: tuple[str, ...], low: int) -> str:
    if text == "*":
        return ""
    return f"{before} {' and '.join(_term(name, term.strip(), names, low) for term in text.split(','))}"


def _term(name: str, term: str, names: tuple[str, ...], low: int, before: str = "") -> str:
    """`*/2` as `every 2 months`, `mon-fri` as `Monday to Friday`."""
    values, _, step = term.partition("/")
    if values == "*":
        return f"every {step} {PLURALS[name]}"
    shown = before + " to ".join(_named(fields.NUMBERS[name].number(one), names, low) for one in values.split("-"))
    if not step:
        return shown
    return f"every {step} {PLURALS[name]} from {shown}"


def _named(value: int, names: tuple[str, ...], low: int) -> str:
    return names[value - low] if names else str(value)

"""Five fields as Debian's cron reads them: minute, hour, day of the month, month, day of the week."""

import re
from datetime import date

from jobs.schedules.numbers import FROM_SUNDAY, MONTHS, Numbers, is_star, why_never
from jobs.schedules.times import Pattern

WEEKDAYS = {name: i for i, name in enumerate(FROM_SUNDAY)}
FIELDS = (
    Numbers("minute", 0, 59),
    Numbers("hour", 0, 23),
    Numbers("day of the month", 1, 31),
    Numbers("month", 1, 12, MONTHS),
    Numbers("day of the week", 0, 7, WEEKDAYS),
)
OF_QUARTZ = re.compile(r"[?#]|^L|[0-9][LW]$", re.IGNORECASE)


def parse(text: str) -> Pattern:
    """Raises `ValueError` saying what is wrong.

    A day has to fit the day of the month or that of the week, but both of them when one begins with `*`.
    """
    fields = split(text)
    minutes, hours, days, months, weekdays = (one.values(part) for one, part in zip(FIELDS, fields, strict=True))
    weekdays = frozenset(day % 7 for day in weekdays)
    is_either = not is_star(fields[2]) and not is_star(fields[4])
    never = "" if is_either else why_never(days, months)
    if never:
        raise ValueError(never)

    def takes(on: date) -> bool:
        in_month, in_week = on.day in days, on.isoweekday() % 7 in weekdays
        return in_month or in_week if is_either else in_month and in_week

    return Pattern(
        months=months,
        day=takes,
        hours=tuple(sorted(hours)),
        minutes=tuple(sorted(minutes)),
        names_times=not is_star(fields[0]) and not is_star(fields[1]),
    )


def split(text: str) -> list[str]:
    fields = text.split()
    if text.startswith("@"):
        raise ValueError(f"{text!r} is not taken; write five fields, such as 0 0 * * * for every midnight")
    if len(fields) != len(FIELDS):
        more = "; six or seven with seconds are Quartz: say quartz instead" if len(fields) in (6, 7) else ""
        raise ValueError(f"wanted five fields (minute, hour, day, month, day of the week), not {len(fields)}{more}")
    if any(OF_QUARTZ.search(part) for part in fields):
        raise ValueError("?, L, W and # are of Quartz, whose six fields begin with the seconds: say quartz instead")
    return fields

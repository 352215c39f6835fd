"""Lists of numbers, ranges and steps, as all dialects of cron have them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TERM = re.compile(r"(?P<first>\*|[0-9A-Za-z]+)(?:-(?P<last>[0-9A-Za-z]+))?(?:/(?P<step>[0-9]+))?")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
MONTHS = {name[:3].lower(): i for i, name in enumerate(MONTH_NAMES, start=1)}
FROM_SUNDAY = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = dict(enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1))


@dataclass(frozen=True)
class Numbers:
    """A field of a schedule: what it may hold, and how. `ValueError` says what is wrong with a text."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict)
    wraps: bool = False
    """A range may go over the end: `22-2`."""
    longest_step: int | None = None

    def values(self, text: str) -> frozenset[int]:
        return frozenset(value for term in text.split(",") for value in self._term(term))

    def _term(self, term: str) -> list[int]:
        found = TERM.fullmatch(term)
        if found is None or (found["first"] == "*" and found["last"]):
            raise ValueError(f"{self.name}: {term!r} is no number, range or step")
        step = self.step(found["step"], term)
        if found["first"] == "*":
            return list(range(self.low, self.high + 1, step))
        first = self.number(found["first"])
        if found["last"]:
            return self._range(first, self.number(found["last"]), step, term)
        return list(range(first, (self.high if found["step"] else first) + 1, step))

    def _range(self, first: int, last: int, step: int, term: str) -> list[int]:
        if first <= last:
            return list(range(first, last + 1, step))
        if not self.wraps:
            raise ValueError(f"{self.name}: the range {term!r} goes down; write two ranges")
        size = self.high - self.low + 1
        return [self.low + (value - self.low) % size for value in range(first, last + size + 1, step)]

    def step(self, text: str | None, term: str) -> int:
        if text is None:
            return 1
        step = int(text)
        if step == 0:
            raise ValueError(f"{self.name}: the step of {term!r} must be at least 1")
        if self.longest_step is not None and step > self.longest_step:
            raise ValueError(f"{self.name}: the step of {term!r} is longer than the whole range; name one value")
        return step

    def number(self, text: str) -> int:
        value = self.names.get(text.lower())
        if value is None and text.isdecimal():
            value = int(text)
        if value is None:
            known = f", nor one of {', '.join(self.names)}" if self.names else ""
            raise ValueError(f"{self.name}: {text!r} is no number{known}")
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.name}: {text!r} is not within {self.low}-{self.high}")
        return value


def is_star(text: str) -> bool:
    return text.startswith("*")


def why_never(days: frozenset[int], months: frozenset[int]) -> str:
    """`31 February never comes`, when that is why there is no such day; else nothing."""
    if any(day <= LONGEST[month] for day in days for month in months):
        return ""
    which = " and ".join(str(day) for day in sorted(days))
    in_which = " and ".join(MONTH_NAMES[month - 1] for month in sorted(months))
    return f"{which} {in_which} never {'comes' if len(days) * len(months) == 1 else 'come'}"

"""Every so much elapsed time: `15m`, `1h 30m`, `2 days`, or `continuous`."""

import re

CONTINUOUS = "continuous"
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
SHORT = {"s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week"}
PART = re.compile(r"\s*([0-9]{1,10})\s*([a-z]+)")
LONGEST_S = 100 * 366 * UNITS["day"]


def parse(text: str) -> int:
    """Seconds; one second for `continuous`. Raises `ValueError` saying what is wrong."""
    plain = text.strip().lower()
    if plain == CONTINUOUS:
        return 1
    if not plain or not re.fullmatch(f"(?:{PART.pattern})+", plain):
        raise ValueError(f"wanted an interval such as 15m, 1h 30m, 2 days or {CONTINUOUS}, not {text[:50]!r}")
    step = sum(int(number) * _seconds(unit) for number, unit in PART.findall(plain))
    if not 1 <= step <= LONGEST_S:
        raise ValueError("wanted an interval from one second to a hundred years")
    return step


def is_continuous(text: str) -> bool:
    return text.strip().lower() == CONTINUOUS


def _seconds(unit: str) -> int:
    name = SHORT.get(unit, unit.removesuffix("s"))
    if name not in UNITS:
        raise ValueError(f"{unit!r} is no unit of time; known: {', '.join(f'{known}s' for known in UNITS)}")
    return UNITS[name]


def described(step: int) -> str:
    """`every 90 minutes`, in the largest unit that divides it."""
    name, seconds = max(((name, s) for name, s in UNITS.items() if step % s == 0), key=lambda unit: unit[1])
    n = step // seconds
    return f"every {name}" if n == 1 else f"every {n} {name}s"

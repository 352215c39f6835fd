"""What was measured, and whether it is what was wanted."""

from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Target:
    """`at_most` and `at_least` are in the figure's unit; `ratio` is how many times as good as the peer it must be."""

    at_most: float | None = None
    at_least: float | None = None
    ratio: float | None = None

    def __str__(self) -> str:
        wanted = [
            f"≤ {self.at_most:,.10g}" if self.at_most is not None else "",
            f"≥ {self.at_least:,.10g}" if self.at_least is not None else "",
            f"≥ {self.ratio:g} x" if self.ratio is not None else "",
        ]
        return " and ".join(part for part in wanted if part)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. `is_rate`: more is better, else less is. `rounds`: what the value is the median of."""

    part: str
    name: str
    set_up: str
    unit: str
    hub: float
    peer: float | None = None
    is_rate: bool = False
    target: Target | None = None
    rounds: tuple[float, ...] = ()

    @property
    def ratio(self) -> float | None:
        """How many times as good as the peer; above 1 the hub is better, whatever the unit."""
        if not self.peer or not self.hub:
            return None
        return self.hub / self.peer if self.is_rate else self.peer / self.hub

    @property
    def is_met(self) -> bool | None:
        """`None` without a target. A ratio that could not be measured is not met."""
        if self.target is None:
            return None
        too_much = self.target.at_most is not None and self.hub > self.target.at_most
        too_little = self.target.at_least is not None and self.hub < self.target.at_least
        too_near = self.target.ratio is not None and (self.ratio or 0) < self.target.ratio
        return not (too_much or too_little or too_near)

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "figure": self.name,
            "set_up": self.set_up,
            "unit": self.unit,
            "jobhub": self.hub,
            "peer": self.peer,
            "ratio": self.ratio,
            "target": str(self.target) if self.target else None,
            "is_met": self.is_met,
            "rounds": list(self.rounds),
        }


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def middle(values: list[float]) -> float:
    return float(median(values))

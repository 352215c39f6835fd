"""The run as a person reads it, and as a program does."""

from dataclasses import dataclass, field
from typing import Any

from bench.control import Control
from bench.figures import Figure

HEAD = ("figure", "set-up", "JobHub", "peer", "ratio", "target", "met?")
MET = {True: "yes", False: "NO", None: ""}


@dataclass
class Report:
    set_up: dict[str, Any]
    in_force: dict[str, dict[str, Any]]
    controls: list[Control]
    figures: list[Figure] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """What could not be measured, and why."""

    @property
    def is_valid(self) -> bool:
        """Without a passed control for every hub no figure counts."""
        return bool(self.controls) and all(one.is_passed for one in self.controls)

    def as_json(self) -> dict[str, Any]:
        return {
            "is_valid": self.is_valid,
            "set_up": self.set_up,
            "in_force": self.in_force,
            "figures": [figure.as_json() for figure in self.figures],
            "controls": [control.as_json() for control in self.controls],
            "missing": self.missing,
        }

    def as_text(self) -> str:
        return "\n".join(
            [
                *(f"{name:18} {value}" for name, value in self.set_up.items()),
                "",
                *(f"{name}: {_pairs(values)}" for name, values in self.in_force.items()),
                "",
                *_table([HEAD, *(_cells(figure) for figure in self.figures)]),
                "",
                "ratio: how many times as good as the peer in the same run. The peer asks nobody who they are.",
                *(f"not measured: {text}" for text in self.missing),
                *(f"control: {control}" for control in self.controls),
                *([] if self.is_valid else ["VOID: the control was not passed; no figure above counts."]),
            ]
        )


def _pairs(values: dict[str, Any]) -> str:
    return "; ".join(f"{name} {value}" for name, value in values.items())


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        figure.set_up,
        _number(figure.hub, figure.unit),
        _number(figure.peer, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.2f} x",
        str(figure.target or ""),
        MET[figure.is_met],
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "-|-".join("-" * width for width in widths), *lines[1:]]

"""What runs wrote about themselves: the witness that no engine can talk round."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One attempt as its own program saw it."""

    execution: str
    attempt: int
    n_starts: int
    first: float
    last: float
    ended: bool


def read(folder: Path) -> dict[str, list[Run]]:
    """The attempts of each execution, in the order of their first marks."""
    lines: dict[tuple[str, int], list[tuple[str, float]]] = defaultdict(list)
    for path in folder.iterdir():
        for line in path.read_text().splitlines():
            words = line.split()
            if len(words) == 4:
                lines[words[1], int(words[2])].append((words[0], float(words[3])))
    runs: dict[str, list[Run]] = defaultdict(list)
    for (execution, attempt), marks in lines.items():
        what = [word for word, _ in marks]
        times = [at for _, at in marks]
        runs[execution].append(Run(execution, attempt, what.count("start"), min(times), max(times), "end" in what))
    return {execution: sorted(found, key=lambda run: run.first) for execution, found in runs.items()}


def overlaps(runs: list[Run]) -> list[tuple[Run, Run]]:
    return [(one, two) for one, two in pairwise(runs) if two.first < one.last]

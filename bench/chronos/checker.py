"""Whether a history keeps the promise: each time of each line has one run, or is accounted for; and no run more."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.chronos.lines import GRACE_S, Line

TOLERANCE_S = 0.5
"""Between the ticker's look at the clock and the time that the row is written with, if the machine is not busy."""
COUNTED = 1000
"""More missed times than these are not counted one by one."""


@dataclass(frozen=True)
class Run:
    """An execution: for which time of which line, when it was queued and when it began."""

    line: str
    slot_at: datetime
    queued_at: datetime
    started_at: datetime | None
    state: str
    n_starts: int = 1
    """How often its own program says that it was started, divided by its attempts."""
    attempts: int = 1

    @property
    def late_s(self) -> float:
        return (self.queued_at - self.slot_at).total_seconds()


@dataclass(frozen=True)
class Absence:
    """A time, or a row of them, that the hub says was not run."""

    line: str
    slot_at: datetime
    until_at: datetime
    n: int
    fate: str


@dataclass
class Verdict:
    n_slots: int = 0
    in_time: int = 0
    made_up: int = 0
    accounted: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        return not self.wrong and self.n_slots > 0


def check(
    wanted: Mapping[str, tuple[Line, Sequence[datetime]]],
    runs: Iterable[Run],
    absences: Iterable[Absence],
    *,
    tolerance_s: float = TOLERANCE_S,
) -> Verdict:
    """`wanted`: the times of each line by name, sorted."""
    verdict, by_line, absent = Verdict(), defaultdict[str, list[Run]](list), defaultdict[str, list[Absence]](list)
    for run in runs:
        by_line[run.line].append(run)
    for one in absences:
        absent[one.line].append(one)
    verdict.wrong += [f"{name}: a line that nobody wrote" for name in {*by_line, *absent} - set(wanted)]
    for name, (line, times) in wanted.items():
        _check_line(line, times, by_line[name], absent[name], tolerance_s, verdict)
    return verdict


def _check_line(
    line: Line,
    times: Sequence[datetime],
    runs: list[Run],
    absences: list[Absence],
    tolerance_s: float,
    verdict: Verdict,
) -> None:
    verdict.n_slots += len(times)
    counts = Counter(run.slot_at for run in runs)
    verdict.wrong += [f"{line.name} {at}: {n} runs" for at, n in counts.items() if n > 1]
    verdict.wrong += [f"{line.name} {at}: a run at no time of its" for at in counts if not _is_in(at, times)]
    verdict.wrong += [
        f"{line.name} {run.slot_at}: {run.n_starts} starts an attempt" for run in runs if run.n_starts != 1
    ]
    by_slot = {run.slot_at: run for run in runs}
    told = _told(line, times, absences, by_slot.keys(), verdict)
    for at in times:
        run = by_slot.get(at)
        if run is None and at in told:
            verdict.accounted += 1
        elif run is None:
            verdict.wrong.append(f"{line.name} {at}: lost")
        elif at in told:
            verdict.wrong.append(f"{line.name} {at}: was run, and told to be {told[at]}")
        elif run.late_s <= GRACE_S + tolerance_s:
            verdict.in_time += 1
        elif _may_be_late(line, run, times, tolerance_s):
            verdict.made_up += 1
        else:
            verdict.wrong.append(f"{line.name} {at}: {run.late_s:.1f} s late")
    verdict.wrong += [f"{line.name} {run.slot_at}: {-run.late_s:.1f} s early" for run in runs if run.late_s < 0]


def _told(
    line: Line, times: Sequence[datetime], absences: list[Absence], with_run: Collection[datetime], verdict: Verdict
) -> dict[datetime, str]:
    """What is said of times without a run. Each row must name as many of them as there are."""
    told: dict[datetime, str] = {}
    for one in absences:
        covered = times[bisect_left(times, one.slot_at) : bisect_right(times, one.until_at)]
        if len(covered) != one.n:
            covered = [at for at in covered if at not in with_run]
        if len(covered) != one.n and (one.n <= COUNTED or len(covered) < one.n):
            verdict.wrong.append(f"{line.name} {one.slot_at}: {one.n} told to be {one.fate}, there are {len(covered)}")
        verdict.wrong += [f"{line.name} {at}: told to be {told[at]}, and {one.fate}" for at in covered if at in told]
        told |= dict.fromkeys(covered, one.fate)
    return told


def _may_be_late(line: Line, run: Run, times: Sequence[datetime], tolerance_s: float) -> bool:
    """Where each is run, any may; where one run makes up for all, it is that of the last time before it."""
    if line.catch_up == "all":
        return True
    next_one = times[bisect_right(times, run.slot_at) : bisect_right(times, run.slot_at) + 1]
    looked_at = run.queued_at - timedelta(seconds=tolerance_s)
    return line.catch_up == "once" and (not next_one or next_one[0] > looked_at)


def _is_in(at: datetime, times: Sequence[datetime]) -> bool:
    place = bisect_left(times, at)
    return place < len(times) and times[place] == at

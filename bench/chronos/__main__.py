"""`python -m bench.chronos`: run it, and print the verdict."""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import machine
from bench.chronos import history
from bench.chronos.checker import TOLERANCE_S, Run, Verdict, check
from bench.chronos.hub import Clock, Killable
from bench.chronos.lines import GRACE_S, ZONES, Line, changes, daily, often, shown_at
from bench.databases import Postgres
from bench.figures import percentile
from bench.stack import eventually

SHOWN = 20
SECOND = timedelta(seconds=1)
YEAR = (datetime(2027, 1, 5, tzinfo=UTC), datetime(2028, 1, 5, tzinfo=UTC))
PROMPT_MS = 1000
BEFORE_S, AFTER_S, BACK_S = 6, 4, 5
"""A window around each change of the clocks, and how far the clock is set back within it."""
WRONG_S, AHEAD = 3, timedelta(days=3)
"""For so long a clock is wrong that is set by days, and by how many."""
LONG_S = 30
"""Runs of one line last longer than a window, so that they see all that is done to the clock."""


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="jobhub-chronos-") as folder:
        run = with_clock if options.clock else when_idle if options.idle else with_kills
        told = run(Path(folder), options)
    told = {"set_up": machine.described(), **told}
    print(json.dumps(told, indent=2, default=str) if options.json else _text(told))
    return 0 if told["is_valid"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chronos", description="Do schedules keep their promise?")
    parser.add_argument("--seconds", type=float, default=60, help="how long it goes on; default 60")
    parser.add_argument("--every", type=float, default=8, help="seconds between two kills; default 8")
    parser.add_argument("--lines", type=int, default=24, help="schedules; default 24")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--idle", action="store_true", help="kill nothing: each run begins within a second")
    clock = "set the clock instead (4 minutes): needs a C compiler; only embedded, as PostgreSQL's clock is its own"
    instead.add_argument("--clock", action="store_true", help=clock)
    parser.add_argument("--database", default="", metavar="URL", help="of a PostgreSQL server: two clusters on it")
    look = "seconds from the ticker's look at the clock to its row; a busy machine takes more"
    parser.add_argument("--tolerance", type=float, default=TOLERANCE_S, help=look)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    if options.clock and options.database:
        parser.error("--clock: the clock of a PostgreSQL server cannot be set from here")
    return options


# -- kills -------------------------------------------------------------------------------------------------------------
def with_kills(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    dice, lines, killed = random.Random(options.seed), often(options.lines), list[str]()
    with _hub(folder, options.database) as killable:
        _write(killable, lines)
        killable.start()
        until = time.monotonic() + options.seconds
        while time.monotonic() < until or not killed:
            time.sleep(dice.uniform(0.5, 1.5) * options.every)
            cluster, what = dice.choice(killable.clusters), dice.choice(["main", "tree", "worker", "worker"])
            if cluster.kill(what, dice):
                killed.append(what)
            if what != "worker":
                time.sleep(dice.uniform(0, 2))
                cluster.start()
        return {"seed": options.seed, "killed": killed, **_verdict(killable, lines, options.tolerance)}


# -- nothing is wrong --------------------------------------------------------------------------------------------------
def when_idle(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Each run has to begin soon after its time."""
    lines = often(options.lines)
    with _hub(folder, options.database) as killable:
        killable.start()
        _write(killable, lines)
        time.sleep(options.seconds)
        told = _verdict(killable, lines, options.tolerance)
    is_prompt = told["run_in_time"] == told["slots"] and told["those_in_time_started_after_ms"]["max"] <= PROMPT_MS
    return {**told, "is_valid": told["is_valid"] and is_prompt}


# -- the clock ---------------------------------------------------------------------------------------------------------
def with_clock(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """From change to change: forward by weeks, over the change, some seconds back; then days ahead for a moment."""
    windows = _windows()
    lines = _lines_of(windows)
    clock = Clock(folder)
    clock.set(YEAR[0])
    with _hub(folder, "", clock) as killable:
        _write(killable, lines)
        killable.start()
        for at, zones in windows.items():
            print(f"{at:%Y-%m-%d %H:%M} {', '.join(zones)}", file=sys.stderr)
            _go_through(at, clock)
            if any(at < one for one in windows) and not any(at < one < at + 2 * AHEAD for one in windows):
                _be_wrong(clock)
        told = _verdict(killable, lines, options.tolerance)
    del told["those_in_time_started_after_ms"]  # by a clock that was set meanwhile
    return {"changes": len(windows), **told}


def _go_through(at: datetime, clock: Clock) -> None:
    clock.set(at - BEFORE_S * SECOND)
    time.sleep(BEFORE_S + AFTER_S)
    clock.set(clock.now() - BACK_S * SECOND)
    time.sleep(BACK_S + AFTER_S)


def _be_wrong(clock: Clock) -> None:
    """Days ahead for a moment, where that reaches neither the next change nor beyond the end."""
    clock.set(clock.now() + AHEAD)
    time.sleep(WRONG_S)
    clock.set(clock.now() - AHEAD)
    time.sleep(WRONG_S)


def _windows() -> dict[datetime, list[str]]:
    """The zones whose clocks are set at each time."""
    found = defaultdict[datetime, list[str]](list)
    for zone in ZONES:
        for at in changes(zone, *YEAR):
            found[at].append(zone)
    return dict(sorted(found.items()))


def _lines_of(windows: Mapping[datetime, Sequence[str]]) -> list[Line]:
    """Daily at each time that a change swallows or shows twice; each once."""
    rules = (("once", "skip"), ("wall", "skip"), ("once", "once"), ("once", "all"))
    lines = [
        daily(shown_at(at, zone), zone, policy=policy, catch_up=rule)
        for at, zones in windows.items()
        for zone in zones
        for policy, rule in rules
    ]
    first, *others = {line.name: line for line in lines}.values()
    return [replace(first, lasts_s=LONG_S), *others]


# -- both --------------------------------------------------------------------------------------------------------------
@contextmanager
def _hub(folder: Path, server: str, clock: Clock | None = None) -> Iterator[Killable]:
    database = Postgres(server) if server else None
    killable = Killable(folder / "hub", database, n_clusters=2 if server else 1, clock=clock)
    try:
        yield killable
    finally:
        killable.stop()
        if database:
            database.drop()


def _write(killable: Killable, lines: Sequence[Line]) -> None:
    documents = {line.name: (line.written, line.lasts_s) for line in lines}
    killable.hub.env |= killable.clock.env if killable.clock else {}
    killable.hub.inside("write_lines", lines=documents, marks=str(killable.folder / "marks"))


def _verdict(killable: Killable, lines: Sequence[Line], tolerance_s: float) -> dict[str, Any]:
    """When all that was due has been looked at, nothing more is started, and what was started has ended."""
    hub = killable.hub
    now = killable.clock.now() if killable.clock else datetime.now(UTC)
    eventually(lambda: min(at for _, at in history.next_times(hub.database.rows).values()) > now, "no time left over")
    hub.inside("pause_lines")
    eventually(lambda: not hub.n_active(), "the end of all executions", every_s=0.1)
    killable.stop()
    spans, runs = history.next_times(hub.database.rows), history.runs(hub.database.rows, killable.folder / "marks")
    wanted = {line.name: (line, line.times(_next_second(spans[line.name][0]), spans[line.name][1])) for line in lines}
    absences = history.absences(hub.database.rows)
    return told(check(wanted, runs, absences, tolerance_s=tolerance_s), runs)


def _next_second(at: datetime) -> datetime:
    return at.replace(microsecond=0) + SECOND


def told(verdict: Verdict, runs: Sequence[Run]) -> dict[str, Any]:
    in_time = [run for run in runs if run.started_at and run.late_s <= GRACE_S]
    late = [1000 * (run.started_at - run.slot_at).total_seconds() for run in in_time if run.started_at]
    return {
        "is_valid": verdict.is_valid,
        "slots": verdict.n_slots,
        "run_in_time": verdict.in_time,
        "made_up_for": verdict.made_up,
        "written_down_as_missed": verdict.accounted,
        "those_in_time_started_after_ms": {name: round(percentile(late, share)) for name, share in SHARES.items()}
        if late
        else {},
        "more_than_one_attempt": sum(run.attempts > 1 for run in runs),
        "states": {state: sum(run.state == state for run in runs) for state in sorted({run.state for run in runs})},
        "wrong": verdict.wrong[:SHOWN],
        "n_wrong": len(verdict.wrong),
    }


SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


def _text(said: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in said.items())


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench.chronos`: run it, and print the verdict."""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import machine
from bench.chronos import history
from bench.chronos.checker import TOLERANCE_S, Run, Verdict, check
from bench.chronos.hub import Clock, Killable
from bench.chronos.lines import ZONES, Line, changes, daily, often, shown_at
from bench.databases import Postgres
from bench.figures import percentile
from bench.stack import eventually

SHOWN = 20
SECOND = timedelta(seconds=1)
YEAR = (datetime(2027, 1, 5, tzinfo=UTC), datetime(2028, 1, 5, tzinfo=UTC))
BEFORE, AFTER, BACK = timedelta(seconds=6), 8.0, timedelta(seconds=5)
"""A window around each change of the clocks, and how far the clock is set back within it."""


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="jobhub-chronos-") as folder:
        run = with_clock if options.clock else with_kills
        told = run(Path(folder), options)
    told = {"set_up": machine.described(), **told}
    print(json.dumps(told, indent=2, default=str) if options.json else _text(told))
    return 0 if told["is_valid"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chronos", description="Do schedules keep their promise?")
    parser.add_argument("--seconds", type=float, default=60, help="how long workers are killed; default 60")
    parser.add_argument("--every", type=float, default=8, help="seconds between two kills; default 8")
    parser.add_argument("--lines", type=int, default=24, help="schedules; default 24")
    parser.add_argument("--clock", action="store_true", help="set the clock instead: needs a C compiler")
    parser.add_argument("--database", default="", metavar="URL", help="of a PostgreSQL server: two clusters on it")
    look = "seconds from the ticker's look at the clock to its row; a busy machine takes more"
    parser.add_argument("--tolerance", type=float, default=TOLERANCE_S, help=look)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args()


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


# -- the clock ---------------------------------------------------------------------------------------------------------
def with_clock(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """From change to change: forward by weeks, over the change, and some seconds back."""
    clock = Clock(folder)
    windows = sorted((at, zone) for zone in ZONES for at in changes(zone, *YEAR))
    lines = [
        daily(shown_at(at, zone), zone, policy=policy, catch_up=rule)
        for (at, zone) in windows
        for policy, rule in (("once", "skip"), ("wall", "skip"), ("once", "once"), ("once", "all"))
    ]
    lines = list({line.name: line for line in lines}.values())
    clock.set(YEAR[0])
    with _hub(folder, options.database, clock) as killable:
        _write(killable, lines)
        killable.start()
        for at, _ in windows:
            clock.set(at - BEFORE)
            time.sleep(BEFORE.total_seconds() + AFTER / 2)
            clock.set(clock.now() - BACK)
            time.sleep(BACK.total_seconds() + AFTER / 2)
            eventually(lambda: not killable.hub.n_active(), "the end of all executions", every_s=0.1)
        return {
            "windows": [f"{at:%Y-%m-%d %H:%M} {zone}" for at, zone in windows],
            **_verdict(killable, lines, options.tolerance),
        }


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
    documents = {line.name: line.written for line in lines}
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
    late = [1000 * (run.started_at - run.slot_at).total_seconds() for run in runs if run.started_at]
    return {
        "is_valid": verdict.is_valid,
        "slots": verdict.n_slots,
        "run_in_time": verdict.in_time,
        "made_up_for": verdict.made_up,
        "written_down_as_missed": verdict.accounted,
        "started_after_ms": {name: round(percentile(late, share)) for name, share in SHARES.items()} if late else {},
        "states": {state: sum(run.state == state for run in runs) for state in sorted({run.state for run in runs})},
        "wrong": verdict.wrong[:SHOWN],
        "n_wrong": len(verdict.wrong),
    }


SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


def _text(said: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in said.items())


if __name__ == "__main__":
    sys.exit(main())

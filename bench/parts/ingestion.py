"""A million rows from an SQLite file into a JSON Lines file, beside a plain loop of Python that keeps no cursor."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.bench import Bench
from bench.figures import Figure, Target, middle
from bench.hub import Hub

N_ROWS = 1_000_000
ROUNDS = 3
COLUMNS = "id INTEGER PRIMARY KEY, name TEXT, amount REAL, at TEXT, note TEXT"
QUERY = "SELECT * FROM events {{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}} ORDER BY id"
PEER = """
import json, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute("SELECT * FROM events ORDER BY id")
names = [column[0] for column in rows.description]
with open(sys.argv[2], "w") as file:
    for row in rows:
        file.write(json.dumps(dict(zip(names, row))) + "\\n")
"""


def measure(bench: Bench) -> Iterator[Figure]:
    with bench.hub("ingestion", bench.embedded) as hub:
        data = Path(hub.env["JOBHUB_VAR"]) / "data"
        source = data / "events.sqlite3"
        _fill(source, bench.few(1000, N_ROWS))
        hub.start()
        rounds = [_run(hub, source, data / f"{number}.jsonl") for number in range(bench.few(1, ROUNDS))]
        memory = max(_peak_mib(process.pid) for process in hub.processes())
    peer = [_peer(source, data / f"peer-{number}.jsonl") for number in range(bench.few(1, ROUNDS))]
    name = f"{N_ROWS:,} rows, SQLite to JSON Lines"
    yield _figure(name, "s", rounds, middle([seconds for seconds, _ in peer]), 40)
    yield _figure(f"{name}: peak memory of the worker", "MiB", [memory], peer[0][1], 150)


def _figure(name: str, unit: str, ours: list[float], peer: float, at_most: float) -> Figure:
    return Figure(
        part="ingestion",
        name=name,
        set_up="embedded",
        unit=unit,
        hub=middle(ours),
        peer=peer,
        target=Target(at_most=at_most),
        rounds=tuple(ours),
    )


def _fill(path: Path, n: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE events ({COLUMNS})")
        rows = ((i, f"name {i}", i * 1.5, "2020-01-01 00:00:00", "x" * 60) for i in range(1, n + 1))
        database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
    database.close()


def _run(hub: Hub, source: Path, target: Path) -> float:
    """Seconds from its start to its end, as the hub itself tells them."""
    spec = {
        "source": f"sqlite:///{source}",
        "query": QUERY,
        "pk_field": "id",
        "strategy": "increment",
        "target": {"jsonl": str(target)},
    }
    seconds: float = hub.inside("ingest", spec=spec)
    return seconds


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _peer(source: Path, target: Path) -> tuple[float, float]:
    """Seconds and MiB."""
    began_at = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", PEER, str(source), str(target)])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError("the peer failed")
    return time.monotonic() - began_at, used.ru_maxrss / 1024

"""What others notice of a flood of wrong passwords: `python -m bench.login`."""

import argparse
import base64
import contextlib
import multiprocessing
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path

from bench.client import Connection
from bench.hub import Hub
from bench.machine import described

PASSWORDS_PER_S = 500
FLOODERS = 8
OTHERS = 4
OTHERS_PER_S = 20
MOST = 2.0
CALM, NONE, WRONG, AFTER = "calm", "requests without passwords", "wrong passwords", "calm again"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.login", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jobhub-bench-") as folder:
        hub = Hub(Path(folder), None)
        hub.start()
        try:
            rows = [(CALM, measured(hub, options.seconds), Counter[int]())]
            for name, user in ((NONE, ""), (WRONG, "admin")):
                with flood(hub, user) as answered:
                    rows.append((name, measured(hub, options.seconds), answered))
            rows.append((AFTER, measured(hub, options.seconds), Counter()))
        finally:
            hub.stop()
    report(rows, options.seconds)


def measured(hub: Hub, seconds: float) -> list[float]:
    """Milliseconds of requests that others make with their key and their password, sorted."""
    found: list[float] = []
    threads = [
        threading.Thread(target=_work, args=(hub, headers, seconds, found))
        for headers in (hub.with_key, hub.with_password()) * (OTHERS // 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def _work(hub: Hub, headers: dict[str, str], seconds: float, found: list[float]) -> None:
    with Connection(hub.port, headers) as connection:
        until = time.monotonic() + seconds
        while (began_at := time.monotonic()) < until:
            if connection.ask("GET", "/hub/v1/me").status == 200:
                found.append(1000 * (time.monotonic() - began_at))
            time.sleep(1 / OTHERS_PER_S)


@contextlib.contextmanager
def flood(hub: Hub, user: str) -> Iterator[Counter[int]]:
    """Requests from another process while it is open, with wrong passwords of `user` or, when empty, with none.

    How often each status was answered is yielded, and filled in at the end.
    """
    answered: Counter[int] = Counter()
    fork = multiprocessing.get_context("fork")
    stop, told = fork.Event(), fork.SimpleQueue()
    process = fork.Process(target=_flood, args=(hub.port, user, stop, told))
    process.start()
    try:
        yield answered
    finally:
        stop.set()
        answered.update(told.get())
        process.join()


def _flood(port: int, user: str, stop: Event, told: SimpleQueue[Counter[int]]) -> None:
    answered: Counter[int] = Counter()
    threads = [threading.Thread(target=_guess, args=(port, user, n, stop, answered)) for n in range(FLOODERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(answered)


def _guess(port: int, user: str, flooder: int, stop: Event, answered: Counter[int]) -> None:
    with Connection(port) as connection:
        due_at = time.monotonic()
        for n in count():
            if stop.is_set():
                return
            guess = base64.b64encode(f"{user}:guess {flooder} {n}".encode()).decode()
            headers = {"Authorization": f"Basic {guess}"} if user else {}
            answered[connection.ask("GET", "/hub/v1/me", headers=headers).status] += 1
            due_at = max(due_at + FLOODERS / PASSWORDS_PER_S, time.monotonic() - 1)
            time.sleep(max(0.0, due_at - time.monotonic()))


def percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def report(rows: list[tuple[str, list[float], Counter[int]]], seconds: float) -> None:
    for name, value in described().items():
        print(f"{name}: {value}")
    print(f"{'what others notice, ms':<28}{'requests':>9}{'p50':>8}{'p99':>8}  the flood")
    for name, values, answered in rows:
        told = ", ".join(f"{n / seconds:.0f}/s {status}" for status, n in sorted(answered.items()))
        print(f"{name:<28}{len(values):>9}{percentile(values, 0.5):>8.1f}{percentile(values, 0.99):>8.1f}  {told}")
    p99 = {name: percentile(values, 0.99) for name, values, _ in rows}
    calm = (p99[CALM] + p99[AFTER]) / 2
    print(
        f"p99 ratio to calm: {p99[WRONG] / calm:.2f} (wanted: below {MOST:g}); with no passwords {p99[NONE] / calm:.2f}"
    )


if __name__ == "__main__":
    main()

"""100,000 of a million executions expire while others run and are read."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.bench import Bench, SetUp
from bench.figures import Figure, Target, percentile
from bench.hub import Hub
from bench.old import EVERY, NEEDED

N, N_OLD = 1_000_000, 100_000
BASE_S = 20.0
READ_EVERY_S, TRIGGER_EVERY_S = 0.01, 0.1
READS = (
    "/hub/v1/executions?limit=20",
    "/hub/v1/executions?state=failed&kind=backup&limit=20",
    "/hub/v1/executions?job=past/job-7&limit=20",
)
LONGEST_MS = 200
SLOWER = 2.0
"""So much slower reads may become at most."""


def measure(bench: Bench) -> Iterator[Figure]:
    n, n_old = (20_000, EVERY) if bench.quick else (N, N_OLD)
    for set_up in bench.set_ups:
        with bench.hub("retention", set_up, web_workers=1) as hub:
            hub.start()
            hub.finished_path()
            hub.inside("past", n=n)
            aged = hub.inside("age", n=n_old)
            before = hub.inside("still_there", ids=aged["needed"])
            base, _ = _read_while(hub, lambda: time.sleep(bench.few(1, BASE_S)))
            during, told = _read_while(hub, lambda: hub.inside("expire_history"))
            after = hub.inside("still_there", ids=aged["needed"])
        yield from _figures(set_up, n, n_old, told, base, during, before, after)


def _figures(
    set_up: SetUp,
    n: int,
    n_old: int,
    told: dict[str, Any],
    base: list[float],
    during: list[float],
    before: dict[str, int],
    after: dict[str, int],
) -> Iterator[Figure]:
    def figure(name: str, unit: str, hub: float, **more: Any) -> Figure:
        return Figure(part="retention", name=name, set_up=set_up.name, unit=unit, hub=hub, **more)

    n_needed = n_old // EVERY * len(NEEDED)
    lost = n_needed - after["needed"] + max(0, before["active"] - after["active"])
    wrong = abs(told["executions"] - (n_old - n_needed))
    yield figure(f"{n_old:,} of {n:,} expire", "/s", told["executions"] / told["seconds"], is_rate=True)
    yield figure("  the longest batch", "ms", max(told["pieces"]), target=Target(at_most=LONGEST_MS))
    yield figure("  the median batch", "ms", percentile(told["pieces"], 0.5))
    yield figure(
        "  reads under load, p99 (peer: before)",
        "ms",
        percentile(during, 0.99),
        peer=percentile(base, 0.99),
        target=Target(ratio=1 / SLOWER),
    )
    yield figure("  running or needed ones that went", "rows", lost, target=Target(at_most=0))
    yield figure("  others that should have gone, or not", "rows", wrong, target=Target(at_most=0))


def _read_while(hub: Hub, deed: Callable[[], Any]) -> tuple[list[float], Any]:
    """The milliseconds of reads while something is done and jobs are triggered, and what that returned."""
    is_over = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        reader = pool.submit(_read, hub, is_over)
        trigger = pool.submit(_trigger, hub, is_over)
        try:
            answer = deed()
        finally:
            is_over.set()
        trigger.result()
        return reader.result(), answer


def _read(hub: Hub, is_over: threading.Event) -> list[float]:
    found = []
    with hub.connect() as connection:
        for path in itertools.cycle(READS):
            began_at = time.perf_counter()
            if connection.ask("GET", path).status != 200:
                raise RuntimeError(f"{path} was not answered")
            found.append(1000 * (time.perf_counter() - began_at))
            if is_over.wait(READ_EVERY_S):
                return found
    return found


def _trigger(hub: Hub, is_over: threading.Event) -> None:
    with hub.connect() as connection:
        while not is_over.wait(TRIGGER_EVERY_S):
            hub.trigger(connection)

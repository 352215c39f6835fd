"""From the trigger by REST to the answer that says it has finished, one after the other."""

import time
from collections.abc import Iterator
from itertools import chain

from bench.bench import Bench, SetUp
from bench.figures import Figure, Target, middle, percentile
from bench.hub import Hub
from bench.peers import Peer

POLL_S = 0.002
ROUNDS = 4
TARGETS = {
    "embedded": (Target(at_most=40), Target(at_most=120)),
    "PostgreSQL + Redis": (Target(at_most=20), Target(at_most=60)),
}


def measure(bench: Bench) -> Iterator[Figure]:
    for set_up in bench.set_ups:
        with bench.both("latency", set_up) as (hub, peer):
            runs, rounds = bench.few(5, 60), bench.few(1, ROUNDS)
            _run(hub, bench.few(2, 20))
            _run(peer, bench.few(2, 10))
            turns = [(_run(hub, runs), _run(peer, runs)) for _ in range(rounds)]
        yield from _figures(set_up, [one for one, _ in turns], [one for _, one in turns])


def _figures(set_up: SetUp, hub: list[list[float]], peer: list[list[float]]) -> Iterator[Figure]:
    for name, share, target in zip(("p50", "p99"), (0.5, 0.99), TARGETS[set_up.name], strict=True):
        yield Figure(
            part="latency",
            name=f"trigger by REST → finished, {name}",
            set_up=set_up.name,
            unit="ms",
            hub=percentile([*chain(*hub)], share),
            peer=percentile([*chain(*peer)], share),
            target=target,
            rounds=tuple(middle(one) for one in hub),
        )


def _run(stack: Hub | Peer, n: int) -> list[float]:
    """Milliseconds of each."""
    with stack.connect() as connection:
        found = []
        for _ in range(n):
            began_at = time.perf_counter()
            path = stack.trigger(connection)
            while not stack.is_finished(connection, path):
                time.sleep(POLL_S)
            found.append(1000 * (time.perf_counter() - began_at))
        return found

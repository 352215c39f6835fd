"""Jobs triggered by REST over eight connections, until the last of them has finished and is in the history."""

import time
from collections.abc import Iterator

from bench.bench import Bench
from bench.figures import Figure, Target, middle
from bench.hub import Hub
from bench.load import Load, send
from bench.peers import Peer
from bench.stack import eventually

N = 500
ROUNDS = 5
TARGETS = {"PostgreSQL + Redis": Target(at_least=250, ratio=1.5)}


def measure(bench: Bench) -> Iterator[Figure]:
    n = bench.few(20, N)
    for set_up in bench.set_ups:
        with bench.both("throughput", set_up) as (hub, peer):
            _finished_per_second(hub, n // 5)
            _finished_per_second(peer, n // 5)
            turns = [(_finished_per_second(hub, n), _finished_per_second(peer, n)) for _ in range(bench.few(1, ROUNDS))]
        yield Figure(
            part="throughput",
            name=f"{N} jobs by REST over 8 connections, finished",
            set_up=set_up.name,
            unit="/s",
            hub=middle([hub for hub, _ in turns]),
            peer=middle([peer for _, peer in turns]),
            is_rate=True,
            target=TARGETS.get(set_up.name),
            rounds=tuple(hub for hub, _ in turns),
        )


def _finished_per_second(stack: Hub | Peer, n: int) -> float:
    """Seen in the database itself, every 10 ms."""
    before = stack.n_done()
    load = Load(port=stack.port, path=stack.trigger_path, method="POST", headers=stack.with_key, n=n)
    sent = send(load).require(202)
    eventually(lambda: stack.n_done() - before >= n, "the end of all jobs", every_s=0.01)
    return n / (time.monotonic() - sent.began_at)

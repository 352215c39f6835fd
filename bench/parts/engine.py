"""The engine alone: how fast two workers work off a backlog, with the web server idle."""

import time
from collections.abc import Iterator

from bench.bench import Bench
from bench.figures import Figure, Target, middle
from bench.hub import Hub
from bench.peers import SAVE_NOTHING, Peer
from bench.stack import eventually

N = 5000
ROUNDS = 3


def measure(bench: Bench) -> Iterator[Figure]:
    n = bench.few(50, N)
    with bench.hub("engine", bench.embedded) as hub, bench.peer(bench.embedded, SAVE_NOTHING) as peer:
        hub.start()  # it has jobs of its own to run before
        hub.stop()
        turns = [_turn(hub, peer, n) for _ in range(bench.few(1, ROUNDS))]
        hub.start()
    yield Figure(
        part="engine",
        name=f"backlog of {N:,} jobs, run",
        set_up="embedded",
        unit="/s",
        hub=middle([hub for hub, _ in turns]),
        peer=middle([peer for _, peer in turns]),
        is_rate=True,
        target=Target(ratio=2),
        rounds=tuple(hub for hub, _ in turns),
    )


def _turn(hub: Hub, peer: Peer, n: int) -> tuple[float, float]:
    hub.inside("backlog", n=n)
    ours = _per_second(hub)
    peer.inside("peer_backlog", n=n)
    return ours, _per_second(peer)


def _per_second(stack: Hub | Peer) -> float:
    """From the first that is gone to the last, seen every 5 ms in the database itself."""
    backlog = stack.n_active()
    stack.launch_all()
    left = eventually(lambda: (now := stack.n_active()) < backlog and (now or 0.5), "the first job", every_s=0.005)
    began_at = time.monotonic()
    eventually(lambda: not stack.n_active(), "the last job", every_s=0.005)
    seconds = time.monotonic() - began_at
    stack.stop()
    return float(left / max(seconds, 0.005))

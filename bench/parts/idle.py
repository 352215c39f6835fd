"""What a running system costs that has worked and now has nothing to do."""

import time
from collections.abc import Iterator

from bench.bench import Bench
from bench.figures import Figure, Target
from bench.hub import Hub
from bench.load import Load, send
from bench.peers import Peer

SETTLE_S = 3
Measured = tuple[float, float]
"""MiB of memory (PSS), and percent of one core."""


def measure(bench: Bench) -> Iterator[Figure]:
    with bench.hub("idle", bench.embedded) as hub:
        hub.start()
        ours = _measured(hub, bench)
    with bench.peer(bench.embedded) as peer:
        peer.start()
        others = _measured(peer, bench)
    yield _figure("idle memory of all processes (PSS)", "MiB", ours[0], others[0], Target(at_most=220))
    yield _figure("idle CPU, of one core", "%", ours[1], others[1], Target(at_most=2))


def _measured(stack: Hub | Peer, bench: Bench) -> Measured:
    """After some work, so that every process has loaded what it needs."""
    n = bench.few(10, 200)
    send(Load(port=stack.port, path=stack.trigger_path, method="POST", headers=stack.with_key, n=n)).require(202)
    time.sleep(SETTLE_S)
    before, seconds = stack.cpu_s(), bench.few(2, 30)
    time.sleep(seconds)
    return stack.pss_mib(), 100 * (stack.cpu_s() - before) / seconds


def _figure(name: str, unit: str, hub: float, peer: float, target: Target) -> Figure:
    return Figure(part="idle", name=name, set_up="embedded", unit=unit, hub=hub, peer=peer, target=target)

"""From the command to the first sign that work can be given and done, on a database that is there."""

from collections.abc import Iterator

from bench.bench import Bench
from bench.figures import Figure, Target, middle
from bench.hub import Hub
from bench.peers import Peer

ROUNDS = 5


def measure(bench: Bench) -> Iterator[Figure]:
    with bench.hub("start", bench.embedded) as hub, bench.peer(bench.embedded) as peer:
        if not bench.quick:
            _start(hub)
            _start(peer)
        turns = [(_start(hub), _start(peer)) for _ in range(bench.few(1, ROUNDS))]
        hub.start()
    yield Figure(
        part="start",
        name="start to ready (peer: web answers, a task has run)",
        set_up="embedded",
        unit="s",
        hub=middle([hub for hub, _ in turns]),
        peer=middle([peer for _, peer in turns]),
        target=Target(at_most=3),
        rounds=tuple(hub for hub, _ in turns),
    )


def _start(stack: Hub | Peer) -> float:
    seconds = stack.start()
    stack.stop()
    return seconds

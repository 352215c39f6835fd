"""Receivers that are down: jobs end as fast as with receivers that answer, and a good one hears of each."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench.bench import Bench
from bench.figures import Figure, Target, middle
from bench.hub import Hub
from bench.stack import eventually

N_JOBS, N_RECEIVERS, ROUNDS = 500, 50, 3
SET_UPS = ("no receiver", "1 receiver that answers", f"{N_RECEIVERS} that answer", f"{N_RECEIVERS} that are down")


def measure(bench: Bench) -> Iterator[Figure]:
    n = bench.few(20, N_JOBS)
    with _good() as good, _deaf() as deaf, bench.hub("notices", bench.embedded, allowed_targets="127.0.0.1") as hub:
        hub.start()
        hub.stop()
        urls = ([], [good], _many(good), _many(deaf))
        rounds = [[_run(hub, n, one) for one in urls] for _ in range(bench.few(1, ROUNDS))]
        hub.inside("tell", urls=[])
        hub.start()
    none, one, answering, down = (middle(list(column)) for column in zip(*rounds, strict=True))
    for name, rate, peer in (
        ("1 receiver that answers", one, none),
        (SET_UPS[2], answering, none),
        (SET_UPS[3], down, answering),
    ):
        beside = "no receiver" if peer is none else SET_UPS[2]
        yield Figure(
            part="notices",
            name=f"{n:,} jobs, run, with {name} (peer: {beside})",
            set_up="embedded",
            unit="/s",
            hub=rate,
            peer=peer,
            is_rate=True,
            target=Target(ratio=0.9) if name == SET_UPS[3] else None,
        )


def _many(url: str) -> list[str]:
    return [f"{url}/{number}" for number in range(N_RECEIVERS)]


def _run(hub: Hub, n: int, urls: list[str]) -> float:
    """Executions ended per second."""
    hub.inside("tell", urls=urls)
    hub.inside("backlog", n=n)
    backlog = hub.n_active()
    hub.launch_all()
    left = eventually(lambda: (now := hub.n_active()) < backlog and (now or 0.5), "the first job", every_s=0.005)
    began_at = time.monotonic()
    eventually(lambda: not hub.n_active(), "the last job", every_s=0.005)
    seconds = time.monotonic() - began_at
    hub.stop()
    return float(left / max(seconds, 0.005))


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def _good() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taker)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def _deaf() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"

"""The load, made by a process of its own, so that it does not slow down who measures: `python -m bench.load`."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from bench.client import Connection
from bench.places import ROOT

WRK = shutil.which("wrk")


@dataclass(frozen=True, kw_only=True)
class Load:
    """One request sent again and again over kept connections: `n` times, or for so many `seconds`."""

    port: int
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    connections: int = 8
    n: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Sent:
    """`began_at` is this machine's monotonic clock."""

    began_at: float
    seconds: float
    statuses: Mapping[str, int]

    @property
    def per_second(self) -> float:
        return sum(self.statuses.values()) / self.seconds

    def require(self, status: int) -> "Sent":
        """Raises `RuntimeError` when anything else was answered: such a figure would be of errors."""
        if set(self.statuses) != {str(status)}:
            raise RuntimeError(f"wanted only answers with {status}, got {dict(self.statuses)}")
        return self


def send(load: Load) -> Sent:
    """Send it from another process, and wait for the end."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the load failed: {done.stderr[-2000:]}")
    return Sent(**json.loads(done.stdout))


def tool() -> str:
    """Which one `flood` uses, for the record."""
    return "wrk" if WRK else "own load process (no wrk here)"


def flood(load: Load, status: int) -> float:
    """Requests per second, by wrk where there is one."""
    return _wrk(load, status) if WRK else send(load).require(status).per_second


def _wrk(load: Load, status: int) -> float:
    headers = [word for name, value in load.headers.items() for word in ("-H", f"{name}: {value}")]
    url = f"http://127.0.0.1:{load.port}{load.path}"
    seconds = max(1, round(load.seconds))
    with Connection(load.port, load.headers) as connection:
        Sent(0, 1, {str(connection.ask(load.method, load.path).status): 1}).require(status)
    done = subprocess.run(
        [WRK or "wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", *headers, url],
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise RuntimeError(done.stdout)
    return float(done.stdout.split("Requests/sec:")[1].split()[0])


class _Senders:
    """The threads of a load; each has a connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._numbers = count()
        self._statuses: Counter[str] = Counter()
        self._errors: list[BaseException] = []
        self._start = threading.Barrier(load.connections + 1)

    def run(self) -> dict[str, Any]:
        threads = [threading.Thread(target=self._send) for _ in range(self._load.connections)]
        for thread in threads:
            thread.start()
        self._start.wait()
        began_at = time.monotonic()
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return {"began_at": began_at, "seconds": time.monotonic() - began_at, "statuses": self._statuses}

    def _send(self) -> None:
        try:
            with Connection(self._load.port, self._load.headers) as connection:
                self._start.wait()
                until = time.monotonic() + self._load.seconds
                while next(self._numbers) < self._load.n or time.monotonic() < until:
                    answer = connection.ask(self._load.method, self._load.path)
                    self._statuses[str(answer.status)] += 1
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            self._errors.append(error)
            self._start.abort()


if __name__ == "__main__":
    print(json.dumps(_Senders(Load(**json.load(sys.stdin))).run()))

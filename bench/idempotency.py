"""R6: many triggers at once with few idempotency keys, through several servers: `python -m bench.idempotency`."""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.client import Answer, Connection
from bench.databases import Postgres
from bench.hub import Hub
from bench.machine import described
from bench.places import ROOT, free_port
from bench.stack import eventually

KEYS, TRIGGERS, SERVERS, CONNECTIONS = 50, 200, 3, 24
EXIT_FAILED = 1


@dataclass
class Found:
    """What all the answers said together."""

    statuses: Counter[int] = field(default_factory=Counter)
    executions: dict[str, set[tuple[Any, ...]]] = field(default_factory=dict)
    """By key: the id, uuid, handle, job and params that its answers named."""
    first: Counter[str] = field(default_factory=Counter)
    """By key: how many answers did not say that they repeat an earlier one."""

    def note(self, key: str, answer: Answer) -> None:
        self.statuses[answer.status] += 1
        if answer.status == 202:
            told = answer.json
            same = (*(told[name] for name in ("id", "uuid", "handle", "job_id")), json.dumps(told["params"]))
            self.executions.setdefault(key, set()).add(same)
            self.first[key] += "idempotent-replayed" not in answer.headers


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="jobhub-bench-") as folder:
        database = Postgres(options.database) if options.database else None
        try:
            hub = Hub(Path(folder), database)
            hub.start()
            try:
                told = measured(hub, options)
            finally:
                hub.stop()
        finally:
            if database:
                database.drop()
    print(json.dumps(told, indent=2) if options.json else as_text(told))
    return 0 if told["passed"] else EXIT_FAILED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.idempotency", description=__doc__)
    parser.add_argument("--keys", type=int, default=KEYS)
    parser.add_argument("--triggers", type=int, default=TRIGGERS, help="of each key")
    parser.add_argument("--servers", type=int, default=SERVERS, help="web servers, of 2 processes each")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--database", default=os.environ.get("BENCH_POSTGRES_URL", ""), metavar="URL",
                        help="of a PostgreSQL server where databases may be made; default: embedded")  # fmt: skip
    return parser.parse_args()


def measured(hub: Hub, options: argparse.Namespace) -> dict[str, Any]:
    before = hub.n_done()
    keys = [f"key-{number}" for number in range(options.keys)]
    with servers(hub, options.servers - 1) as ports:
        began_at = time.monotonic()
        found = send(hub, [hub.port, *ports], keys, options.triggers)
        seconds = time.monotonic() - began_at
        hub.wait_until_idle()
    made = hub.n_done() - before
    audited = hub.database.rows(
        "SELECT count(*) FROM jobs_auditevent a JOIN jobs_jobexecution e ON e.handle = a.subject "
        "WHERE a.deed = 'trigger' AND e.idempotency_key IS NOT NULL"
    )[0][0]
    one_each = all(len(found.executions.get(key, ())) == 1 and found.first[key] == 1 for key in keys)
    is_well_answered = set(found.statuses) == {202} and found.statuses.total() == options.keys * options.triggers
    return {
        "set_up": described() | {"database": "PostgreSQL" if options.database else "SQLite"},
        "keys": options.keys,
        "triggers": options.keys * options.triggers,
        "servers": options.servers,
        "statuses": {str(status): n for status, n in sorted(found.statuses.items())},
        "executions": made,
        "audited": audited,
        "equal_answers": one_each,
        "per_second": round(found.statuses.total() / seconds, 1),
        "passed": is_well_answered and one_each and made == audited == options.keys,
    }


@contextlib.contextmanager
def servers(hub: Hub, number: int) -> Iterator[list[int]]:
    """So many more web servers of the same hub, each on a port of its own."""
    ports = [free_port() for _ in range(number)]
    with hub.log.open("ab") as log, contextlib.ExitStack() as stack:
        for port in ports:
            env = {**hub.env, "JOBHUB_PORT": str(port)}
            command = [sys.executable, "manage.py", "web"]
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
            stack.callback(_stop, process)
        for port in ports:
            eventually(lambda port=port: _answers(port), f"a server on port {port}; its log is {hub.log}", every_s=0.1)
        yield ports


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), Connection(port) as connection:
        return connection.ask("GET", "/healthz").status == 200
    return False


def send(hub: Hub, ports: list[int], keys: list[str], times: int) -> Found:
    """Every key so often, shuffled, over connections to all servers at once."""
    found, lock = Found(), threading.Lock()
    left = keys * times
    random.shuffle(left)
    errors: list[BaseException] = []

    def work(port: int) -> None:
        try:
            with Connection(port, hub.with_key) as connection:
                while left and not errors:
                    with lock:
                        key = left.pop() if left else None
                    if key is not None:
                        answer = connection.ask("POST", hub.trigger_path, headers={"Idempotency-Key": key})
                        with lock:
                            found.note(key, answer)
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=work, args=(ports[n % len(ports)],)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return found


def as_text(told: dict[str, Any]) -> str:
    lines = [*(f"{name:18} {value}" for name, value in told["set_up"].items()), ""]
    lines += [f"{name:18} {told[name]}" for name in told if name not in ("set_up", "passed")]
    return "\n".join([*lines, "", f"R6: {'passed' if told['passed'] else 'FAILED'}"])


if __name__ == "__main__":
    sys.exit(main())

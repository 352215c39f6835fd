"""A hub of workers alone, each cluster as on a machine of its own, that can be killed, and its clock."""

import contextlib
import random
import signal
import struct
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from bench.databases import Database
from bench.hub import Hub
from bench.places import ROOT
from bench.stack import eventually

LEASE_S = 5
"""Short, so that the runs of killed workers run again soon."""
SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """How far the hub's clock is ahead of this machine's; its processes see a change at once. Needs a C compiler."""

    def __init__(self, folder: Path) -> None:
        self._file, self._library = folder / "clock", folder / "clock.so"
        command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(self._library), str(SOURCE), "-ldl", "-lm"]
        subprocess.run(command, check=True)
        self._file.write_bytes(struct.pack("d", 0))

    @property
    def env(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "FAKE_CLOCK": str(self._file)}

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead_s)

    def set(self, at: datetime) -> None:
        with self._file.open("r+b") as file:
            file.write(struct.pack("d", (at - datetime.now(UTC)).total_seconds()))

    @property
    def _ahead_s(self) -> float:
        return float(struct.unpack("d", self._file.read_bytes())[0])


@dataclass
class Cluster:
    """One `manage.py worker`."""

    env: dict[str, str]
    log: Path
    main: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "manage.py", "worker"]
            self.main = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )

    def family(self) -> list[psutil.Process]:
        if self.main:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(self.main.pid)
                return [process, *process.children(recursive=True)]
        return []

    def kill(self, what: str, dice: random.Random) -> int:
        """-9: `tree`, the whole cluster; `main`, which keeps the clock; `worker`, one of its processes.

        Returns how many processes that were.
        """
        family = self.family()
        victims = {"tree": family, "main": family[:1], "worker": dice.sample(family[2:], min(1, len(family[2:])))}[what]
        for victim in victims:
            with contextlib.suppress(psutil.Error):
                victim.kill()
        if self.main and what != "worker":
            self.main.wait()
        return len(victims)

    def stop(self) -> None:
        family = self.family()
        if self.main and self.main.poll() is None:
            self.main.send_signal(signal.SIGTERM)
        _, stubborn = psutil.wait_procs(family, timeout=45)
        for one in stubborn:
            with contextlib.suppress(psutil.Error):
                one.kill()


@dataclass
class Killable:
    """A hub of so many clusters."""

    folder: Path
    database: Database | None
    n_clusters: int = 1
    clock: Clock | None = None
    clusters: list[Cluster] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub = Hub(self.folder, self.database, workers=2, lease_s=LEASE_S, keep_days=0)
        env = {**self.hub.env, **(self.clock.env if self.clock else {})}
        for _ in range(self.n_clusters):
            own = {**env, "JOBHUB_NODE": f"bench-{uuid.uuid4().hex[:8]}", "JOBHUB_LOG_LEVEL": "WARNING"}
            self.clusters.append(Cluster(own, self.hub.log))

    def start(self) -> None:
        for cluster in self.clusters:
            cluster.start()
        leads = "SELECT 1 FROM jobs_leader WHERE duty = 'ticker'"
        eventually(lambda: self.hub.database.rows(leads), f"a ticker; the log is {self.hub.log}")

    def stop(self) -> None:
        for cluster in self.clusters:
            cluster.stop()

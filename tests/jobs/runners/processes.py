"""Finds every process of a run by a mark in its environment, wherever it has moved itself."""

import os
import signal
import uuid
from pathlib import Path


class Mark:
    """An environment that names its run."""

    def __init__(self) -> None:
        self.value = f"JOBHUB_TEST_MARK={uuid.uuid4()}"

    @property
    def env(self) -> dict[str, str]:
        name, value = self.value.split("=")
        return {"PATH": os.environ["PATH"], name: value}

    def pids(self) -> list[int]:
        """The live processes that carry the mark."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if self._is_on(path)]

    def is_gone(self) -> bool:
        return not self.pids()

    def kill(self) -> None:
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)

    def _is_on(self, path: Path) -> bool:
        try:
            return self.value.encode() in (path / "environ").read_bytes().split(b"\0")
        except OSError:
            return False

"""What a runner is given: its parameters, its reports, and the word to stop."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from jobs.errors import RunFailed, Stopped
from jobs.masking import Masker, Stream


class Stop(StrEnum):
    """Why a run must end before its work is done."""

    ABORT = "abort"
    """A person asked for it."""
    PAUSE = "pause"
    """A person asked, and the runner can go on later from its checkpoint."""
    TIMEOUT = "timeout"
    """The deadline has passed."""
    SHUTDOWN = "shutdown"
    """The worker is leaving and the drain time is over."""
    LOST = "lost"
    """The lease could not be renewed: somebody else may have the execution already. End at once, write nothing."""


@dataclass(frozen=True)
class RunInfo:
    """Which run this is."""

    execution: str = ""
    """The execution's UUID."""
    handle: str = ""
    job: str = ""
    project: str = ""
    action: str = ""
    attempt: int = 1
    node: str = ""


@dataclass(frozen=True)
class ArchiveRecord:
    """One archive level on disk, as a backup made it."""

    container: str
    name: str
    level: int
    path: str
    size_bytes: int
    sha256: str
    created_at: datetime
    parent: str | None = None
    """The path of the level that this one needs, `None` for a full one."""


@dataclass
class Context:
    """The runner's only window to the hub. This class keeps all reports in memory; the worker's subclass
    (`jobs.worker.report`) writes them to the database.

    Reports may be called as often as one likes: they are merged and written at most once a second.
    """

    workdir: Path
    """A private folder for this run (0700), removed after it."""
    info: RunInfo = field(default_factory=RunInfo)
    params: Mapping[str, Any] = field(default_factory=dict)
    """What the trigger brought along: a flat mapping of names to strings, numbers, booleans or null."""
    saved: Any = None
    """The checkpoint of an earlier part of this run, `None` for a fresh start."""
    cursor: Any = None
    """Where the job's next incremental run goes on; it outlives executions."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Ask for them by `secret`."""
    deadline: float | None = None
    """A `time.monotonic()` instant, `None` without one."""
    lease_s: float = 30.0
    """How long a silent worker may be trusted to be alive."""
    grace_s: float = 10.0
    """How long a program may take to end after TERM."""

    output: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    done: int | None = None
    total: int | None = None
    unit: str = ""
    records: int | None = None
    last_id: str | None = None
    n_dropped: int | None = None
    volume_bytes: int | None = None
    archives: list[ArchiveRecord] = field(default_factory=list)
    removed_archives: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop: Stop | None = None
        self._stopping = threading.Event()
        self._masker = Masker()
        self._streams: dict[str, Stream] = {}
        self._logging = threading.Lock()

    # -- secrets ---------------------------------------------------------------------------------------------------
    def secret(self, name: str) -> str:
        """The value of a secret of the job's project; masked in everything that this run reports from now on.

        `RunFailed` naming it when there is none.
        """
        value = self._find_secret(name)
        self._masker.add(value)
        return value

    def _find_secret(self, name: str) -> str:
        try:
            return self.secrets[name]
        except KeyError:
            raise RunFailed(f"there is no secret {name!r} in the job's project") from None

    def masked(self, text: str) -> str:
        """The text without the values of the secrets that this run has asked for."""
        return self._masker.mask(text)

    def _check_unmasked(self, value: Any) -> None:
        """A masked place to go on from would be a wrong one, an unmasked one would store the secret."""
        if self._masker.holds(value):
            raise RunFailed("a checkpoint or cursor must not hold the value of a secret")

    # -- being stopped ---------------------------------------------------------------------------------------------
    @property
    def stop_reason(self) -> Stop | None:
        """Why the run must end, `None` while it may go on."""
        if self._stop in (None, Stop.PAUSE) and self.deadline is not None and time.monotonic() >= self.deadline:
            self.stop(Stop.TIMEOUT)
        return self._stop

    def should_stop(self) -> bool:
        """Ask this at least once a second."""
        return self.stop_reason is not None

    def should_abort(self) -> bool:
        """The same in the words of callables: true for every reason but a pause."""
        return self.stop_reason not in (None, Stop.PAUSE)

    def should_pause(self) -> bool:
        return self.stop_reason is Stop.PAUSE

    def raise_if_stopped(self) -> None:
        if self.should_stop():
            raise Stopped(str(self._stop))

    def wait(self, seconds: float) -> bool:
        """Sleep, but not past the word to stop; true when the run must stop."""
        self._stopping.wait(max(0.0, min(seconds, self.remaining_s())))
        return self.should_stop()

    def remaining_s(self) -> float:
        """Seconds until the deadline, infinity without one."""
        return float("inf") if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def stop(self, reason: Stop) -> None:
        """Called by the worker, from any thread. Everything overrules a pause, nothing overrules a loss."""
        if self._stop in (None, Stop.PAUSE) or reason is Stop.LOST:
            self._stop = reason
        self._stopping.set()

    def lease_is_fresh(self) -> bool:
        """Whether this worker still surely owns the run; a guard of a program is fed only while it does."""
        return self._stop is not Stop.LOST

    def trusted_until(self) -> float:
        """The `time.monotonic()` instant before which nobody else can get the run; a guard kills its program then."""
        return time.monotonic() + self.lease_s

    # -- reporting -------------------------------------------------------------------------------------------------
    def log(self, text: str, stream: str = "stdout") -> None:
        """Append text (with its newlines) to the output. `stream` is `stdout`, `stderr` or `hub`.

        What may be the beginning of a secret waits for the next text of the stream, or for `end_output`.
        """
        with self._logging:
            if shown := self._streams.setdefault(stream, self.mask_stream()).feed(text):
                self._write_output(stream, shown)

    def end_output(self) -> None:
        """Give out what waits in the streams: nothing more is to come."""
        with self._logging:
            streams, self._streams = self._streams, {}
            for name, stream in streams.items():
                if rest := stream.close():
                    self._write_output(name, rest)

    def mask_stream(self) -> Stream:
        """For a copy of a text that comes in pieces."""
        return Stream(self._masker)

    def _write_output(self, stream: str, text: str) -> None:
        self.output.append((stream, text))

    def warn(self, text: str) -> None:
        """Count a warning and put its text into the output: the run may still succeed."""
        self.warnings.append(self.masked(text))
        self.log(f"warning: {text}\n", "hub")

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        """How far the run is. `total` may be unknown; it and `unit` are kept from the last call when left out."""
        self.done = done
        self.total = total if total is not None else self.total
        self.unit = self.masked(unit) or self.unit

    def report(
        self,
        *,
        records: int | None = None,
        last_id: str | None = None,
        n_dropped: int | None = None,
        volume_bytes: int | None = None,
    ) -> None:
        """How many records were dealt with and how many others dropped, the key of the last one, about how many bytes
        were read."""
        self.records = self.records if records is None else records
        self.last_id = self.last_id if last_id is None else self.masked(last_id)
        self.n_dropped = self.n_dropped if n_dropped is None else n_dropped
        self.volume_bytes = self.volume_bytes if volume_bytes is None else volume_bytes

    def checkpoint(self, value: Any) -> None:
        """Save (JSON) where this run could go on. Written at once."""
        self._check_unmasked(value)
        self.saved = value

    def save_cursor(self, value: Any) -> None:
        """Save (JSON) where the job's next run goes on. Written at once."""
        self._check_unmasked(value)
        self.cursor = value

    def archive_made(self, record: ArchiveRecord) -> None:
        """An archive is complete on disk. Written at once."""
        self.archives.append(record)

    def archive_removed(self, path: str) -> None:
        """An archive is gone from the disk. Written at once."""
        self.removed_archives.append(path)

"""The context of a run on a worker: its reports go to the database, fenced by the attempt."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from jobs.engine import chains, limits, secrets
from jobs.errors import KeysUnfit, LeaseLost, NotFound, RunFailed
from jobs.models import ActionExecution, Archive, Job, JobExecution, Output
from jobs.models.prepared import insert
from jobs.runners.context import ArchiveRecord, Context, RunInfo, Stop
from jobs.states import FINAL, LIVE, State
from jobs.texts import check_json, storable
from jobs.worker.output import Batch, OutputBuffer

log = logging.getLogger(__name__)
UNREAD = object()
LIVE_WORDS = sorted(state.value for state in LIVE)
SAFETY_S = 5
"""A worker that could not renew stops so long before its lease ends: nobody else has begun by then."""


def info_of(execution: JobExecution) -> RunInfo:
    return RunInfo(
        execution=str(execution.uuid),
        handle=execution.handle,
        job=execution.job_name,
        project=execution.plan.get("project", ""),
        attempt=execution.attempt,
        node=execution.node,
    )


def workdir_of(execution: JobExecution) -> Path:
    return Path(settings.HUB_DIR) / "run" / f"{execution.uuid.hex}-{execution.attempt}"


def within(value: float, bits: int) -> int:
    """The nearest whole number that a column of so many bits and a sign can hold."""
    return max(-(2**bits), min(2**bits - 1, int(value)))


def _kept_output(execution: JobExecution) -> list[tuple[int, int]]:
    if not execution.output_seq:
        return []
    rows = Output.objects.filter(execution=execution).order_by("seq").values_list("seq", "text")
    return [(seq, len(text.encode())) for seq, text in rows]


@dataclass
class Reports:
    """What has been reported and not been written yet."""

    fields: dict[str, Any]
    batch: Batch
    steps: list[tuple[ActionExecution, bool]]
    """With whether it is a new row."""


class WorkerContext(Context):
    """A `Context` whose reports are merged and written once a second by the lease's thread, and at the end."""

    def __init__(self, execution: JobExecution, *, leased_at: float | None = None) -> None:
        """`leased_at`: the `time.monotonic()` before the lease was asked for."""
        super().__init__(
            workdir=workdir_of(execution),
            info=info_of(execution),
            params=execution.params,
            saved=execution.checkpoint,
            lease_s=settings.HUB["LEASE_S"],
        )
        self.execution = execution
        self._cursor: Any = UNREAD
        self.n_warnings = execution.n_warnings
        self.renewed_at = time.monotonic() if leased_at is None else leased_at
        self._deadline = self._monotonic(execution.deadline)
        self._soft_deadline = self._monotonic(execution.soft_timeout_at)
        self._is_late = False
        self._buffer = OutputBuffer(
            settings.HUB["OUTPUT_LIMIT"],
            seq=execution.output_seq,
            dropped=execution.output_dropped,
            kept=_kept_output(execution),
        )
        self._can_pause = False
        self._pause_is_asked = False
        self._fields: dict[str, Any] = {}
        self._steps: list[ActionExecution] = []
        self._returned = Batch()
        self._data = threading.Lock()
        self._io = threading.RLock()

    @staticmethod
    def _monotonic(deadline: Any) -> float | None:
        return None if deadline is None else time.monotonic() + (deadline - timezone.now()).total_seconds()

    def _find_secret(self, name: str) -> str:
        try:
            return secrets.reveal(name, self.execution.project_id)
        except (NotFound, KeysUnfit) as error:
            raise RunFailed(error.message) from None

    @property
    def cursor(self) -> Any:
        """Read from the job when a runner first asks."""
        if self._cursor is UNREAD:
            self._cursor = Job.objects.filter(pk=self.execution.job_id or 0).values_list("cursor", flat=True).first()
        return self._cursor

    @cursor.setter
    def cursor(self, value: Any) -> None:
        self._cursor = UNREAD if value is None else value

    def begin(self, timeout_s: float | None) -> None:
        """A new try of a step, with its own time within the execution's; an earlier step's timeout is forgotten.

        A pause that the step before could not make is made now.
        """
        own = None if timeout_s is None else time.monotonic() + timeout_s
        both = [limit for limit in (own, self._deadline) if limit is not None]
        self.deadline = min(both, default=None)
        if self._stop is Stop.TIMEOUT:
            self._stop = None
            self._stopping.clear()
        if self._pause_is_asked:
            self.stop(Stop.PAUSE)

    @contextmanager
    def pausing(self, can_pause: bool) -> Iterator[None]:
        """What runs here can save a checkpoint and leave, or must not hear of a pause."""
        self._can_pause = can_pause
        try:
            yield
        finally:
            self._can_pause = False

    def ask_to_pause(self) -> None:
        """At once where the step can, else before the next one."""
        self._pause_is_asked = True
        if self._can_pause:
            self.stop(Stop.PAUSE)

    @property
    def time_is_over(self) -> bool:
        """Whether the execution's own deadline has passed, not only a step's."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def tell_soft_timeout(self) -> None:
        """Once the soft timeout has passed: a warning, and what hangs on it, in one transaction. Then never again."""
        if self._soft_deadline is None or time.monotonic() < self._soft_deadline:
            return
        if not self._is_late:
            self._is_late = True
            self.warn(limits.soft_timeout_text(self.execution))
        with self.written() as fields:
            self._update({**fields, "soft_timeout_at": None})
            limits.soft_timeout(self.execution)
        self._soft_deadline = None

    def trusted_until(self) -> float:
        return self.renewed_at + max(self.lease_s - SAFETY_S, self.lease_s / 2)

    def lease_is_fresh(self) -> bool:
        if time.monotonic() > self.trusted_until():
            self.stop(Stop.LOST)
        return super().lease_is_fresh()

    # -- reports ---------------------------------------------------------------------------------------------------
    def _write_output(self, stream: str, text: str) -> None:
        self._buffer.append(stream, text)

    def warn(self, text: str) -> None:
        self.n_warnings += 1
        self._note(n_warnings=self.n_warnings)
        self.log(f"warning: {text}\n", "hub")

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        unit = storable(self.masked(unit), 30)
        super().progress(within(done, 63), None if total is None else within(total, 63), unit)
        self._note(progress_done=self.done, progress_total=self.total, progress_unit=self.unit)

    def report(
        self,
        *,
        records: int | None = None,
        last_id: str | None = None,
        n_dropped: int | None = None,
        volume_bytes: int | None = None,
    ) -> None:
        super().report(
            records=None if records is None else within(records, 63),
            last_id=None if last_id is None else storable(self.masked(last_id), 500),
            n_dropped=None if n_dropped is None else within(n_dropped, 63),
            volume_bytes=None if volume_bytes is None else within(volume_bytes, 63),
        )
        told = ("records", "last_id", "n_dropped", "volume_bytes")
        self._note(**{name: getattr(self, name) for name in told})

    def checkpoint(self, value: Any) -> None:
        super().checkpoint(check_json(value))
        self._note(checkpoint=value)
        self.flush()

    def save_cursor(self, value: Any) -> None:
        self._check_unmasked(check_json(value))
        with self.written() as fields:
            # The job first, as everybody does who locks both.
            Job.objects.filter(pk=self.execution.job_id or 0).update(cursor=value)
            self._update(fields)
        super().save_cursor(value)

    def archive_made(self, record: ArchiveRecord) -> None:
        super().archive_made(record)
        with self.written() as fields:
            self._update(fields)
            Archive.objects.update_or_create(node=self.execution.node, path=record.path, defaults=self._archive(record))

    def archive_removed(self, path: str) -> None:
        super().archive_removed(path)
        Archive.objects.filter(node=self.execution.node, path=path).delete()

    def _archive(self, record: ArchiveRecord) -> dict[str, Any]:
        return {
            "project_id": self.execution.project_id,
            "execution": self.execution,
            "job_name": self.execution.job_name,
            "container": record.container,
            "name": record.name,
            "level": record.level,
            "parent": record.parent or "",
            "size_bytes": record.size_bytes,
            "sha256": record.sha256,
            "created_at": record.created_at,
        }

    def step_changed(self, step: ActionExecution) -> None:
        """A step of the timeline is to be written with the next flush."""
        with self._data:
            self._steps = [one for one in self._steps if one is not step] + [step]

    def at_position(self, position: int) -> None:
        """The plan is at this step now; the checkpoint of an earlier one is of no use to it."""
        self.execution.position, self.saved = position, None
        self._note(position=position, checkpoint=None)

    def has_failed(self, message: str, errors: list[str], exit_code: int | None) -> None:
        """A step has; told at once, so that whoever goes on after a pause or a loss knows it too."""
        self._note(message=message, errors=errors, exit_code=exit_code)

    def _note(self, **fields: Any) -> None:
        with self._data:
            self._fields.update(fields)

    # -- writing ---------------------------------------------------------------------------------------------------
    def flush(self, *, force: bool = False) -> None:
        """Write what is new. Raises `LeaseLost` (and stops the run) when the execution is no longer this attempt's.

        `force` asks the database even with nothing to write. After any other error nothing is lost: the next flush
        writes it.
        """
        with self.written() as fields:
            if force or fields:
                self._update(fields)

    def forget(self) -> None:
        """Drop the reports that wait: the database does not take them."""
        with self._io:
            self._take()

    @contextmanager
    def written(self) -> Iterator[dict[str, Any]]:
        """All reports that wait, written in one transaction with what the caller does with the fields of the row.

        When it fails, they wait again.
        """
        with self._io:
            reports = self._take()
            try:
                with transaction.atomic():
                    yield reports.fields
                    self._write(reports)
            except LeaseLost:
                raise
            except BaseException:
                self._give_back(reports)
                raise

    def _take(self) -> Reports:
        with self._data:
            fields, self._fields = self._fields, {}
            steps, self._steps = self._steps, []
        batch, self._returned = self._returned.then(self._buffer.take()), Batch()
        if batch or steps:  # with steps alone too: no write goes without the fence
            fields |= {"output_seq": batch.seq, "output_dropped": batch.dropped}
        return Reports(fields, batch, [(step, step.pk is None) for step in steps])

    def _give_back(self, reports: Reports) -> None:
        for step, was_new in reports.steps:
            if was_new:
                step.pk, step._state.adding = None, True
        with self._data:
            self._fields = {**reports.fields, **self._fields}
            self._steps = [step for step, _ in reports.steps] + self._steps
        self._returned = reports.batch

    def _write(self, reports: Reports) -> None:
        for step, is_new in reports.steps:
            if is_new:
                insert(step)
            else:
                step.save()
        if reports.batch.gone:
            Output.objects.filter(execution=self.execution, seq__in=reports.batch.gone).delete()
        if reports.batch.pieces:
            Output.objects.bulk_create(
                Output(execution=self.execution, seq=seq, stream=stream, text=text)
                for seq, stream, text in reports.batch.pieces
            )

    def _update(self, fields: dict[str, Any], *, is_news: bool = True) -> None:
        rows = JobExecution.objects.filter(pk=self.execution.pk, attempt=self.execution.attempt, state__in=LIVE_WORDS)
        if not rows.update(**fields, **({"version": F("version") + 1} if is_news else {})):
            self.stop(Stop.LOST)
            raise LeaseLost

    def renew(self) -> None:
        """Ask for another lease. Raises `LeaseLost` when it is too late."""
        asked_at = time.monotonic()
        until = Now() + timedelta(seconds=settings.HUB["LEASE_S"])
        self._update({"lease_until": until}, is_news=False)
        self.renewed_at = asked_at

    def end(self, to: State, **fields: Any) -> None:
        """Leave the run: its last reports, its move and what follows from it, in one transaction.

        Raises `IllegalMove` when somebody else has moved it; the reports wait on then.
        """
        with self.written() as reported:
            if to is State.QUEUED:
                fields["n_blocks"] = chains.recount(self.execution)
            self.execution.move(to, fence=self.execution.attempt, **{**reported, **fields})
            if to in FINAL:
                chains.settle(self.execution)
            else:
                chains.leave_slot(self.execution)

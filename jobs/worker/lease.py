"""Hold the lease of a run: one thread in each worker process renews it, writes reports and hears the word to stop."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.db import Error, close_old_connections, connections

from jobs.errors import IllegalMove, LeaseLost
from jobs.models import JobExecution
from jobs.runners.context import Stop
from jobs.states import State
from jobs.worker.flags import FLAGS
from jobs.worker.report import WorkerContext

log = logging.getLogger(__name__)
BEAT_S = 1.0
STUCK_S = 5.0
EXIT_STUCK = 70


class LeaseKeeper:
    """Beats once a second while a run is held, and sleeps otherwise: an idle worker asks the database nothing, and
    this thread of it keeps no connection.

    Short runs that follow one another do not wake it: each time that would cost more than their claim.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._context: WorkerContext | None = None
        self._is_asleep = False
        self._is_inline = False
        self._stopping_since: float | None = None
        threading.Thread(target=self._beat_for_ever, name="lease", daemon=True).start()

    @contextmanager
    def hold(self, context: WorkerContext) -> Iterator[None]:
        with self._changed:
            self._context, self._stopping_since = context, None
            if self._is_asleep:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._context = None

    @contextmanager
    def inline(self, is_inline: bool) -> Iterator[None]:
        """Whether what runs here cannot be killed without its worker."""
        self._is_inline = is_inline
        try:
            yield
        finally:
            self._is_inline = False

    def _beat_for_ever(self) -> None:
        while True:
            self._sleep()
            time.sleep(BEAT_S)
            while (context := self._context) is not None:
                self._beat(context)
                time.sleep(BEAT_S)
            connections.close_all()

    def _sleep(self) -> None:
        """Until a run is held."""
        with self._changed:
            self._is_asleep = True
            self._changed.wait_for(lambda: self._context is not None)
            self._is_asleep = False

    def _beat(self, context: WorkerContext) -> None:
        try:
            close_old_connections()
            self._renew(context)
            self._listen(context)
            context.tell_soft_timeout()
            context.flush()
        except LeaseLost:
            context.stop(Stop.LOST)
        except Error:
            log.warning("execution %s: the database does not answer", context.info.handle, exc_info=True)
        except Exception:
            log.exception("execution %s: cannot look after it", context.info.handle)
        context.lease_is_fresh()
        if FLAGS.drain_is_over(time.monotonic()):
            context.stop(Stop.SHUTDOWN)
        self._leave_if_stuck(context)

    def _renew(self, context: WorkerContext) -> None:
        """With the last beat before a third of it is over: with the next one a short lease would be too old."""
        if time.monotonic() - context.renewed_at >= settings.HUB["LEASE_S"] / 3 - BEAT_S:
            context.renew()

    def _listen(self, context: WorkerContext) -> None:
        row = (
            JobExecution.objects.filter(pk=context.execution.pk, attempt=context.execution.attempt)
            .values_list("state", "pause_requested_at")
            .first()
        )
        if row is None or row[0] not in (State.RUNNING, State.ABORTING):
            context.stop(Stop.LOST)
        elif row[0] == State.ABORTING:
            context.stop(Stop.ABORT)
        elif row[1] is not None:
            context.ask_to_pause()

    def _leave_if_stuck(self, context: WorkerContext) -> None:
        """A callable in this process that does not listen ends with the process, once its time to listen is over."""
        if context.stop_reason in (None, Stop.PAUSE):
            self._stopping_since = None
            return
        self._stopping_since = self._stopping_since or time.monotonic()
        waited = time.monotonic() - self._stopping_since
        if not self._is_inline or waited < (0 if context.stop_reason is Stop.LOST else context.grace_s) + STUCK_S:
            return
        log.error("execution %s does not stop (%s); leaving with it", context.info.handle, context.stop_reason)
        self._say_why(context)
        os._exit(EXIT_STUCK)

    def _say_why(self, context: WorkerContext) -> None:
        text = f"did not stop within {context.grace_s:g} s ({context.stop_reason}); its worker was ended"
        to = State.ABORTED if context.stop_reason is Stop.ABORT else State.FAILED
        if context.stop_reason in (Stop.ABORT, Stop.TIMEOUT):
            with suppress(IllegalMove, LeaseLost, Error):
                context.end(to, message=text, errors=[text])


_keepers: dict[int, LeaseKeeper] = {}


def keeper() -> LeaseKeeper:
    """The one of this process; a forked worker makes its own."""
    if os.getpid() not in _keepers:
        _keepers[os.getpid()] = LeaseKeeper()
    return _keepers[os.getpid()]

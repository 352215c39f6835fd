"""A cluster: worker processes, and the one above them that watches, ticks and stops them."""

import gc
import logging
import multiprocessing
import os
import signal
import time
from multiprocessing.process import BaseProcess

from django.conf import settings
from django.db import Error, close_old_connections, connections
from django.db.models.functions import Now
from django.utils import timezone

from jobs import queue
from jobs.engine import deliveries
from jobs.models import JobExecution, Node
from jobs.worker import courier
from jobs.worker.claim import is_due
from jobs.worker.flags import FLAGS
from jobs.worker.helper import Helper
from jobs.worker.janitor import Janitor
from jobs.worker.processes import Signals, die_with, kill_group, let_forks_die_with_me
from jobs.worker.ticker import Ticker

log = logging.getLogger(__name__)
LOOP_S = 1.0
NODE_BEAT_S = 10.0
AFTER_DRAIN_S = 15.0
"""What programs get to end after the drain, before everything is killed."""
RESTART_PAUSE_S = 1.0


class Cluster:
    """Runs in the main process of `manage.py worker` until TERM or INT.

    Its children live in a session of their own and ignore TERM: whoever signals a whole process group (a terminal, a
    service manager) cannot tear the pool apart, and this process alone decides how they end.
    """

    def __init__(self) -> None:
        self.signals = Signals()
        self.ticker = Ticker()
        self.watchdog = Watchdog()
        janitor = Janitor()
        self.helpers = [
            Helper("courier", is_needed=deliveries.is_due, run=courier.carry),
            Helper("janitor", is_needed=janitor.is_needed, run=janitor.run),
        ]
        self.pool: BaseProcess | None = None
        self.stop_flag = queue.Flag()
        self._node_beat_at = 0.0
        self._seen_at = timezone.now()

    def run(self) -> None:
        if settings.IS_SQLITE:  # which has one cluster a file
            self.ticker.succeed()
        connections.close_all()
        gc.freeze()
        self._start_pool()
        while not self.signals.stop:
            self._look_after()
            self.signals.wait(self.ticker.rest_s(LOOP_S))
        self._drain()

    def _start_pool(self) -> None:
        connections.close_all()
        self.stop_flag = queue.Flag()
        started = queue.Flag()
        context = multiprocessing.get_context("fork")
        self.pool = context.Process(target=_pool, args=(os.getpid(), self.stop_flag, started), name="pool")
        self.pool.start()
        self.watchdog.reset()

    def _look_after(self) -> None:
        assert self.pool is not None
        if not self.pool.is_alive():
            log.error("the worker pool is gone (exit code %s); starting another", self.pool.exitcode)
            self._restart_pool()
        try:
            close_old_connections()
            self._beat_node()
            self.ticker.tick()
            for helper in self.helpers:
                helper.look_after()
            if self.watchdog.is_silent():
                log.error("no worker took due work for %s s; restarting the pool", settings.HUB["WATCHDOG_S"])
                self._restart_pool()
        except Error:
            log.warning("the database does not answer", exc_info=True)

    def _restart_pool(self) -> None:
        self._kill_pool()
        self.signals.wait(RESTART_PAUSE_S)
        if not self.signals.stop:
            self._start_pool()

    def _kill_pool(self) -> None:
        if self.pool is not None and self.pool.pid:
            kill_group(self.pool.pid)
            self.pool.join()

    def _beat_node(self) -> None:
        if time.monotonic() - self._node_beat_at < NODE_BEAT_S and self._node_beat_at:
            return
        said = {"workers": settings.HUB["WORKERS"], "own_labels": list(settings.HUB["NODE_LABELS"])}
        self._seen_at = timezone.now()
        Node.objects.update_or_create(name=settings.NODE, defaults={"seen_at": self._seen_at, **said})
        self._node_beat_at = time.monotonic()

    def _take_back_workers(self) -> None:
        """Unless another cluster of this node has said since that it works."""
        Node.objects.filter(name=settings.NODE, seen_at=self._seen_at).update(workers=0)

    def _drain(self) -> None:
        """Let what runs come to its end within the drain time, then stop it, then leave nothing behind.

        A second TERM or Ctrl-C ends the drain time at once.
        """
        assert self.pool is not None
        drain_ends = time.monotonic() + settings.HUB["DRAIN_S"]
        FLAGS.drain(drain_ends)
        self.stop_flag.set()
        while self.pool.is_alive() and time.monotonic() < drain_ends + AFTER_DRAIN_S:
            self.pool.join(0.1)
            if self.signals.n_stops > 1 and time.monotonic() < drain_ends:
                drain_ends = time.monotonic()
                FLAGS.drain(drain_ends)
        self._kill_pool()
        for helper in self.helpers:
            helper.leave()
        try:
            close_old_connections()
            self._take_back_workers()
            self.ticker.leave()
        except Error:
            log.warning("could not say that this node's workers have ended; another takes over in some seconds")


class Watchdog:
    """Sees a pool that is alive and does nothing: due work, an idle worker, and no claim for too long."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._since = self._looked_at = time.monotonic()
        self._claims = FLAGS.claims

    def is_silent(self) -> bool:
        """Looks a dozen times within the limit, however often it is asked."""
        now = time.monotonic()
        if now - self._looked_at < settings.HUB["WATCHDOG_S"] / 12:
            return False
        self._looked_at = now
        if FLAGS.claims != self._claims or not self._has_neglected_work():
            self.reset()
        return time.monotonic() - self._since > settings.HUB["WATCHDOG_S"]

    def _has_neglected_work(self) -> bool:
        here = JobExecution.objects.live().filter(node=settings.NODE, lease_until__gt=Now())
        return is_due(settings.NODE) and here.count() < settings.HUB["WORKERS"]


def _pool(parent: int, stop: queue.Flag, started: queue.Flag) -> None:
    os.setsid()
    die_with(parent)
    queue.Pool(stop, started, prepare=_harden)


def _harden() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    let_forks_die_with_me()

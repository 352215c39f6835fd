"""Wake-ups and the process pool: the only module that imports django_q.

A message is a hint that may be lost, doubled or late without harm: the rows of `JobExecution` are the truth. What is
done here to django-q2 1.11 mends what was measured of it: an idle worker that is killed takes a queue's lock with it
(its issue 23), and polling a database every 20 ms for a quick start costs 5 % of a core.
"""

import contextlib
import fcntl
import logging
import os
import select
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from multiprocessing import Value
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils import timezone
from django_q.brokers import Broker
from django_q.brokers import get_broker as _get_broker
from django_q.brokers.orm import ORM
from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.tasks import async_task
from django_q.worker import worker

log = logging.getLogger(__name__)

DRAIN = "jobs.worker.drain.drain"
NO_ALARM = -1


def wake() -> None:
    """Tell the workers that something is due, unless a message that nobody has taken yet says so already.

    Call it after the commit. A failure is logged and forgotten: the ticker repeats lost wake-ups.
    """
    try:
        broker = _broker()
        if not broker.queue_size():
            async_task(DRAIN, timeout=NO_ALARM, broker=broker)
        Doorbell.ring()
    except Exception as error:  # noqa: BLE001 - each broker has errors of its own
        log.warning("could not wake the workers; the ticker will: %s", error)


def queue_is_reachable() -> bool:
    """Whether the broker answers."""
    try:
        return bool(_broker().ping())
    except Exception:  # noqa: BLE001 - each broker has errors of its own
        return False


@lru_cache(maxsize=1)
def _broker_of(_pid: int) -> Broker:
    return _get_broker()


def _broker() -> Broker:
    """One broker a process: a new Redis client for each message costs 2 ms."""
    return _broker_of(os.getpid())


class Doorbell:
    """A named pipe beside the database: a ring ends the pusher's nap at once, so that it may sleep long."""

    @staticmethod
    def path() -> Path:
        return Path(settings.HUB_DIR) / "doorbell"

    @classmethod
    def ring(cls) -> None:
        with contextlib.suppress(OSError):
            pipe = os.open(cls.path(), os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, b"!")
            finally:
                os.close(pipe)

    def __init__(self) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self.path(), 0o600)
        self._pipe = os.open(self.path(), os.O_RDWR | os.O_NONBLOCK)

    def wait(self, seconds: float) -> None:
        ready, _, _ = select.select([self._pipe], [], [], seconds)
        if ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._pipe, 4096)


class DatabaseBroker(ORM):
    """django-q2's ORM broker that naps at the doorbell instead of polling fast."""

    _bell: Doorbell | None = None

    def dequeue(self) -> Any:
        waiting = self.get_connection().filter(key=self.list_key, lock__lt=timezone.now())
        for task in waiting.order_by("id")[: Conf.BULK]:
            if self.get_connection().filter(id=task.id, lock=task.lock).update(lock=self.timeout(task)):
                return [(task.pk, task.payload)]
        if self._bell is None:
            self._bell = Doorbell()
        self._bell.wait(Conf.POLL)
        return None

    def queue_size(self) -> int:
        """Whether a message waits, without the ORM: it is asked after every trigger."""
        connection = connections[Conf.ORM]
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_q_ormq WHERE key = %s AND lock <= %s LIMIT 1", [self.list_key, now])
            return len(cursor.fetchall())


class KernelLock:
    """A reentrant lock between processes that the kernel frees when its holder dies, however it dies."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the lock
        self._threads = threading.RLock()
        self._depth = 0

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: ARG002
        if not self._threads.acquire(block):
            return False
        try:
            if not self._depth:
                fcntl.lockf(self._file, fcntl.LOCK_EX | (0 if block else fcntl.LOCK_NB))
        except OSError:
            self._threads.release()
            return False
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Flag:
    """A yes or no in shared memory, without a lock that a killed process could take along."""

    def __init__(self) -> None:
        self._value = RawValue("b", 0)

    def set(self) -> None:
        self._value.value = 1

    def is_set(self) -> bool:
        return bool(self._value.value)

    def wait(self, timeout: float) -> bool:
        if not self.is_set():
            time.sleep(timeout)
        return self.is_set()


class _Uncounted:
    """In place of a queue's counter, whose lock dies with its holder; nobody reads it."""

    value = 0

    def increment(self, n: int = 1) -> None:
        """Count nothing."""


class Pool(Sentinel):
    """django-q2's sentinel, none of whose locks can be taken to the grave by a killed process.

    Runs in the process that makes it until `stop` is set and its workers have left. `prepare` is called before the
    first of them is forked.
    """

    def __init__(self, stop: Flag, started: Flag, *, prepare: Callable[[], None]) -> None:
        super().__init__(stop, started, uuid.uuid4(), start=False)
        self.event_out = Flag()
        for queue in (self.task_queue, self.result_queue):
            queue._rlock, queue._wlock, queue.size = KernelLock(), KernelLock(), _Uncounted()
        prepare()
        self.start()

    def spawn_worker(self) -> None:
        timer = Value("f", -1, lock=KernelLock())  # type: ignore[call-overload]
        self.spawn_process(worker, self.task_queue, self.result_queue, timer, self.timeout)

"""Wake-ups: coalesced hints that may fail without harm, on both brokers, and locks that no dead process keeps."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from jobs import queue
from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.models import JobExecution
from tests.conftest import MakeJob

ROOT = Path(__file__).resolve().parents[2]
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/8")
KEY = "django_q:jobhub:q"


@pytest.fixture
def hub_dir(settings: Any, tmp_path: Path) -> Path:
    settings.HUB_DIR = tmp_path
    return tmp_path


# -- the database as the broker --------------------------------------------------------------------------------
def test_a_wake_up_is_a_message(db: None) -> None:
    queue.wake()
    assert OrmQ.objects.count() == 1


def test_many_wake_ups_that_nobody_has_taken_are_one_message(db: None) -> None:
    for _ in range(5):
        queue.wake()
    assert OrmQ.objects.count() == 1


def test_a_wake_up_after_the_last_one_was_taken_is_another(db: None) -> None:
    queue.wake()
    OrmQ.objects.update(lock=timezone.now() + timedelta(days=1))
    queue.wake()
    assert OrmQ.objects.count() == 2


def test_a_message_says_nothing_but_drain(db: None) -> None:
    queue.wake()
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"], task["timeout"]) == (queue.DRAIN, (), -1)


def test_the_oldest_message_is_taken_first_and_once(db: None, hub_dir: Path) -> None:
    for name in ("first", "second"):
        OrmQ.objects.create(key="jobhub", payload=name, lock=timezone.now() - timedelta(seconds=1))
    broker = queue.DatabaseBroker("jobhub")
    taken = [payload for _ in range(2) for _, payload in broker.dequeue()]
    assert (taken, broker.queue_size()) == (["first", "second"], 0)


def test_the_database_is_reachable(db: None) -> None:
    assert queue.queue_is_reachable()


# -- a broker that fails ---------------------------------------------------------------------------------------
def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if "django_q_ormq" in sql:
        raise OperationalError("the queue is away")
    return execute(sql, params, many, context)


def test_a_wake_up_that_fails_raises_nothing(db: None) -> None:
    with connection.execute_wrapper(refuse):
        queue.wake()
    assert not OrmQ.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_trigger_does_not_mind_a_broker_that_fails(make_job: MakeJob) -> None:
    job = make_job()
    with connection.execute_wrapper(refuse):
        trigger(job, actor=operator("test"))
    assert JobExecution.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_trigger_that_is_rolled_back_wakes_nobody(make_job: MakeJob) -> None:
    job = make_job()
    OrmQ.objects.all().delete()
    with pytest.raises(RuntimeError), transaction.atomic():
        trigger(job, actor=operator("test"))
        raise RuntimeError
    assert not OrmQ.objects.exists()


# -- Redis as the broker ---------------------------------------------------------------------------------------
@pytest.fixture
def server() -> Iterator[redis.Redis]:
    client = redis.from_url(REDIS)
    try:
        client.ping()
    except redis.RedisError as error:
        pytest.skip(f"no Redis at {REDIS}: {error}")
    client.delete(KEY)
    yield client
    client.delete(KEY)
    client.close()


def in_a_hub(code: str, broker: str, folder: Path) -> str:
    """What the code prints in a process whose broker is this one."""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("JOBHUB_")}
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\nfrom jobs import queue\n{code}"],
        cwd=ROOT,
        env={
            **plain,
            "DJANGO_SETTINGS_MODULE": "jobhub.settings",
            "JOBHUB_VAR": str(folder),
            "JOBHUB_REDIS_URL": broker,
            "JOBHUB_LOG_LEVEL": "WARNING",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    print(done.stderr)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.redis
def test_many_wake_ups_in_redis_are_one_message(server: redis.Redis, tmp_path: Path) -> None:
    in_a_hub("for _ in range(5): queue.wake()", REDIS, tmp_path)
    assert server.llen(KEY) == 1


@pytest.mark.redis
def test_a_wake_up_after_redis_gave_the_last_one_away_is_another(server: redis.Redis, tmp_path: Path) -> None:
    in_a_hub("queue.wake(); queue._broker().dequeue(); queue.wake()", REDIS, tmp_path)
    assert server.llen(KEY) == 1


def test_a_redis_that_is_away_harms_nobody(tmp_path: Path) -> None:
    told = in_a_hub("queue.wake(); print(queue.queue_is_reachable())", "redis://127.0.0.1:1/0", tmp_path)
    assert told == "False"


def test_a_redis_that_is_away_is_told_of_in_one_line(tmp_path: Path) -> None:
    code = "import logging, sys; logging.basicConfig(stream=sys.stdout, level='WARNING', force=True); queue.wake()"
    told = in_a_hub(code, "redis://127.0.0.1:1/0", tmp_path)
    assert (told.count("\n"), "Connection refused" in told) == (0, True)


# -- the doorbell ----------------------------------------------------------------------------------------------
def test_a_ring_ends_the_nap(hub_dir: Path) -> None:
    bell, naps = queue.Doorbell(), []
    thread = threading.Thread(target=lambda: naps.append(bell.wait(60)))
    thread.start()
    queue.Doorbell.ring()
    thread.join(30)
    assert naps == [None]


def test_a_ring_that_nobody_hears_is_harmless(hub_dir: Path) -> None:
    queue.Doorbell.ring()
    assert list(hub_dir.iterdir()) == []


def test_a_ring_at_a_bell_that_is_full_of_rings_is_harmless(hub_dir: Path) -> None:
    bell = queue.Doorbell()
    os.write(bell._pipe, b"!" * 65536)
    queue.Doorbell.ring()
    assert bell.path().is_fifo()


def test_two_may_listen_at_one_door(hub_dir: Path) -> None:
    first, second = queue.Doorbell(), queue.Doorbell()
    queue.Doorbell.ring()
    first.wait(0)
    second.wait(0)
    assert first.path() == second.path()


# -- locks between processes -----------------------------------------------------------------------------------
def in_a_fork(deed: Any) -> int:
    """What a child answered that ended without giving anything back."""
    pid = os.fork()
    if not pid:
        os._exit(int(deed()))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def lock() -> Iterator[queue.KernelLock]:
    lock = queue.KernelLock()
    yield lock
    lock._file.close()


def test_a_lock_keeps_another_process_out(lock: queue.KernelLock) -> None:
    with lock:
        assert in_a_fork(lambda: lock._depth == 1 and _take_anew(lock)) == 0


def _take_anew(lock: queue.KernelLock) -> bool:
    """As a process that does not hold it: a fork has a copy of the count, but not the kernel's lock."""
    lock._depth = 0
    lock._threads = threading.RLock()
    return lock.acquire(block=False)


def test_a_lock_is_free_when_its_holder_has_died(lock: queue.KernelLock) -> None:
    in_a_fork(lock.acquire)
    assert lock.acquire(block=False)


def test_a_lock_may_be_taken_again_by_its_holder(lock: queue.KernelLock) -> None:
    with lock, lock:
        pass
    assert in_a_fork(lambda: lock.acquire(block=False)) == 1


def test_a_lock_keeps_another_thread_out(lock: queue.KernelLock) -> None:
    got = []
    with lock:
        thread = threading.Thread(target=lambda: got.append(lock.acquire(block=False)))
        thread.start()
        thread.join()
    assert got == [False]


def test_a_flag_is_seen_by_another_process() -> None:
    flag = queue.Flag()
    in_a_fork(lambda: flag.set() or 0)
    assert flag.is_set()

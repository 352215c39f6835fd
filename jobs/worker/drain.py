"""The task that django-q2 runs in a worker process."""

import os
import time
from functools import lru_cache

from django.conf import settings

from jobs import queue
from jobs.worker.claim import Worker, claim, is_due
from jobs.worker.execute import execute
from jobs.worker.flags import FLAGS

TURN_S = 60
SHARE_EVERY_S = 0.05
"""Between two short runs of one worker a further message would only cost."""


@lru_cache(maxsize=1)
def _worker_of(_pid: int) -> Worker:
    return Worker(node=settings.NODE)


def this_worker() -> Worker:
    return _worker_of(os.getpid())


def drain() -> None:
    """Run what is due, one after the other, until nothing is left or the turn is over.

    django-q2 looks after the connection before each task. To ask the server between two short runs whether it is
    still there would cost as much as a claim.
    """
    turn_ends = time.monotonic() + TURN_S
    worker = this_worker()
    woke_at = 0.0
    while not FLAGS.is_draining:
        claimed = claim(worker)
        if claimed is None:
            return
        FLAGS.count_claim()
        if claimed.more and time.monotonic() - woke_at > SHARE_EVERY_S:
            queue.wake()
            woke_at = time.monotonic()
        execute(claimed.execution, leased_at=claimed.asked_at)
        if time.monotonic() > turn_ends:
            if is_due(worker.node):
                queue.wake()
            return

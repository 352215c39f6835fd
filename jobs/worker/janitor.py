"""The janitor: one process of a cluster that deletes what has expired, once an hour, while workers go on working.

It rests as long as it works, and has no lower priority than others: whoever holds the lock of a database must not be
kept waiting by those who wait for it.
"""

import logging
import time
import uuid

from django.conf import settings
from django.db import Error

from jobs.engine import archives, retention
from jobs.worker.flags import FLAGS
from jobs.worker.ticker import take

log = logging.getLogger(__name__)
ASK_EVERY_S = 60.0
EVERY_S = 3600


class Janitor:
    """History is one cluster's business each hour; archives on disk are their own node's."""

    def __init__(self) -> None:
        self._asked_at = float("-inf")
        self._has_history = False

    def is_needed(self) -> bool:
        """Asks the database once a minute."""
        now = time.monotonic()
        if now - self._asked_at < ASK_EVERY_S:
            return False
        self._asked_at = now
        self._has_history = take("expiry", uuid.uuid4().hex, EVERY_S)
        has_archives = archives.are_expired(settings.NODE) and take(
            f"archives {settings.NODE}", uuid.uuid4().hex, EVERY_S
        )
        return self._has_history or has_archives

    def run(self) -> None:
        try:
            if self._has_history:
                self._expire_history()
            if freed := archives.remove_expired(settings.NODE):
                log.info("removed expired archives of %s bytes", freed)
        except Error:
            log.warning("the database does not answer; the rest expires in an hour", exc_info=True)

    @staticmethod
    def _expire_history() -> None:
        expired = retention.expire(should_stop=lambda: FLAGS.is_draining)
        if expired.executions or expired.outputs:
            log.info("expired %s executions and %s outputs", expired.executions, expired.outputs)

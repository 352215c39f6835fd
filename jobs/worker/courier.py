"""The courier: one process of a cluster that sends notices, while there are some.

It is not a worker and takes nothing from one: receivers that are slow, down or dead keep it waiting and nobody else. It
is forked when something is due and ends when it has been idle for a while; killed at any moment, what it was sending is
sent again a minute later, with the same id.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from queue import Empty, SimpleQueue

from django.db import Error, close_old_connections
from django.utils import timezone

from jobs.engine import deliveries
from jobs.engine.deliveries import Outcome
from jobs.engine.pace import Pace
from jobs.errors import JobHubError
from jobs.models import Delivery, Subscription
from jobs.worker.flags import FLAGS
from jobs.worker.post import Letter, letter_of

log = logging.getLogger(__name__)
MOST = 64
"""Notices under way at once."""
SIDE_BY_SIDE = 4
"""To one receiver, once it has answered."""
LOOK_S = 0.5
IDLE_S = 60.0
DATABASE_PAUSE_S = 1.0
Result = tuple[Delivery, Outcome]


class Courier:
    """Reads and writes the database in one thread; the others only wait for receivers."""

    def __init__(self, *, idle_s: float = IDLE_S, should_leave: Callable[[], bool] = lambda: False) -> None:
        self._idle_s = idle_s
        self._should_leave = should_leave
        self._pace = Pace(should_leave)
        self._told: SimpleQueue[Result] = SimpleQueue()
        self._unwritten: list[Result] = []
        self._under_way: Counter[int] = Counter()
        self._has_answered: set[int] = set()

    def run(self) -> None:
        """Until there has been nothing to do for a while, or it should leave and nothing is under way."""
        busy_at = time.monotonic()
        while self._is_busy() or not self._should_leave():
            try:
                self._write()
                deliveries.make(self._pace)
                n_sent = 0 if self._should_leave() else self._send_what_is_due()
            except Error:
                log.warning("the database does not answer; notices wait", exc_info=True)
                close_old_connections()
                time.sleep(DATABASE_PAUSE_S)
                continue
            now = time.monotonic()
            if n_sent or self._is_busy():
                busy_at = now
            elif now - busy_at >= self._idle_s:
                return
            self._listen()

    def _is_busy(self) -> bool:
        return bool(self._under_way or self._unwritten)

    def _listen(self) -> None:
        """Wait for results, not for longer than until the next look."""
        try:
            self._take(self._told.get(timeout=LOOK_S))
            while True:
                self._take(self._told.get_nowait())
        except Empty:
            return

    def _take(self, result: Result) -> None:
        delivery, outcome = result
        self._unwritten.append(result)
        self._under_way[delivery.subscription_id] -= 1
        self._under_way += Counter()  # forgets the zeros
        if outcome.is_down:
            self._has_answered.discard(delivery.subscription_id)
        else:
            self._has_answered.add(delivery.subscription_id)

    def _write(self) -> None:
        if self._unwritten:
            deliveries.record(self._unwritten)
            self._unwritten = []

    def _send_what_is_due(self) -> int:
        n_sent = 0
        for subscription in deliveries.ready(timezone.now())[: MOST - self._under_way.total()]:
            room = min(self._limit(subscription) - self._under_way[subscription.pk], MOST - self._under_way.total())
            if room > 0:
                n_sent += self._send(deliveries.claim(subscription, room))
        self._under_way += Counter()
        return n_sent

    def _limit(self, subscription: Subscription) -> int:
        return SIDE_BY_SIDE if subscription.pk in self._has_answered else 1

    def _send(self, claimed: Iterable[Delivery]) -> int:
        n_sent = 0
        for delivery in claimed:
            self._under_way[delivery.subscription_id] += 1
            n_sent += 1
            try:
                letter = letter_of(delivery)
            except Exception as error:
                log.warning("notice %s cannot be written", delivery.pk, exc_info=not isinstance(error, JobHubError))
                self._told.put((delivery, Outcome(error=f"it cannot be written: {error}")))
                continue
            threading.Thread(target=self._carry, args=(delivery, letter), name="notice", daemon=True).start()
        return n_sent

    def _carry(self, delivery: Delivery, letter: Letter) -> None:
        began_at = time.monotonic()
        try:
            outcome = letter.send()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the result
            outcome = Outcome(error=letter.masked(f"{type(error).__name__}: {error}"), is_down=True)
        duration_ms = int((time.monotonic() - began_at) * 1000)
        self._told.put((delivery, replace(outcome, duration_ms=duration_ms)))


def carry() -> None:
    """The courier of a cluster, until it is idle or the cluster is draining."""
    Courier(should_leave=lambda: FLAGS.is_draining).run()

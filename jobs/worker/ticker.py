"""What has to happen by the clock, done by one process of the hub at a time."""

import logging
import shutil
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from jobs import queue
from jobs.engine import chains, limits, planner, remote, schedules, verbs
from jobs.engine.report import fail_silent_nodes
from jobs.engine.rights import audit, operator
from jobs.errors import IllegalMove
from jobs.models import Job, JobExecution, Leader, Place, Schedule
from jobs.runners.base import OnLost
from jobs.states import State
from jobs.worker.claim import is_due
from jobs.worker.clock import SET_S, WallClock
from jobs.worker.report import workdir_of

log = logging.getLogger(__name__)
DUTY = "ticker"
TERM_S = 4
"""So long after a kill -9 another takes over, and a second later at the latest."""
RENEW_EVERY_S = 2
BATCH = 200
MOST_LOST = 3
LOST = "worker lost"
AGAIN_S = 0.1


class Ticker:
    """One in each cluster; what is not its own node's is done by the one that holds the leader's row."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._leads = False
        self._asked_at = float("-inf")
        self._clock = WallClock()
        self._chores = {**CHORES, self.fail_silent_nodes: 10}
        self._done_at: dict[Callable[[], None], float] = {}

    def tick(self) -> None:
        """Call it about once a second. One bad row never stops the others, one bad chore never the others."""
        _safely(repeat_wake)
        if self._is_leader():
            now = time.monotonic()
            for chore, every_s in self._chores.items():
                _safely(self._clock.mind)
                if now - self._done_at.get(chore, float("-inf")) >= every_s:
                    self._done_at[chore] = now
                    _safely(chore)

    def _is_leader(self) -> bool:
        """Who leads renews its term every few seconds, who does not asks each time. Two at once are harmless."""
        now = time.monotonic()
        if not self._leads or now - self._asked_at >= RENEW_EVERY_S:
            self._leads, self._asked_at = take(DUTY, self.id, TERM_S), now
        return self._leads

    def fail_silent_nodes(self) -> None:
        """Not of the time before this process, nor across a change of the clock: nobody was heard then."""
        fail_silent_nodes(listened_s=self._clock.steady_s)

    def rest_s(self, longest: float) -> float:
        """For how long nothing has to happen; a run that is due already was not to be had just now."""
        try:
            due_at = planner.next_due() if self._leads else None
        except Error:
            return longest
        rest = longest if due_at is None else (due_at - timezone.now()).total_seconds()
        return min(longest, rest if rest > 0 else AGAIN_S)

    def leave(self) -> None:
        """Let another take over at once."""
        _end_term(Leader.objects.filter(duty=DUTY, holder=self.id))

    @staticmethod
    def succeed() -> None:
        """Take over at once where there can be no other: whoever leads has been killed."""
        _end_term(Leader.objects.filter(duty=DUTY))


def _end_term(leaders: QuerySet[Leader]) -> None:
    leaders.update(until=Now() - timedelta(seconds=1))


def take(duty: str, holder: str, seconds: int) -> bool:
    """Take or keep a duty by compare-and-set, by the database's clock.

    A term that ends later than any can that began by now was given before the clock was set back.
    """
    until = Now() + timedelta(seconds=seconds)
    is_over = Q(until__lt=Now()) | Q(until__gt=until + timedelta(seconds=SET_S))
    mine = Leader.objects.filter(duty=duty).filter(Q(holder=holder) | is_over)
    if mine.update(holder=holder, until=until):
        return True
    if Leader.objects.filter(duty=duty).exists():
        return False
    fresh = Leader(duty=duty, holder=holder, until=timezone.now() + timedelta(seconds=seconds))
    Leader.objects.bulk_create([fresh], ignore_conflicts=True)
    return Leader.objects.filter(duty=duty, holder=holder).exists()


def rescue() -> None:
    """Take executions away from workers that have not renewed their leases."""
    lost = JobExecution.objects.live().filter(place=Place.HUB, lease_until__lt=Now()).order_by("lease_until")
    for execution in lost[:BATCH]:
        try:
            with transaction.atomic():
                _rescue(execution)
        except IllegalMove:
            log.info("execution %s came back before its rescue", execution.handle)
        except Exception:
            log.exception("cannot rescue execution %s", execution.handle)


def _rescue(execution: JobExecution) -> None:
    """The lease is asked again in the move itself: a late worker may have renewed it since."""
    still_lost: dict[str, Any] = {
        "come_from": frozenset({State(execution.state)}),
        "fence": execution.attempt,
        "lease_is_over": True,
    }
    n_lost = execution.n_lost + 1
    text = f"{LOST}: {execution.node} did not renew its lease, which ended {execution.lease_until:%Y-%m-%d %H:%M:%S %Z}"
    if execution.state == State.ABORTING:
        execution.move(State.ABORTED, message=f"aborted by {execution.abort_requested_by}; {LOST}", **still_lost)
    elif execution.plan["on_lost"] == OnLost.RERUN and n_lost < MOST_LOST:
        execution.move(
            State.QUEUED,
            n_lost=n_lost,
            run_at=timezone.now() + timedelta(seconds=2**n_lost),
            n_blocks=chains.recount(execution),
            lease_until=None,
            message=f"{text}; it runs again",
            **still_lost,
        )
    else:
        execution.move(State.FAILED, n_lost=n_lost, message=text, errors=[text], **still_lost)
    _close_steps(execution, text)
    if execution.node == settings.NODE:
        shutil.rmtree(workdir_of(execution), ignore_errors=True)
    if execution.is_final:
        chains.settle(execution)
    else:
        chains.leave_slot(execution)
    audit(operator("ticker"), "rescue", execution.handle, execution.project_id, state=execution.state, reason=text)
    log.warning("execution %s attempt %s: %s", execution.handle, execution.attempt, text)


def _close_steps(execution: JobExecution, text: str) -> None:
    execution.steps.filter(finished_at=None).update(state=State.FAILED, message=text, finished_at=timezone.now())


def release_holds() -> None:
    """End the holds whose time is over."""
    for job in Job.objects.filter(is_held=True, hold_until__lte=Now())[:BATCH]:
        try:
            verbs.release(job, actor=operator("ticker"), only_if_over=True)
        except Exception:
            log.exception("cannot release the job %s", job.name)


def release_pauses() -> None:
    """End the pauses of schedules whose time is over."""
    for schedule in Schedule.objects.filter(paused_until__lte=timezone.now()).select_related("job")[:BATCH]:
        try:
            schedules.release(schedule, actor=operator("ticker"), only_if_over=True)
        except Exception:
            log.exception("cannot release the schedule %s", schedule)


def recount_blocked() -> None:
    """Mend a count that no longer tells the truth, should there ever be one."""
    for execution in JobExecution.objects.miscounted()[:BATCH]:
        with transaction.atomic():
            n_blocks = chains.recount(execution)
            rows = JobExecution.objects.filter(pk=execution.pk, state=State.QUEUED, n_blocks=execution.n_blocks)
            rows.exclude(n_blocks=n_blocks).update(n_blocks=n_blocks, version=F("version") + 1)


def repeat_wake() -> None:
    """A lost wake-up, a time that has come, a slot that was freed: one more message is harmless.

    Each cluster does it for itself: what is pinned to its node nobody else sees.
    """
    if is_due(settings.NODE):
        queue.wake()


CHORES: dict[Callable[[], None], float] = {
    planner.start_due: 0,
    rescue: 0,
    release_holds: 2,
    remote.ask_due: 2,
    release_pauses: 2,
    limits.tell_remote_soft_timeouts: 5,
    limits.Warden().free_parked: 10,
    recount_blocked: 30,
}
"""What the leader does, and after how many seconds again at the earliest."""


def _safely(chore: Callable[[], None]) -> None:
    try:
        chore()
    except Exception:
        log.exception("%s failed; it is tried again", chore.__name__)

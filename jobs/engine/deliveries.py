"""Deliveries: which notices are to be sent now, and what came of them.

Each receiver has a queue of its own. One that does not answer, or says that it cannot, rests for longer after each
failure; then a single notice is tried, and only when that is taken the others follow.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from jobs.engine.pace import Pace
from jobs.engine.rights import Actor, Right, audit, operator
from jobs.errors import Conflict
from jobs.models import Delivery, Notice, Subscription
from jobs.models.notice import GIVE_UP_AFTER, give_up_at
from jobs.models.prepared import insert_all
from jobs.texts import storable

COURIER = operator("courier")
CLAIMED_S = 60
"""A sender that has not told the result by then is taken for dead."""
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 4 * 3600.0
MAX_ERROR_CHARS = 500
BATCH = 500
ROWS = 500
TOO_MANY, GONE = 429, 410
OUTCOMES = {
    "pending": {"next_at__isnull": False},
    "delivered": {"next_at__isnull": True, "delivered_at__isnull": False},
    "failed": {"next_at__isnull": True, "delivered_at__isnull": True},
}
"""The filter that finds those with an `outcome`."""


@dataclass(frozen=True)
class Outcome:
    """What came of one try. `error` is empty when the notice was taken."""

    answer: int | None = None
    error: str = ""
    duration_ms: int | None = None
    is_down: bool = False
    """The receiver's own trouble, not this notice's: it gets a rest."""
    rest_s: float = 0.0
    """For how long it asks to be left alone."""
    is_gone: bool = False
    """It asks never to be told again."""


def says_it_cannot(status: int) -> bool:
    return status >= 500 or status == TOO_MANY


def is_due() -> bool:
    """Whether there is something to send."""
    now = timezone.now()
    due = Delivery.objects.filter(next_at__lte=now)
    return Notice.objects.exists() or (due.exists() and ready(now).exists())


def make(pace: Pace) -> None:
    """Turn what was noted into deliveries, one for each subscription that wants it."""
    pace.work(list(Notice.objects.order_by("pk").values_list("pk", flat=True)[:BATCH]), _make)


def _make(ids: list[int]) -> None:
    """Of two that try to, one gets a notice. What was found cannot be removed before the rows that refer to it are
    there."""
    lock = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        rows = Notice.objects.filter(pk__in=ids).order_by("pk").select_related("execution")
        notices = list(rows.select_for_update(skip_locked=True, of=("self",)) if lock else rows)
        receivers: dict[tuple[int, int | None], list[Subscription]] = {}
        made = []
        for notice in notices:
            key = notice.execution.project_id, notice.execution.job_id
            receivers[key] = receivers[key] if key in receivers else _receivers(*key)
            made += [_delivery(notice, one) for one in receivers[key] if notice.event in one.words]
        for start in range(0, len(made), ROWS):
            insert_all(made[start : start + ROWS])
        Notice.objects.filter(pk__in=[notice.pk for notice in notices]).delete()


def _receivers(project_id: int, job_id: int | None) -> list[Subscription]:
    of_project = Q(project=project_id, job=None)
    rows = Subscription.objects.filter(of_project | Q(job=job_id) if job_id else of_project, is_enabled=True)
    if connection.vendor == "postgresql":
        rows = rows.select_for_update(no_key=True)
    return list(rows.order_by("pk"))


def _delivery(notice: Notice, subscription: Subscription) -> Delivery:
    return Delivery(
        project_id=subscription.project_id,
        execution_id=notice.execution_id,
        subscription=subscription,
        event=notice.event,
        created_at=notice.at,
        next_at=notice.at,
    )


def ready(now: datetime) -> QuerySet[Subscription]:
    """The receivers for whom something is due, and who are not resting; those that failed last come last."""
    due = Delivery.objects.filter(subscription=OuterRef("pk"), next_at__lte=now)
    awake = Q(resting_until=None) | Q(resting_until__lte=now)
    return Subscription.objects.filter(awake, Exists(due), is_enabled=True).order_by("n_failures", "?")


def claim(subscription: Subscription, limit: int) -> list[Delivery]:
    """Take the next notices of a receiver; nobody else gets them for a minute."""
    now = timezone.now()
    until = now + timedelta(seconds=CLAIMED_S)
    due = Delivery.objects.filter(subscription=subscription, next_at__lte=now)
    claimed = []
    with transaction.atomic():
        for row in due.select_related("execution__project").order_by("next_at", "pk")[:limit]:
            if _still(row).update(next_at=until, n_tries=F("n_tries") + 1, tried_at=now):
                row.next_at, row.n_tries, row.tried_at, row.subscription = until, row.n_tries + 1, now, subscription
                claimed.append(row)
    return claimed


def _still(row: Delivery) -> QuerySet[Delivery]:
    """The row, unless somebody else has claimed it, replayed it or told its result."""
    return Delivery.objects.filter(pk=row.pk, n_tries=row.n_tries, next_at=row.next_at)


def record(results: Iterable[tuple[Delivery, Outcome]]) -> None:
    """Write what came of the claimed."""
    with transaction.atomic():
        for delivery, outcome in results:
            _record(delivery, outcome)


def _record(delivery: Delivery, outcome: Outcome) -> None:
    now = timezone.now()
    told = {
        "answer": outcome.answer,
        "duration_ms": outcome.duration_ms,
        "error": storable(outcome.error, MAX_ERROR_CHARS),
    }
    if not outcome.error:
        _still(delivery).update(next_at=None, delivered_at=now, **told)
    else:
        next_at = now + pause(delivery.n_tries, outcome.rest_s)
        is_over = outcome.is_gone or next_at > delivery.give_up_at
        _still(delivery).update(next_at=None if is_over else next_at, **told)
    if outcome.is_gone:
        _switch_off(delivery.subscription, outcome.error)
    else:
        _note_health(delivery.subscription, outcome, now)


def _note_health(seen: Subscription, outcome: Outcome, now: datetime) -> None:
    """Of several that were under way together only the first counts: they all met the same trouble."""
    rows = Subscription.objects.filter(pk=seen.pk, n_failures=seen.n_failures)
    if outcome.is_down:
        n_failures = seen.n_failures + 1
        rows.update(n_failures=n_failures, resting_until=now + pause(n_failures, outcome.rest_s))
    elif seen.n_failures:
        rows.update(n_failures=0, resting_until=None)


def _switch_off(subscription: Subscription, reason: str) -> None:
    """Until somebody switches it on again, or saves the job in which it stands."""
    if Subscription.objects.filter(pk=subscription.pk, is_enabled=True).update(is_enabled=False):
        about = {"subscription": subscription.pk, "reason": reason}
        audit(COURIER, "switch off subscription", str(subscription), subscription.project_id, **about)


def pause(n_failures: int, at_least_s: float = 0.0) -> timedelta:
    """Doubled each time up to four hours, a quarter more or less, so that those that failed together come apart."""
    seconds = min(FIRST_PAUSE_S * 2.0 ** min(n_failures - 1, 30), LONGEST_PAUSE_S)
    return timedelta(seconds=max(seconds * random.uniform(0.75, 1.25), min(at_least_s, LONGEST_PAUSE_S)))


def give_up_old(now: datetime) -> int:
    """End what nobody has taken for three days: its receiver was resting or is disabled."""
    text = f"given up: its receiver did not take it within {GIVE_UP_AFTER.days} days"
    old = Delivery.objects.filter(next_at__lt=now, give_up_at__lt=now)
    total = 0
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        total += Delivery.objects.filter(pk__in=ids).update(next_at=None, error=text)
    return total


def replay(delivery: Delivery, *, actor: Actor) -> None:
    """Send it once more, also when it was delivered, with the same id. Raises `Conflict` while it is pending."""
    actor.require(Right.EDIT, delivery.project_id, "replaying a notice")
    now = timezone.now()
    with transaction.atomic():
        ended = Delivery.objects.filter(pk=delivery.pk, next_at=None)
        if not ended.update(next_at=now, give_up_at=give_up_at(), delivered_at=None, n_tries=0):
            raise Conflict(f"the notice {delivery.pk} is under way already")
        Subscription.objects.filter(pk=delivery.subscription_id).update(n_failures=0, resting_until=None)
        audit(actor, "replay", f"notice {delivery.pk}", delivery.project_id, event=delivery.event)
    delivery.refresh_from_db()

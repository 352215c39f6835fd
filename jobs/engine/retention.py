"""What history is kept, and how the rest goes: in short transactions, never more than half of the time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import connection, transaction
from django.db.models import CASCADE, Exists, F, OuterRef, QuerySet
from django.utils import timezone

from jobs.engine import deliveries, keeps, weights
from jobs.engine.keeps import Candidate, Keepers
from jobs.engine.pace import Pace
from jobs.engine.rights import Actor, audit, operator
from jobs.engine.tokens import drop_expired
from jobs.engine.weights import Weight
from jobs.models import Archive, AuditEvent, Delivery, Dependency, JobExecution, Notice, Output
from jobs.models.queries import literals
from jobs.states import ACTIVE

CLOCK = operator("janitor")
PAGE = 2000


@dataclass
class Expired:
    """How much was (or would be) deleted."""

    executions: int = 0
    outputs: int = 0
    events: int = 0
    notices: int = 0
    by_job: dict[tuple[str, str], Weight] = field(default_factory=dict)
    """Executions by their job's name and their state; a dry run tells also what they weigh."""
    of_outputs: Weight = field(default_factory=Weight)
    """What the outputs weigh that go before their executions; told by a dry run only."""


def expire(
    *,
    actor: Actor = CLOCK,
    dry_run: bool = False,
    now: datetime | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Expired:
    """Delete the ended executions whose time is over, outputs before them, old notices and old audit events, in short
    transactions, each with a row in the audit.

    Never an active one, never one that somebody keeps, that an active one waits for, retries or shares a chain run
    with, or of which a notice is still to be sent; never the newest ones of a job, as its rule says. What tells them is
    brought up to date first, also in a dry run.
    """
    actor.require_everything("expiring history")
    now = now or timezone.now()
    expired, pace, keepers = Expired(), Pace(should_stop), Keepers()
    keeps.bring_up_to_date(pace)
    deliveries.give_up_old(now)
    for page in _pages(now, keepers):
        if not dry_run:
            pace.work(page, partial(_delete, now=now, actor=actor, keepers=keepers))
        _count(page, expired, weigh=dry_run)
        if should_stop():
            return expired
    expired.outputs = _expire_outputs(now, actor, pace, expired, dry_run=dry_run)
    expired.notices = _expire_notices(now, actor, pace, dry_run=dry_run)
    expired.events = _expire_events(now, actor, pace, dry_run=dry_run)
    if not dry_run:
        drop_expired(now)
    return expired


# -- executions --------------------------------------------------------------------------------------------------------
def _may_go(now: datetime) -> QuerySet[JobExecution]:
    """Ended, over, and of no use to anything that is not."""
    active = JobExecution.objects.active()
    waited_for = Dependency.objects.filter(after=OuterRef("pk"), execution__state__in=literals(ACTIVE))
    untold = Delivery.objects.filter(execution=OuterRef("pk"), next_at__isnull=False)
    return JobExecution.objects.final().filter(
        ~Exists(waited_for),
        ~Exists(active.filter(retry_of=OuterRef("pk"))),
        ~Exists(active.filter(chain=OuterRef("chain"))),
        ~Exists(Notice.objects.filter(execution=OuterRef("pk"))),
        ~Exists(untold),
        expires_at__lt=now,
        is_kept=False,
    )


def _pages(now: datetime, keepers: Keepers) -> Iterator[list[Candidate]]:
    """What may go by its time and is not kept by its number, oldest first."""
    seen_at, seen = None, 0
    while True:
        rows = _may_go(now)
        if seen_at is not None:
            rows = rows.filter(expires_at__gte=seen_at).exclude(expires_at=seen_at, pk__lte=seen)
        page = [Candidate(*row) for row in rows.order_by("expires_at", "pk").values_list(*Candidate.COLUMNS)[:PAGE]]
        if not page:
            return
        seen_at, seen = page[-1].expires_at, page[-1].pk
        if going := [one for one in page if not keepers.keep(one)]:
            yield going


def _count(page: list[Candidate], expired: Expired, *, weigh: bool) -> None:
    expired.executions += len(page)
    for one in page:
        expired.by_job.setdefault((one.job_name, one.state), Weight()).executions += 1
    if weigh:
        for key, weight in weights.of_executions([one.pk for one in page]).items():
            expired.by_job[key] += weight


def _delete(rows: list[Candidate], *, now: datetime, actor: Actor, keepers: Keepers) -> None:
    """Table by table, without Django's collector, which reads every row. What has come to be needed since it was found
    stays: nobody can begin to refer to a locked row."""
    with_archives = {one.pk for one in rows if keepers.removes_archives(one)}
    with transaction.atomic():
        ids = _locked([one.pk for one in rows], now)
        Archive.objects.filter(execution__in=ids & with_archives).update(is_expired=True)
        for relation in JobExecution._meta.related_objects:
            name = relation.field.name
            others = relation.related_model._base_manager.filter(**{f"{name}__in": ids})
            if relation.on_delete is CASCADE:
                others._raw_delete("default")
            else:
                others.update(**{name: None})
        JobExecution.objects.filter(pk__in=ids)._raw_delete("default")
        if ids:
            audit(actor, "expire", f"{len(ids)} executions")


def _locked(ids: list[int], now: datetime) -> set[int]:
    """Those that may still go. SQLite has one writer at a time anyway."""
    if connection.features.has_select_for_update_skip_locked:
        rows = JobExecution.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True)
        ids = list(rows.values_list("pk", flat=True))
    return set(_may_go(now).filter(pk__in=ids).values_list("pk", flat=True))


# -- outputs, notices, audit -------------------------------------------------------------------------------------------
def _expire_outputs(now: datetime, actor: Actor, pace: Pace, expired: Expired, *, dry_run: bool) -> int:
    rows = JobExecution.objects.with_old_output(now)
    if dry_run:
        ids = list(rows.values_list("pk", flat=True))
        for start in range(0, len(ids), PAGE):
            expired.of_outputs += weights.of_outputs(ids[start : start + PAGE])
        return len(ids)

    def forget(ids: list[int]) -> None:
        with transaction.atomic():
            Output.objects.filter(execution__in=ids)._raw_delete("default")
            JobExecution.objects.filter(pk__in=ids).update(output_expires_at=None, version=F("version") + 1)
            audit(actor, "expire", f"the output of {len(ids)} executions")

    return _forget_all(rows, forget, pace)


def _expire_notices(now: datetime, actor: Actor, pace: Pace, *, dry_run: bool) -> int:
    """The log of notices, kept as long as output; what is still to be sent stays."""
    days = settings.HUB["OUTPUT_DAYS"]
    if not days:
        return 0
    ended = Delivery.objects.filter(next_at__isnull=True)
    rows = ended.filter(created_at__lt=now - timedelta(days=days)).order_by("created_at")
    if dry_run:
        return rows.count()

    def forget(ids: list[int]) -> None:
        with transaction.atomic():
            ended.filter(pk__in=ids)._raw_delete("default")
            audit(actor, "expire", f"{len(ids)} notices")

    return _forget_all(rows, forget, pace)


def _expire_events(now: datetime, actor: Actor, pace: Pace, *, dry_run: bool) -> int:
    """Audit events that are older than `JOBHUB_AUDIT_DAYS`; not the ones that tell of it."""
    days = settings.HUB["AUDIT_DAYS"]
    newest = AuditEvent.objects.values_list("pk", flat=True).first()
    if not days or newest is None:
        return 0
    rows = AuditEvent.objects.filter(at__lt=now - timedelta(days=days), pk__lte=newest).order_by("at")
    if dry_run:
        return rows.count()

    def forget(ids: list[int]) -> None:
        with transaction.atomic():
            AuditEvent.objects.filter(pk__in=ids)._raw_delete("default")
            audit(actor, "expire", f"{len(ids)} audit events")

    return _forget_all(rows, forget, pace)


def _forget_all(rows: QuerySet, forget: Callable[[list[int]], None], pace: Pace) -> int:
    """Page by page, until there is none any more."""
    total = 0
    while not pace.should_stop() and (ids := list(rows.values_list("pk", flat=True)[:PAGE])):
        total += pace.work(ids, forget)
    return total

"""What history is kept, and how the rest goes: in short transactions, never more than half of the time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import connection, transaction
from django.db.models import CASCADE, F, QuerySet
from django.utils import timezone

from jobs.engine import deliveries, keeps, weights
from jobs.engine.keeps import Candidate, Keepers
from jobs.engine.logs import LOGS, Log
from jobs.engine.pace import Pace
from jobs.engine.rights import Actor, audit, operator
from jobs.engine.tokens import drop_expired
from jobs.engine.weights import Weight
from jobs.models import Archive, Delivery, Dependency, JobExecution, Notice, Output
from jobs.models.queries import literals
from jobs.states import ACTIVE, FINAL

CLOCK = operator("janitor")
PAGE = 2000


@dataclass
class Expired:
    """How much was (or would be) deleted."""

    executions: int = 0
    outputs: int = 0
    of_logs: dict[str, int] = field(default_factory=dict)
    """Rows, by the names of `LOGS`."""
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
    """Delete the ended executions whose time is over, outputs before them and what is old in the logs, in short
    transactions, each with a row in the audit.

    Never an active one, nor one that is needed (`_unneeded`); never the newest ones of a job, as its rule says. What
    tells them is brought up to date first, also in a dry run.
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
    expired.of_logs = {name: _expire_log(log, now, actor, pace, dry_run=dry_run) for name, log in LOGS.items()}
    if not dry_run:
        drop_expired(now)
    return expired


# -- executions --------------------------------------------------------------------------------------------------------
def _pages(now: datetime, keepers: Keepers) -> Iterator[list[Candidate]]:
    """What may go, oldest first. Asked page by page and by ids, so that no database can choose a slow plan for all."""
    over = JobExecution.objects.final().filter(expires_at__lt=now).order_by("expires_at", "pk")
    rows = over
    while page := Candidate.of(rows[:PAGE]):
        if going := [one for one in _unneeded(page) if not keepers.keep(one)]:
            yield going
        last = page[-1]
        rows = over.filter(expires_at__gte=last.expires_at).exclude(expires_at=last.expires_at, pk__lte=last.pk)


def _unneeded(page: list[Candidate]) -> list[Candidate]:
    """Those that nobody keeps, that no active one waits for, retries or shares a chain run with, and of which
    everything has been told."""
    ids, active = [one.pk for one in page], JobExecution.objects.active()
    waited_for = Dependency.objects.filter(after__in=ids, execution__state__in=literals(ACTIVE))
    needed = {
        *waited_for.values_list("after_id", flat=True),
        *active.filter(retry_of__in=ids).values_list("retry_of_id", flat=True),
        *Notice.objects.filter(execution__in=ids).values_list("execution_id", flat=True),
        *Delivery.objects.filter(execution__in=ids, next_at__isnull=False).values_list("execution_id", flat=True),
    }
    chains = {one.chain for one in page} - {None}
    busy = set(active.filter(chain__in=chains).values_list("chain", flat=True)) if chains else set()
    return [one for one in page if not one.is_kept and one.pk not in needed and one.chain not in busy]


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
        ids = {one.pk for one in _unneeded(_locked([one.pk for one in rows], now))}
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


def _locked(ids: list[int], now: datetime) -> list[Candidate]:
    """Those that are still over. SQLite has one writer at a time anyway."""
    rows = JobExecution.objects.filter(pk__in=ids).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    return [one for one in Candidate.of(rows) if one.expires_at and one.expires_at < now and one.state in FINAL]


# -- outputs, logs -------------------------------------------------------------------------------------------
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


def _expire_log(log: Log, now: datetime, actor: Actor, pace: Pace, *, dry_run: bool) -> int:
    rows = log.old(now)
    if rows is None:
        return 0
    if dry_run:
        return rows.count()

    def forget(ids: list[int]) -> None:
        with transaction.atomic():
            log.ended().filter(pk__in=ids)._raw_delete("default")
            audit(actor, "expire", f"{len(ids)} {log.words}")

    return _forget_all(rows, forget, pace)


def _forget_all(rows: QuerySet, forget: Callable[[list[int]], None], pace: Pace) -> int:
    """Page by page, until there is none any more."""
    total = 0
    while not pace.should_stop() and (ids := list(rows.values_list("pk", flat=True)[:PAGE])):
        total += pace.work(ids, forget)
    return total

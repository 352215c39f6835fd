"""What history is kept, and how the rest goes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import CASCADE, Exists, F, OuterRef
from django.utils import timezone

from jobs.engine.rights import Actor, audit, operator
from jobs.engine.tokens import drop_expired
from jobs.models import AuditEvent, Dependency, JobExecution, Output
from jobs.states import ACTIVE

BATCH = 500
AUDIT_BATCH = 5000
CLOCK = operator("ticker")


@dataclass
class Expired:
    """How much was (or would be) deleted."""

    executions: int = 0
    outputs: int = 0
    events: int = 0
    by_job: dict[str, int] = field(default_factory=dict)


def expire(*, actor: Actor = CLOCK, dry_run: bool = False, now: datetime | None = None) -> Expired:
    """Delete the ended executions whose time is over, outputs before them, and old audit events, in short
    transactions, each with a row in the audit.

    Never an active one, never one that an active one waits for, never the newest of a job (`keep_last`, default
    `JOBHUB_KEEP_LAST`).
    """
    actor.require_everything("expiring history")
    now = now or timezone.now()
    expired = Expired()
    for batch in _batches(now):
        expired.executions += len(batch)
        for name in batch.values():
            expired.by_job[name] = expired.by_job.get(name, 0) + 1
        if not dry_run:
            _delete(list(batch), actor)
    expired.outputs = _expire_outputs(now, actor, dry_run=dry_run)
    expired.events = _expire_events(now, actor, dry_run=dry_run)
    if not dry_run:
        drop_expired(now)
    return expired


def _batches(now: datetime) -> Iterator[dict[int, str]]:
    """What may go, as {id: job's name}, a batch at a time."""
    newest: dict[tuple[int, str, int], int] = {}
    waited_for = Dependency.objects.filter(after=OuterRef("pk"), execution__state__in=[state.value for state in ACTIVE])
    seen_at, seen = None, 0
    while True:
        rows = JobExecution.objects.final().filter(expires_at__lt=now).filter(~Exists(waited_for))
        if seen_at is not None:
            rows = rows.filter(expires_at__gte=seen_at).exclude(expires_at=seen_at, pk__lte=seen)
        page = list(
            rows.order_by("expires_at", "pk").only("pk", "project_id", "job_name", "plan", "expires_at")[:BATCH]
        )
        if not page:
            return
        seen_at, seen = page[-1].expires_at, page[-1].pk
        if going := {one.pk: one.job_name for one in page if not _is_kept(one, newest)}:
            yield going


def _is_kept(execution: JobExecution, newest: dict[tuple[int, str, int], int]) -> bool:
    """Each by the rule of its own plan, as with its days."""
    own = execution.plan.get("keep_last")
    rule = (execution.project_id, execution.job_name, settings.HUB["KEEP_LAST"] if own is None else own)
    if rule not in newest:
        newest[rule] = _oldest_kept(*rule)
    return execution.pk >= newest[rule]


def _oldest_kept(project_id: int, job_name: str, keep: int) -> int:
    """The id from which on a job's executions are kept for their number."""
    if not keep:
        return 2**63
    ids = JobExecution.objects.filter(project_id=project_id, job_name=job_name).order_by("-pk")
    oldest = list(ids.values_list("pk", flat=True)[keep - 1 : keep])
    return oldest[0] if oldest else 0


def _delete(ids: list[int], actor: Actor) -> None:
    """Table by table, without Django's collector, which would read every row."""
    with transaction.atomic():
        for relation in JobExecution._meta.related_objects:
            rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": ids})
            if relation.on_delete is CASCADE:
                rows._raw_delete("default")
            else:
                rows.update(**{relation.field.name: None})
        JobExecution.objects.final().filter(pk__in=ids)._raw_delete("default")
        audit(actor, "expire", f"{len(ids)} executions")


def _expire_outputs(now: datetime, actor: Actor, *, dry_run: bool) -> int:
    total = 0
    rows = JobExecution.objects.with_old_output(now)
    if dry_run:
        return rows.count()
    while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            Output.objects.filter(execution__in=ids)._raw_delete("default")
            JobExecution.objects.filter(pk__in=ids).update(output_expires_at=None, version=F("version") + 1)
            audit(actor, "expire", f"the output of {len(ids)} executions")
        total += len(ids)
    return total


def _expire_events(now: datetime, actor: Actor, *, dry_run: bool) -> int:
    """Audit events that are older than `JOBHUB_AUDIT_DAYS`; not the ones that tell of it."""
    days = settings.HUB["AUDIT_DAYS"]
    newest = AuditEvent.objects.values_list("pk", flat=True).first()
    if not days or newest is None:
        return 0
    rows = AuditEvent.objects.filter(at__lt=now - timedelta(days=days), pk__lte=newest).order_by("at")
    if dry_run:
        return rows.count()
    total = 0
    while ids := list(rows.values_list("pk", flat=True)[:AUDIT_BATCH]):
        with transaction.atomic():
            AuditEvent.objects.filter(pk__in=ids)._raw_delete("default")
            audit(actor, "expire", f"{len(ids)} audit events")
        total += len(ids)
    return total

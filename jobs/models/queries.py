"""The questions that the engine asks about executions, each answered from an index."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now

from jobs.models.prepared import Prepared, columns, instance
from jobs.states import ACTIVE, FINAL, LIVE, State


class Literal(Value):
    """A constant written into the SQL itself: SQLite uses a partial index only when it can read its condition."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:  # noqa: ARG002
        if isinstance(self.value, int):
            return str(self.value), ()
        return "'" + str(self.value).replace("'", "''") + "'", ()


def literals(group: Iterable[State]) -> list[Literal]:
    return [Literal(word) for word in sorted(state.value for state in group)]


BEGAN_AT = Coalesce("started_at", "queued_at")
IN_LOG = reduce(or_, (Q(state=state.value) for state in sorted(FINAL)))
"""What has ended. Spelled out: every planner sees then that one final state, written as a literal, is among them."""


class ExecutionQuerySet(models.QuerySet[Any]):
    def live(self) -> "ExecutionQuerySet":
        """A worker or a remote node may be at work on it."""
        return self.filter(state__in=literals(LIVE))

    def active(self) -> "ExecutionQuerySet":
        """Not ended yet."""
        return self.filter(state__in=literals(ACTIVE))

    def final(self) -> "ExecutionQuerySet":
        return self.filter(state__in=literals(FINAL))

    def of_states(self, words: Iterable[str]) -> "ExecutionQuerySet":
        """Of these states: a scan of the index each, merged; no planner finds that by itself without statistics."""
        first, *others = (self.order_by().filter(state=word) for word in words)
        rows = first.union(*others, all=True) if others else first
        return rows.order_by(*self.query.order_by)

    def begun(self) -> "ExecutionQuerySet":
        """With `began_at`: when they started, or were queued if they never did."""
        return self.annotate(began_at=BEGAN_AT)

    def with_old_output(self, now: datetime) -> "ExecutionQuerySet":
        """Ended long enough ago for its output to go."""
        rows = self.filter(output_expires_at__lt=now, output_seq__gt=Literal(0), is_kept=False)
        return rows.order_by("output_expires_at")

    def waiting(self) -> "ExecutionQuerySet":
        """Queued for a worker of the hub, and nothing but its time, a slot or a worker is missing."""
        return self.filter(state=Literal(State.QUEUED.value), place=Literal("hub"), n_blocks=Literal(0)).order_by(
            "-priority", "run_at", "id"
        )

    def due_remote(self, now: datetime) -> "ExecutionQuerySet":
        """Queued for a node that polls by itself, which has not been asked yet, and nothing is missing any more."""
        queued = self.filter(state=Literal(State.QUEUED.value), place=Literal("remote"), n_blocks=Literal(0))
        return queued.filter(asked_at__isnull=True, run_at__lte=now).order_by("run_at")

    def blocked(self) -> "ExecutionQuerySet":
        """Queued, but something that it waits for has not happened."""
        return self.filter(state=Literal(State.QUEUED.value), n_blocks__gt=Literal(0))

    def miscounted(self) -> "ExecutionQuerySet":
        """Blocked by another number than of what there is to wait for."""
        ends_it_waits_for = Count("dependencies", filter=Q(dependencies__after__state__in=literals(ACTIVE)))
        hold = Case(When(job__is_held=True, then=1), default=0)
        counted = self.blocked().annotate(n_true=ends_it_waits_for + hold)
        return counted.exclude(n_blocks=F("n_true")).order_by("pk")

    def due(self, node: str) -> "ExecutionQuerySet":
        """What a worker of this node may claim now, best first."""
        same_slots = self.model._default_manager.all().live().filter(slot_key=OuterRef("slot_key")).order_by()
        taken = same_slots.values("slot_key").annotate(n=Count("pk")).values("n")
        return (
            self.waiting()
            .filter(run_at__lte=Now(), pinned_to__in=("", node))
            .filter(Q(slot_key="") | Q(slot_limit__gt=Coalesce(Subquery(taken), 0)))
        )

    def best_due(self, node: str, *, lock: bool) -> tuple[Any | None, bool]:
        """The first of `due`, and whether there is a second. Asked before every claim: compiled once a process."""
        rows = _best_due(self.model, node, lock).all()  # type: ignore[arg-type]
        return (instance(self.model, rows[0]) if rows else None), len(rows) > 1


@cache
def _best_due(model: Any, node: str, lock: bool) -> Prepared:
    rows = model._default_manager.all().due(node)
    if lock:
        rows = rows.select_for_update(skip_locked=True)
    return Prepared(rows.values(*columns(model))[:2])

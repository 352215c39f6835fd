"""The questions that the engine asks about executions, each answered from an index."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, reduce
from operator import or_
from typing import Any

from django.db import connection, models
from django.db.models import Case, Count, F, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now

from jobs.models.node import Node
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


LOOKED_AT = 20
"""So many of each pin are looked at for one that can be claimed."""
PARKED_AT_ONCE = 500
CLAIMABLE = """
SELECT due.id FROM ({union}) due
WHERE (due.slot_key = '' OR due.slot_limit > (
    SELECT COUNT(*) FROM {table} live WHERE live.state IN ('aborting', 'running') AND live.slot_key = due.slot_key))
AND NOT EXISTS (
    SELECT 1 FROM {nodes} node WHERE node.name = %s AND (node.drained_at IS NOT NULL OR node.max_running <= (
        SELECT COUNT(*) FROM {table} live WHERE live.state IN ('aborting', 'running') AND live.node = node.name)))
"""
"""Nothing on a node that is drained or runs as many as it may."""

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
        """Queued for a worker of the hub, and nothing but its time or a worker is missing, as far as is known."""
        queued = self.filter(state=Literal(State.QUEUED.value), place=Literal("hub"), n_blocks=Literal(0))
        return queued.filter(is_parked=False).order_by("-priority", "run_at", "id")

    def due_remote(self, now: datetime) -> "ExecutionQuerySet":
        """Queued for a node that polls by itself, which has not been asked yet, and nothing is missing any more."""
        queued = self.filter(state=Literal(State.QUEUED.value), place=Literal("remote"), n_blocks=Literal(0))
        due = queued.filter(asked_at__isnull=True, run_at__lte=now).order_by("run_at")
        return due.exclude(pinned_to__in=Node.objects.filter(drained_at__isnull=False).values("name"))

    def blocked(self) -> "ExecutionQuerySet":
        """Queued, but something that it waits for has not happened."""
        return self.filter(state=Literal(State.QUEUED.value), n_blocks__gt=Literal(0))

    def miscounted(self) -> "ExecutionQuerySet":
        """Blocked by another number than of what there is to wait for."""
        ends_it_waits_for = Count("dependencies", filter=Q(dependencies__after__state__in=literals(ACTIVE)))
        hold = Case(When(job__is_held=True, then=1), default=0)
        counted = self.blocked().annotate(n_true=ends_it_waits_for + hold)
        return counted.exclude(n_blocks=F("n_true")).order_by("pk")

    def due(self, pin: str) -> "ExecutionQuerySet":
        """What may be claimed where this pin counts, as far as its slots are not looked at, best first."""
        return self.waiting().filter(run_at__lte=Now(), pinned_to=pin)

    def parked(self) -> "ExecutionQuerySet":
        """Queued, and out of the way until one of its slots is given back."""
        return self.filter(state=Literal(State.QUEUED.value), is_parked=True)

    def best_due(self, node: str, pins: Sequence[str], *, lock: bool) -> tuple[Any | None, bool]:
        """The best that a worker of this node may claim now, and whether there is a second.

        Asked before every claim: compiled once a process. Only the first `LOOKED_AT` of each pin are looked at; when
        their slots are all taken, `park` takes them out of the way.
        """
        rows = _best_due(self.model, node, tuple(pins), lock).all()  # type: ignore[arg-type]
        return (instance(self.model, rows[0]) if rows else None), len(rows) > 1

    def wants_slots(self, pins: Sequence[str]) -> bool:
        """Whether any of those that `best_due` looks at needs a slot. Asked whenever that finds nothing."""
        return bool(_wants_slots(self.model, tuple(pins)).all())  # type: ignore[arg-type]

    def park(self, pins: Sequence[str]) -> int:
        """Take those without a free slot out of the way of the claims; returns how many they were.

        Call it in a transaction. It waits for nobody: what somebody else is about to change stays. Whoever gives a
        slot back meets either the lock of its own row, and sees who was parked, or nobody who is.
        """
        due = [_locked(self.due(pin)).values_list("pk", "slot_key", "slot_limit")[:PARKED_AT_ONCE] for pin in pins]
        found = [(pk, key, limit) for rows in due for pk, key, limit in rows if key]
        held = _locked(self.live().filter(slot_key__in={key for _, key, _ in found}), no_key=True)
        taken = Counter(held.values_list("slot_key", flat=True))
        return self.filter(pk__in=[pk for pk, key, limit in found if taken[key] >= limit]).update(is_parked=True)

    def unpark(self, slot_key: str) -> None:
        """The best one that is parked for these slots comes forward: for each pin, as a node may be away."""
        rows = self.parked().filter(slot_key=slot_key, n_blocks=Literal(0))
        rows = _locked(rows.order_by("slot_key", "pinned_to", "-priority", "run_at", "id"))
        best = rows.values_list("pk", "pinned_to").first()
        while best is not None:
            self.model._default_manager.filter(pk=best[0]).update(is_parked=False)
            best = rows.filter(pinned_to__gt=best[1]).values_list("pk", "pinned_to").first()

    def parked_keys(self, after: str, at_most: int) -> list[str]:
        """The next slot keys for which somebody is parked, each found in the index without reading the others."""
        keys: list[str] = []
        rows = self.parked().order_by("slot_key").values_list("slot_key", flat=True)
        while len(keys) < at_most and (key := rows.filter(slot_key__gt=after).first()) is not None:
            keys.append(key)
            after = key
        return keys


def _locked(rows: Any, *, no_key: bool = False) -> Any:
    """Those that nobody else has locked; SQLite has one writer anyway."""
    if not connection.features.has_select_for_update_skip_locked:
        return rows
    return rows.select_for_update(skip_locked=True, no_key=no_key)


@cache
def _best_due(model: Any, node: str, pins: tuple[str, ...], lock: bool) -> Prepared:
    rows = model._default_manager.filter(pk__in=_claimable(model, node, pins)).order_by("-priority", "run_at", "id")
    return Prepared((_locked(rows) if lock else rows).values(*columns(model))[:2])


@cache
def _wants_slots(model: Any, pins: tuple[str, ...]) -> Prepared:
    union, params = _first_of_each(model, pins)
    wanting = RawSQL(f"SELECT due.id FROM ({union}) due WHERE due.slot_key <> ''", params)
    return Prepared(model._default_manager.filter(pk__in=wanting).values("id")[:1])


def _claimable(model: Any, node: str, pins: tuple[str, ...]) -> RawSQL:
    """The first of each pin as far as they have a free slot."""
    union, params = _first_of_each(model, pins)
    return RawSQL(CLAIMABLE.format(union=union, table=model._meta.db_table, nodes=Node._meta.db_table), [*params, node])


def _first_of_each(model: Any, pins: tuple[str, ...]) -> tuple[str, list[Any]]:
    """SQL for the first ones of each pin, each read from its own part of the index."""
    due = [model._default_manager.all().due(pin).values("id", "slot_key", "slot_limit")[:LOOKED_AT] for pin in pins]
    parts = [rows.query.get_compiler(connection=connection).as_sql() for rows in due]
    union = " UNION ALL ".join(f"SELECT * FROM ({sql}) pin{number}" for number, (sql, _) in enumerate(parts))
    return union, [param for _, params in parts for param in params]

"""Nodes: how they are, and what an operator makes of them: drained, labelled, limited."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import pydantic
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from pydantic import Field

from jobs import queue
from jobs.engine.documents import Document, Text, is_uuid
from jobs.engine.rights import Actor, audit
from jobs.errors import NotFound
from jobs.models import JobExecution, Node
from jobs.texts import check_label

NODE_SILENT_S = 30
"""So long after it was heard of last a node of the hub's own workers counts as silent."""
SILENT_INTERVALS = 10
"""And a node that polls by itself after so many of its intervals."""


class NodeState(StrEnum):
    """How a node is."""

    UP = "up"
    """It reports and takes work."""
    DRAINING = "draining"
    """It takes no new work and still has some."""
    DRAINED = "drained"
    """It takes no new work and has none."""
    SILENT = "silent"
    """It has not been heard of for too long; what ran on it is rescued."""


def check_labels(value: list[str]) -> list[str]:
    if len(set(value)) < len(value):
        raise ValueError("the same label stands twice")
    return value


Label = Annotated[str, pydantic.AfterValidator(check_label)]


class NodeDocument(Document):
    """What can be said about a node. What is left out stays."""

    labels: Annotated[list[Label], Field(max_length=50), pydantic.AfterValidator(check_labels)] = Field(
        default_factory=list
    )
    """Words for what it has, to which jobs are pinned by `label:<word>`, beside those of its JOBHUB_NODE_LABELS."""
    max_running: int | None = Field(None, ge=1, le=1000)
    """How many executions may run on it side by side; null: as many as it has workers."""


class Drain(Document):
    """Why a node shall take no new work."""

    reason: Text = Field("", max_length=500)


def find_node(ref: str, *, actor: Actor) -> Node:
    """A node by its name, else by its id or uuid. Whoever sees anything sees the nodes."""
    rows = Node.objects.all()
    node = None if "\0" in ref else rows.filter(name=ref).first()
    if node is None and ref.isascii() and ref.isdigit() and len(ref) < 19:
        node = rows.filter(pk=int(ref)).first()
    if node is None and is_uuid(ref):
        node = rows.filter(uuid=ref).first()
    if node is None or actor.visible_projects == []:
        raise NotFound(f"there is no node {ref!r}")
    return node


# -- how they are ------------------------------------------------------------------------------------------------------
def is_silent(node: Node, now: datetime | None = None) -> bool:
    return node.seen_at < (now or timezone.now()) - timedelta(seconds=allowed_silence_s(node))


def allowed_silence_s(node: Node) -> int:
    return max(NODE_SILENT_S, SILENT_INTERVALS * node.interval_s)


def running_on(names: Iterable[str]) -> dict[str, int]:
    """How many executions each of these nodes has now; those without any are left out."""
    rows = JobExecution.objects.live().filter(node__in=list(names)).order_by()
    return dict(rows.values_list("node").annotate(n=Count("pk")))


def state_of(node: Node, n_running: int) -> NodeState:
    if is_silent(node):
        return NodeState.SILENT
    if node.drained_at is None:
        return NodeState.UP
    return NodeState.DRAINING if n_running else NodeState.DRAINED


# -- what is made of them ----------------------------------------------------------------------------------------------
def drain(node: Node, *, actor: Actor, reason: str = "") -> None:
    """It takes no new work; what runs there goes on. Again: another reason."""
    actor.require_everything("draining a node")
    Drain.parse({"reason": reason})
    with transaction.atomic():
        locked = _locked(node)
        said = {"drain_reason": reason, "drained_by": actor.name}
        _save(locked, {"drained_at": locked.drained_at or timezone.now(), **said})
        audit(actor, "drain", node.name, reason=reason)
    node.refresh_from_db()


def undrain(node: Node, *, actor: Actor) -> None:
    """It takes work again; harmless when it did."""
    actor.require_everything("undraining a node")
    with transaction.atomic():
        if _locked(node).drained_at is not None:
            _save(node, {"drained_at": None, "drain_reason": "", "drained_by": ""})
            audit(actor, "undrain", node.name)
            transaction.on_commit(queue.wake)
    node.refresh_from_db()


def change_node(node: Node, changes: Any, *, actor: Actor) -> None:
    """Set its labels, its limit, or both. Its workers know it some seconds later."""
    actor.require_everything("changing a node")
    wanted = NodeDocument.parse(changes)
    given = wanted.model_dump(include=wanted.model_fields_set)
    with transaction.atomic():
        _save(_locked(node), given)
        audit(actor, "edit node", node.name, **given)
        transaction.on_commit(queue.wake)
    node.refresh_from_db()


def _locked(node: Node) -> Node:
    locked = Node.objects.select_for_update().filter(pk=node.pk).first()
    if locked is None:
        raise NotFound(f"there is no node {node.name!r} any more")
    return locked


def _save(node: Node, fields: dict[str, Any]) -> None:
    Node.objects.filter(pk=node.pk).update(**fields)

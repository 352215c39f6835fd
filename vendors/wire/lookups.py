"""Find what a path or a parameter names, among what the actor may see."""

from typing import Any

from django.db.models import QuerySet

from jobs.engine.rights import Actor, Right
from jobs.errors import NotFound
from jobs.models import JobExecution, Project
from jobs.models.prepared import Prepared
from vendors.wire.hiding import is_hidden
from vendors.wire.refs import field_of, lookup, parse_ref

EVERYWHERE = "*"


class ExecutionRows:
    """Some columns of executions, `project_id` among them: read by one indexed query, compiled once.

    `hidden_in` names a face: what was hidden there is not found. `computed` are expressions by their columns' names.
    """

    def __init__(self, *columns: str, hidden_in: str = "", **computed: Any) -> None:
        rows = JobExecution.objects.values(*columns, **computed)
        if hidden_in:
            rows = rows.filter(~is_hidden(hidden_in))
        self._by = {field: Prepared(rows, field) for field in ("id", "uuid", "handle")}

    def read(self, pk: int) -> dict[str, Any]:
        """One that the actor was shown already. Raises `NotFound` when it was deleted meanwhile."""
        row = self._by["id"].first(pk)
        if row is None:
            raise NotFound
        return row

    def find(self, ref: str, actor: Actor) -> dict[str, Any]:
        """By id, uuid or handle. Raises `NotFound` for an unknown or a foreign one."""
        value = parse_ref(ref)
        row = self._by[field_of(value, "handle")].first(value)
        if row is None:
            raise NotFound(f"there is no execution {ref!r}")
        _require_sight(row["project_id"], actor, f"there is no execution {ref!r}")
        return row


def find_project(ref: str, actor: Actor) -> Project:
    """By id, uuid or name."""
    project = Project.objects.filter(**lookup(ref, "name")).first()
    if project is None:
        raise NotFound(f"there is no project {ref!r}")
    _require_sight(project.pk, actor, f"there is no project {ref!r}")
    return project


def in_project(rows: QuerySet[Any], ref: str | None, actor: Actor) -> QuerySet[Any]:
    """What belongs to the named project, else to the actor's own; `*`: to all that it may see."""
    if ref is None:
        return rows.filter(project_id=actor.home)
    if ref != EVERYWHERE:
        return rows.filter(project_id=find_project(ref, actor).pk)
    visible = actor.visible_projects
    return rows if visible is None else rows.filter(project_id__in=visible)


def _require_sight(project_id: int, actor: Actor, message: str) -> None:
    if actor.right(project_id) < Right.SEE:
        raise NotFound(message)

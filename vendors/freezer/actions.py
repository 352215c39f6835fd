"""Freezer's actions: what its agent is told to do, kept by itself and used by jobs."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from jobs.engine.rights import Right, audit
from jobs.models import Job
from vendors.freezer import schema
from vendors.freezer.errors import NO_TUPLE, bad_format, exists, unsuitable
from vendors.freezer.scope import Scope
from vendors.models import FreezerAction

Json = dict[str, Any]
RETRIES = {"max_retries": 5, "max_retries_interval": 6}
"""Where nothing else is said."""
ALWAYS_SHOWN = ("backup_name", "action", "mode", "container", "timeout", "priority", "path_to_backup", "log_file")
OF_SERVER = ("project_id", "user_id", "action_id")
BELONGS_TO_ACTION = ("freezer_action", *RETRIES)


def body_of(given: Json) -> Json:
    """What is kept of a document."""
    return {**{name: given.get(name, default) for name, default in RETRIES.items()}, **_beside(given, OF_SERVER)}


def _without(given: Json, names: Iterable[str]) -> Json:
    return {name: value for name, value in given.items() if name not in names}


def _beside(given: Json, names: Iterable[str] = (*OF_SERVER, *BELONGS_TO_ACTION)) -> Json:
    """What is said beside the action itself. `mandatory` is false where it is not said."""
    found = _without(given, names)
    return found if found.get("mandatory") else _without(found, ("mandatory",))


def cleaned(given: Any) -> Any:
    """Without numbers that are null: as the server shows what it does not know, and so gets it back."""
    if not isinstance(given, dict):
        return given
    return {name: value for name, value in given.items() if value is not None or name not in (*RETRIES, "mandatory")}


def shown(freezer_action: Json) -> Json:
    """As sent, with what its table has a column for."""
    return {**freezer_action, **{name: None for name in ALWAYS_SHOWN if name not in freezer_action}}


def is_same(one: Json, other: Json) -> bool:
    """What was left out is as good as null."""
    names = {*one, *other}
    return all(one.get(name) == other.get(name) for name in names)


def action_json(row: FreezerAction, project: str) -> Json:
    return {
        "project_id": project,
        "action_id": row.action_id,
        "user_id": row.user,
        "max_retries": row.body.get("max_retries"),
        "max_retries_interval": row.body.get("max_retries_interval"),
        "freezer_action": shown(row.body["freezer_action"]),
        **_beside(row.body),
    }


def listed_json(row: FreezerAction, project: str) -> Json:
    """Lists have an order of their own."""
    return {
        "project_id": project,
        "user_id": row.user,
        "timeout": row.body.get("timeout"),
        "max_retries_interval": row.body.get("max_retries_interval"),
        "max_retries": row.body.get("max_retries"),
        "action_id": row.action_id,
        "mandatory": bool(row.body.get("mandatory")),
        "freezer_action": shown(row.body["freezer_action"]),
    }


def find(action_id: str, scope: Scope) -> FreezerAction | None:
    rows = FreezerAction.objects.filter(project_id=scope.project_id, action_id=action_id)
    return rows.first() if "\0" not in action_id else None


def save(row: FreezerAction, deed: str, scope: Scope) -> None:
    """Raises `Refusal` when another one has its id."""
    scope.actor.require(Right.EDIT, scope.project_id, "keeping an action")
    try:
        with transaction.atomic():
            row.save()
            audit(scope.actor, deed, f"freezer action {row.action_id}", scope.project_id)
    except IntegrityError:
        raise exists(f"Action already registered with ID {row.action_id}") from None


def create(given: Json, scope: Scope) -> FreezerAction:
    given = cleaned(given)
    schema.check(schema.ACTION, given)
    schema.check_sizes(given)
    row = _new(given, scope)
    save(row, "create", scope)
    return row


def _new(given: Json, scope: Scope, made_in: Job | None = None) -> FreezerAction:
    row = FreezerAction(project_id=scope.project_id, user=scope.user, body=body_of(given), made_in=made_in)
    row.action_id = given.get("action_id") or row.action_id
    return row


def patch(row: FreezerAction, given: Json, scope: Scope) -> None:
    """What is not given of retries becomes unknown, and so does the mode; what it has other columns for stays."""
    given = cleaned(given)
    schema.check(schema.ACTION_PATCH, given)
    schema.check_sizes(given)
    old = row.body["freezer_action"]
    new = given.get("freezer_action", old)
    kept = {name: None if name == "mode" else old.get(name) for name in ALWAYS_SHOWN if name not in new}
    retries = {name: given.get(name) for name in RETRIES}
    row.body = {**row.body, **_without(given, OF_SERVER), **retries, "freezer_action": {**new, **kept}}
    row.user = scope.user
    save(row, "edit", scope)


def replace(action_id: str, given: Json, scope: Scope) -> FreezerAction:
    """Create it with this id, or put another body in its place."""
    given = cleaned({**given, "action_id": action_id})
    schema.check(schema.ACTION, given)
    schema.check_sizes(given)
    row = find(action_id, scope)
    if row is None:
        return create(given, scope)
    row.body, row.user = body_of(given), scope.user
    save(row, "edit", scope)
    return row


def not_registered(action_id: str) -> str:
    return NO_TUPLE.format(id=action_id, table="Action")


# -- within a job ------------------------------------------------------------------------------------------------------
def resolve(steps: list[Json], job: Job, scope: Scope) -> list[tuple[FreezerAction, Json]]:
    """The actions that a job's steps name or bring along, each with what the step says beside; new ones are saved."""
    ids = [step["action_id"] for step in steps if step.get("action_id")]
    known = {row.action_id: row for row in FreezerAction.objects.filter(project=scope.project_id, action_id__in=ids)}
    return [(_action(step, known, job, scope), _beside(step)) for step in steps]


def _action(step: Json, known: dict[str, FreezerAction], job: Job, scope: Scope) -> FreezerAction:
    action_id = step.get("action_id")
    if action_id is None:
        row = _new(_without(step, ("mandatory",)), scope, job)
        row.body = {name: row.body[name] for name in BELONGS_TO_ACTION}
        row.save(force_insert=True)
        return row
    found = known.get(action_id)
    if found is None:
        raise unsuitable(f"Action id: {action_id} not found.")
    given = step.get("freezer_action")
    if given is not None and not is_same(given, found.body["freezer_action"]):
        raise unsuitable(
            f"Action id: {action_id} already exists with a different definition. Update the action directly, or omit "
            "action_id to create a new one."
        )
    return found


def named(steps: Iterable[Json]) -> list[Json]:
    """Steps as they are shown, by the ids of their actions."""
    return [{**_beside(step), "action_id": step["action_id"]} for step in steps]


def check_steps(steps: list[Json]) -> None:
    """Raises `Refusal` for a step that says nothing to do."""
    for step in steps:
        schema.check_sizes(step)
        if step.get("action_id") is None and step.get("freezer_action") is None:
            raise bad_format("'freezer_action' is a required property")


def made_in(job: Job) -> list[int]:
    return list(FreezerAction.objects.filter(made_in=job).values_list("pk", flat=True))


def forget_unused(ids: list[int]) -> None:
    """The actions that came with a job go with it, unless another one uses them."""
    FreezerAction.objects.filter(pk__in=ids, used_in=None).delete()

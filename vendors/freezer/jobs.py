"""Jobs as Freezer's clients write them: created, replaced, patched, deleted."""

import time
from typing import Any

from django.db import transaction

from jobs.engine import define, verbs
from jobs.engine.documents import document_of
from jobs.engine.locks import job_for_update
from jobs.engine.rights import Right
from jobs.errors import Conflict, Forbidden, Invalid, NotFound
from jobs.models import Job, Place
from vendors.freezer import actions, clients, hub, mailbox, runs, schema, timing
from vendors.freezer.errors import DELETED, FORBIDDEN, NO_TUPLE, bad_format, exists, forbidden, unsuitable
from vendors.freezer.scope import Scope
from vendors.freezer.stores import TOMBSTONES
from vendors.models import FreezerJob

Json = dict[str, Any]
NAME = "freezer/{}"
"""Its name in the hub and on the other faces."""
KINDS = {"exec": "command"}
OF_SERVER = ("user_id", "project_id", "job_id", "_version", "session_name", "user_credentials")
BIRTH = ("time_created", "time_started", "time_ended")


def prepared(given: Json) -> Json:
    """A document with what everybody may leave out, its `action_defaults` applied."""
    found = {**_with_clean_steps(given), "job_schedule": given.get("job_schedule", {})}
    defaults = found.pop("action_defaults", {})
    if not isinstance(defaults, dict):
        raise bad_format("action_defaults shouldbe a dictionary")
    if defaults and isinstance(found.get("job_actions"), list):
        found["job_actions"] = [_with_defaults(step, defaults) for step in found["job_actions"]]
    return found


def _with_clean_steps(given: Json) -> Json:
    steps = given.get("job_actions")
    return {**given, "job_actions": [actions.cleaned(step) for step in steps]} if isinstance(steps, list) else given


def _with_defaults(step: Any, defaults: Json) -> Any:
    if not isinstance(step, dict) or not isinstance(action := step.get("freezer_action"), dict):
        return step
    missing = {name: value for name, value in defaults.items() if action.get(name) is None}
    return {**step, "freezer_action": {**action, **missing}}


def find(job_id: str, scope: Scope) -> Job | None:
    """A job of the project, or of any where the scope is all of them."""
    if "\0" in job_id:
        return None
    rows = Job.objects.select_related("project").filter(key=job_id)
    job = rows.filter(project=scope.project_id).first()
    return job or (rows.order_by("pk").first() if scope.sees_all else None)


def get(job_id: str, scope: Scope) -> Job:
    """Raises `NotFound` in the server's words."""
    job = find(job_id, scope)
    if job is None:
        raise NotFound(NO_TUPLE.format(id=job_id, table="Job"))
    return job


# -- create and replace ------------------------------------------------------------------------------------------------
def create(given: Json, scope: Scope) -> Job:
    document = _checked(given)
    if job_id := document.get("job_id"):
        if find(job_id, scope):
            raise exists(f"Job already registered with ID {job_id}")
        _refuse_deleted(job_id, scope)
    born = dict(zip(BIRTH, (int(time.time()), -1, -1), strict=True))
    document["job_schedule"] = {**document["job_schedule"], **born}
    return _write(document, scope, None)


def replace(job_id: str, given: Json, scope: Scope) -> Job:
    """Create it with this id, or put another document in its place."""
    document = _checked({**given, "job_id": job_id})
    job = find(job_id, scope)
    if job is None:
        _refuse_deleted(job_id, scope)
    else:
        _refuse_foreign_made(job)
    return _write(document, scope, job)


def _checked(given: Json) -> Json:
    document = prepared(given)
    schema.check(schema.JOB, document)
    schema.check_sizes(document)
    actions.check_steps(document["job_actions"])
    return document


def _refuse_deleted(job_id: str, scope: Scope) -> None:
    if TOMBSTONES.find(job_id, scope.project_id):
        raise exists(DELETED)


def _refuse_foreign_made(job: Job) -> None:
    if not FreezerJob.objects.filter(job=job).exists():
        raise unsuitable(f"the job {job.name!r} was made through another interface of the hub; change it there")


def _write(document: Json, scope: Scope, job: Job | None) -> Job:
    """All of it, or nothing."""
    is_new = job is None
    with transaction.atomic():
        if job is None:
            name = NAME.format(document.get("job_id") or "new")
            job = Job(project_id=scope.project_id, name=name)
            job.key = document.get("job_id") or job.key
            job.name = NAME.format(job.key)
        row = FreezerJob.objects.filter(job=job).first() if job.pk else None
        row = row or FreezerJob(project_id=job.project_id)
        row.client, row.user = document["client_id"], scope.user
        row.extras = _extras(document)
        _set_session(row, document)
        kept = row.schedule if not is_new and runs.is_as_shown(document["job_schedule"], job, row) else None
        mailbox.take(row, document["job_schedule"])
        if kept is not None:
            row.schedule = kept
        steps, description = document["job_actions"], document.get("description")
        job = _define(job, row, steps, description, scope, is_rescheduled=kept is None)
        if kept is not None and job.place == Place.HUB:
            runs.switch(job, row, scope.actor)
        runs.watch(job, row)
        if is_new and job.place == Place.HUB:
            runs.adopt(job, row, scope.actor)
    return job


def _extras(document: Json) -> Json:
    """What is told apart from its being left out."""
    names = ("description", "session_id")
    found = {name: None for name in names if name in document and document[name] is None}
    credentials = document.get("user_credentials")
    return {**found, **({"user_credentials": credentials} if credentials else {})}


def _set_session(row: FreezerJob, given: Json) -> None:
    if "session_id" in given:
        row.session_id = given["session_id"] or ""
    row.session_tag = given.get("session_tag", row.session_tag)


# -- what it is, in the engine -----------------------------------------------------------------------------------------
def _define(
    job: Job,
    row: FreezerJob,
    steps: list[Json],
    description: str | None,
    scope: Scope,
    *,
    is_rescheduled: bool = False,
) -> Job:
    """The engine's job, and the actions of it; both are saved."""
    is_here = hub.is_own(row.client)
    stays_here = is_here and job.pk and job.place == Place.HUB
    given = [step.get("freezer_action") or {} for step in steps]
    clients.check_can(row.client, given, scope)
    plan = [_planned(step, scope) for step in steps]
    document = {
        **(document_of(job) if job.pk else {}),
        "name": job.name,
        "kind": _kind([action for action, _ in plan]),
        "description": description or "",
        "node": _node(row.client) if is_here else "",
        "actions": [hub.engine_action(action, said, row.client) for action, said in plan] if is_here else [],
    }
    is_timed = is_here and timing.is_timed(row.schedule)
    if is_rescheduled or not stays_here:
        document["schedules"] = runs.schedules_of(job, row) if is_here else []
    document["when_active"] = "skip" if is_timed else "queue"
    place = Place.HUB if is_here else Place.REMOTE
    job = _defined(document, job, place, scope, key=job.key)
    row.job = job
    _save_steps(row, steps, scope)
    return job


def _node(client_id: str) -> str:
    node = hub.node_of(client_id)
    return node.name if node else ""


def _planned(step: Json, scope: Scope) -> tuple[Json, Json]:
    """What a step does, and what it says of how."""
    action_id, given = step.get("action_id"), step.get("freezer_action")
    kept = actions.find(action_id, scope) if action_id else None
    body = kept.body if kept else actions.body_of(step)
    said = {**body, **({"mandatory": True} if step.get("mandatory") else {})}
    return given or body["freezer_action"], said


def _defined(document: Json, job: Job, place: Place, scope: Scope, *, key: str) -> Job:
    try:
        return define.define(
            document,
            actor=scope.actor,
            project_id=job.project_id,
            job=job if job.pk else None,
            key=key,
            place=place,
            create_only=not job.pk,
        )[0]
    except Conflict:
        raise exists(f"Job already registered with ID {key}") from None
    except Forbidden as error:
        is_member = scope.actor.right(job.project_id) >= Right.EDIT
        raise forbidden(error.message if is_member else FORBIDDEN) from None
    except Invalid as error:
        raise unsuitable(timing.in_its_words(error)) if place is Place.HUB else bad_format(error.message) from None


def _kind(freezer_actions: list[Json]) -> str:
    words = {action["action"] for action in freezer_actions}
    word = words.pop() if len(words) == 1 else define.WORKBOOK
    return KINDS.get(word, word)


def _save_steps(row: FreezerJob, steps: list[Json], scope: Scope) -> None:
    found = actions.resolve(steps, row.job, scope)
    row.actions = [{**actions.action_json(action, scope.keystone_id), **beside} for action, beside in found]
    row.save()
    row.uses.set({action for action, _ in found})


# -- patch and delete --------------------------------------------------------------------------------------------------
def patch(job_id: str, given: Json, scope: Scope) -> None:
    """Top-level names replace what there was; `job_schedule` as a whole, and only when it is given."""
    changes = {name: value for name, value in _with_clean_steps(given).items() if name not in OF_SERVER}
    schema.check(schema.JOB_PATCH, changes)
    schema.check_sizes(changes)
    steps = changes.get("job_actions")
    actions.check_steps(steps or [])
    with transaction.atomic():
        job = job_for_update(get(job_id, scope))
        _refuse_foreign_made(job)
        row = FreezerJob.objects.select_for_update().get(job=job)
        is_told = not changes.keys() - {"job_schedule", "session_id", "session_tag"}
        right = Right.TRIGGER if is_told and scope.sees_all else Right.EDIT
        scope.actor.require(right, job.project_id, "changing a job")
        if not is_told:
            _redefine(job, row, changes, scope)
        _set_session(row, changes)
        if "job_schedule" in changes:
            runs.take_schedule(job, row, changes["job_schedule"], scope)
        row.user = scope.user
        row.save()
        runs.watch(job, row)


def _redefine(job: Job, row: FreezerJob, changes: Json, scope: Scope) -> None:
    row.client = changes.get("client_id", row.client)
    row.extras = {**row.extras, **_extras(changes)}
    if changes.get("description") is not None:
        row.extras.pop("description", None)
    description = changes.get("description", job.description)
    if "job_actions" in changes or "client_id" in changes:
        _define(job, row, changes.get("job_actions") or actions.named(row.actions), description, scope)
    elif "description" in changes:
        define.patch(job, {"description": description or ""}, actor=scope.actor)


def renew(users: list[int], scope: Scope) -> None:
    """Their actions have changed, or gone: these jobs show what there is now, and the hub does it."""
    for row in FreezerJob.objects.select_related("job__project").filter(pk__in=users):
        there = {one.action_id for one in row.uses.all()}
        steps = actions.named(step for step in row.actions if step["action_id"] in there)
        if row.job.place == Place.HUB:
            _define(row.job, row, steps, row.job.description, scope)
        else:
            _save_steps(row, steps, scope)


def delete(job_id: str, scope: Scope) -> bool:
    """Whether there was one."""
    scope.actor.require(Right.EDIT, scope.project_id, "deleting a job")
    job = find(job_id, scope)
    if job is None:
        return False
    with transaction.atomic():
        its_own = actions.made_in(job)
        verbs.delete_job(job, actor=scope.actor)
        actions.forget_unused(its_own)
        TOMBSTONES.keep(job_id, job.project_id)
    return True

"""Define jobs and their actions: validated as a whole, saved as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from jobs import runners
from jobs.engine import notices, schedules, secrets
from jobs.engine.documents import OWN_FIELDS, ActionDocument, Document, JobDocument, RemoteJobDocument, document_of
from jobs.engine.links import save_links
from jobs.engine.locks import job_for_update
from jobs.engine.rights import Actor, Right, audit
from jobs.errors import Conflict, FieldError, Invalid
from jobs.models import Action, Job, JobAction, Place
from jobs.runners.base import secret_refs
from jobs.texts import check_json, check_text

WORKBOOK = "workbook"
MAX_KEY_CHARS = 64
EDITED = [*OWN_FIELDS, "key", "extras", "keep_is_new", "last_editor", "edited_by", "updated_at", "version", "place"]
"""What an edit writes; a hold or a cursor that changes meanwhile stays."""


def define(
    raw: Any,
    *,
    actor: Actor,
    project_id: int | None = None,
    job: Job | None = None,
    key: str = "",
    extras: dict[str, Any] | None = None,
    place: Place | None = None,
    create_only: bool = False,
) -> tuple[Job, bool]:
    """Create a job, or replace the given one (else the one of that name), from a document.

    A document that says nothing of `schedules` leaves them alone. `key` and `extras` are what a face adds of its own,
    and `place`, which stays as it is without it: a job that a node does by itself has no actions here. Returns the job
    and whether it is new. Raises `Invalid` naming every wrong field, `Forbidden` when a privileged runner needs an
    admin, `Conflict` for a name or key that is taken (with `create_only` also by the job itself); nothing was written
    then.
    """
    project_id = job.project_id if job else actor.home if project_id is None else project_id
    actor.require(Right.EDIT, project_id, "defining a job")
    document = _parsed(raw, place or (Place(job.place) if job else Place.HUB))
    _check_additions(key, extras)
    with _taken(document.name), transaction.atomic():
        job = job and job_for_update(job)
        actions = _resolve(document.actions, project_id)
        _check_notify(document, project_id)
        _require_privileges(actor, project_id, [action for action, _ in actions])
        is_renamed = job is not None and job.name != document.name
        job, is_new = _row(document, project_id, job)
        if create_only and not is_new:
            raise Conflict(f"there is already a job named {job.name!r}")
        job.place = place or job.place
        _save(job, document, actions, actor=actor, key=key, extras=extras)
        save_links(job, document.after)
        if is_renamed:
            Job.objects.filter(links__after_job=job).update(version=F("version") + 1)  # their documents name it
        if document.schedules is not None:
            schedules.replace(job, document.schedules)
        audit(actor, "create" if is_new else "edit", job.name, project_id)
    return job, is_new


def _parsed(raw: Any, place: Place) -> JobDocument:
    return RemoteJobDocument.parse(raw) if place is Place.REMOTE else JobDocument.parse(raw)


def _check_additions(key: str, extras: dict[str, Any] | None) -> None:
    try:
        check_text(key)
        check_json(extras)
    except ValueError as error:
        raise Invalid.field("", str(error)) from None
    if len(key) > MAX_KEY_CHARS:
        raise Invalid.field("key", f"wanted at most {MAX_KEY_CHARS} characters")


@contextmanager
def _taken(name: str) -> Iterator[None]:
    """Somebody else took the name, or a key, while this transaction was open."""
    try:
        yield
    except IntegrityError:
        raise Conflict(f"the name {name!r}, or the key, was taken at the same moment; look and try again") from None


def patch(job: Job, changes: Any, *, actor: Actor) -> Job:
    """Change some fields of a job; the rest stays. Raises as `define` does."""
    if not isinstance(changes, dict):
        raise Invalid.field("", "wanted an object of fields")
    actor.require(Right.EDIT, job.project_id, "defining a job")
    with transaction.atomic():
        job = job_for_update(job)
        document = {name: value for name, value in document_of(job).items() if name != "schedules"}
        return define({**document, **changes}, actor=actor, job=job)[0]


def define_action(document: ActionDocument, *, actor: Actor, project_id: int, key: str) -> Action:
    """Create or replace a shared action of a project; the jobs that use it are concerned at their next trigger."""
    actor.require(Right.EDIT, project_id, "defining an action")
    if document.use is not None:
        raise Invalid.field("use", "an action is defined by its runner and spec")
    with _taken(key), transaction.atomic():
        action = _draft(document, project_id, 0)
        action.key, action.is_shared = key, True
        action.last_editor_id, action.edited_by = _editor(actor)
        old = Action.objects.select_for_update().filter(project_id=project_id, key=key).first()
        _require_privileges(actor, project_id, [action, *([old] if old else [])])
        if old:
            action.pk, action.created_at = old.pk, old.created_at
        action.save()
        audit(actor, "edit" if old else "create", f"action {key}", project_id)
    return action


def is_privileged(runner: str) -> bool:
    """Whether only an admin may have a job use this runner. One that is gone counts as such."""
    try:
        return runners.get(runner).privileged
    except Invalid:
        return True


def _resolve(documents: list[ActionDocument], project_id: int) -> list[tuple[Action, bool]]:
    """The actions (drafts without a primary key, or shared rows) with their `mandatory`."""
    errors: list[FieldError] = []
    found: list[tuple[Action, bool]] = []
    for position, document in enumerate(documents):
        try:
            found.append((_draft(document, project_id, position), document.mandatory))
        except Invalid as error:
            errors += error.errors
    if errors:
        raise Invalid(errors)
    return found


def _draft(document: ActionDocument, project_id: int, position: int) -> Action:
    field = f"actions.{position}"
    if document.use is not None:
        shared = Action.objects.filter(project_id=project_id, key=document.use, is_shared=True).first()
        if shared is None:
            raise Invalid.field(f"{field}.use", f"there is no shared action {document.use!r}")
        return shared
    try:
        runner = runners.get(document.runner or "")
    except Invalid as error:
        raise error.under(field) from None
    try:
        runner.validate(document.spec)
        _check_secrets(document.spec, project_id)
    except Invalid as error:
        raise error.under(f"{field}.spec") from None
    return Action(
        project_id=project_id,
        key=document.key or "",
        is_shared=document.key is not None,
        runner=runner.name,
        spec=document.spec,
        description=document.description,
        timeout_s=document.timeout_s,
        retries=document.retries,
        retry_delay_s=document.retry_delay_s,
    )


def _check_secrets(spec: dict[str, Any], project_id: int) -> None:
    refs = list(secret_refs(spec))
    unknown = secrets.missing({name for _, name in refs}, project_id) if refs else set()
    if unknown:
        advice = "in this project; an admin keeps one with `manage.py secret set`"
        raise Invalid(
            FieldError(field, f"there is no secret {name!r} {advice}") for field, name in refs if name in unknown
        )


def _check_notify(document: JobDocument, project_id: int) -> None:
    for number, one in enumerate(document.notify):
        try:
            notices.check(one, project_id)
        except Invalid as error:
            raise error.under(f"notify.{number}") from None


def _require_privileges(actor: Actor, project_id: int, actions: list[Action]) -> None:
    for action in actions:
        if is_privileged(action.runner):
            actor.require(Right.ADMIN, project_id, f"the runner {action.runner!r}")


def _row(document: JobDocument, project_id: int, job: Job | None) -> tuple[Job, bool]:
    same_name = Job.objects.select_for_update(no_key=True).filter(project_id=project_id, name=document.name).first()
    if job is not None and same_name is not None and same_name.pk != job.pk:
        raise Conflict(f"there is another job named {document.name!r}")
    found = job or same_name
    return (found, False) if found else (Job(project_id=project_id, name=document.name), True)


def _save(
    job: Job,
    document: JobDocument,
    actions: list[tuple[Action, bool]],
    *,
    actor: Actor,
    key: str,
    extras: dict[str, Any] | None,
) -> None:
    if job.pk:
        _require_privileges(actor, job.project_id, list(job.actions.all()))
        job.version = F("version") + 1
    else:
        job.owner_id = actor.user_id
    old_keep = job.keep
    for name in OWN_FIELDS:
        setattr(job, name, _stored(getattr(document, name)))
    job.keep_is_new = job.keep_is_new or (job.pk is not None and job.keep != old_keep)
    job.kind = document.kind or (actions[0][0].runner if len(actions) == 1 else WORKBOOK)
    job.last_editor_id, job.edited_by = _editor(actor)
    job.key = key or job.key
    job.extras = job.extras if extras is None else extras
    job.updated_at = timezone.now()
    job.save(update_fields=EDITED if job.pk else None)
    job.refresh_from_db(fields=["version"])
    _save_actions(job, actions)
    notices.set_notify(job, document.notify, by=actor.name)


def _stored(value: Any) -> Any:
    """As its column has it: a part of a document without what was left out."""
    return value.model_dump(exclude_none=True) if isinstance(value, Document) else value


def _editor(actor: Actor) -> tuple[int | None, str]:
    return actor.user_id, "" if actor.user_id is None else actor.name


def _save_actions(job: Job, actions: list[tuple[Action, bool]]) -> None:
    old = list(job.actions.filter(is_shared=False).values_list("pk", flat=True))
    job.steps.all().delete()
    Action.objects.filter(pk__in=old, is_shared=False).delete()
    for position, (action, mandatory) in enumerate(actions):
        if action.pk is None:
            _save_action(job, action, position)
        JobAction.objects.create(job=job, action=action, position=position, mandatory=mandatory)


def _save_action(job: Job, action: Action, position: int) -> None:
    if action.is_shared:
        same = Action.objects.filter(project_id=job.project_id, key=action.key).first()
        if same is not None:
            raise Conflict(f"there is already an action {action.key!r}: say use: {action.key}")
        action.last_editor_id, action.edited_by = job.last_editor_id, job.edited_by
    else:
        action.key = f"{job.uuid.hex}-{position}"
    action.save()

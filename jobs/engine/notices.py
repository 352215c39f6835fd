"""Notices: who is told when an execution ends or runs for too long.

Each execution that ends passes `note`, in the transaction of its last move; it writes one `Notice` if anybody wants the
event, and nothing more. `jobs.worker.courier` makes a `Delivery` of it for each subscription, and sends these, from a
process of its own, so that no receiver can keep an execution, a worker or another receiver waiting.

A face may have subscriptions of its own, in its vendor's words. It needs three things:

- `subscribe({"webhook": url, "events": [...]}, actor=actor, face="vertica", extras={...})` makes one in the actor's
  project; `extras` is whatever the vendor's document holds beside that. A target that the guard refuses is `Invalid`.
- `subscriptions(project_id, face="vertica")` are its rows, `unsubscribe(row, actor=actor)` removes one with its log.
- a module `vendors/<face>/notices.py` with `message(delivery) -> Message`, which writes the body. It reads
  `delivery.execution`, `delivery.event` and `delivery.subscription`; it is called in the courier, once for each try.

Without that module the hub's own body is sent. The headers `Webhook-…` are added to every message: they are harmless to
whoever does not know them.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from jobs import targets
from jobs.client import Url
from jobs.engine import secrets
from jobs.engine.documents import NoticeDocument, SubscriptionDocument, notice_of
from jobs.engine.rights import Actor, Right, audit
from jobs.errors import Conflict, Invalid
from jobs.models import Channel, Event, Job, JobExecution, Notice, Project, Subscription
from jobs.models.prepared import hot_cursor, insert
from jobs.runners.base import SecretRef

WANTED = f"""
SELECT DISTINCT events FROM {Subscription._meta.db_table} WHERE is_enabled AND project_id = %s AND job_id IS NULL
UNION ALL SELECT DISTINCT events FROM {Subscription._meta.db_table} WHERE is_enabled AND job_id = %s
"""
MOST = 500
"""Subscriptions of one project."""


# -- what happens ------------------------------------------------------------------------------------------------------
def note(execution: JobExecution, event: str) -> None:
    """Write down that something happened (a word of `Event`), if anybody wants to be told. Call it in the transaction
    of the event itself."""
    if any(event in words.split() for (words,) in _wanted(execution)):
        insert(Notice(execution=execution, event=event))


def _wanted(execution: JobExecution) -> list[tuple[str]]:
    """Without the ORM: asked at the end of every execution, and mostly for nothing."""
    with hot_cursor() as cursor:
        cursor.execute(WANTED, [execution.project_id, execution.job_id or 0])
        return cursor.fetchall()


# -- the subscriptions of a project ------------------------------------------------------------------------------------
def subscribe(
    raw: Any,
    *,
    actor: Actor,
    project_id: int | None = None,
    face: str = "",
    extras: dict[str, Any] | None = None,
    need: Right = Right.EDIT,
) -> Subscription:
    """Tell a receiver of all executions of a project, from now on. Raises `Invalid` naming every wrong field.

    `need` is what a face's vendor asks of who subscribes; the receiver is told no more than who may see is shown.
    """
    project_id = actor.home if project_id is None else project_id
    actor.require(need, project_id, "subscribing")
    document = SubscriptionDocument.parse(raw)
    check(document, project_id)
    row = Subscription(project_id=project_id, face=face, extras=extras or {}, created_by=actor.name)
    _fill(row, document)
    row.is_enabled = document.enabled
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project_id)
        if Subscription.objects.filter(project_id=project_id, job=None).count() >= MOST:
            raise Conflict(f"a project has at most {MOST} subscriptions; remove one first")
        row.save()
        audit(actor, "subscribe", str(row), project_id, subscription=row.pk, events=row.words)
    return row


def change(subscription: Subscription, changes: Any, *, actor: Actor) -> Subscription:
    """Change some fields of a project's subscription; one that is changed is no longer resting."""
    if not isinstance(changes, dict):
        raise Invalid.field("", "wanted an object of fields")
    actor.require(Right.EDIT, subscription.project_id, "editing a subscription")
    _refuse_of_job(subscription)
    document = SubscriptionDocument.parse({**document_of(subscription), **changes})
    check(document, subscription.project_id)
    _fill(subscription, document)
    subscription.is_enabled = document.enabled
    subscription.n_failures, subscription.resting_until = 0, None
    with transaction.atomic():
        subscription.save()
        audit(actor, "edit subscription", str(subscription), subscription.project_id, subscription=subscription.pk)
    return subscription


def unsubscribe(subscription: Subscription, *, actor: Actor, need: Right = Right.EDIT) -> None:
    """Remove a project's subscription; what it has not been told yet is dropped, and its log goes with it."""
    actor.require(need, subscription.project_id, "unsubscribing")
    _refuse_of_job(subscription)
    with transaction.atomic():
        pk, text = subscription.pk, str(subscription)
        subscription.delete()
        audit(actor, "unsubscribe", text, subscription.project_id, subscription=pk)


def subscriptions(project_id: int, *, face: str = "") -> QuerySet[Subscription]:
    """Those of a project that belong to a face, or to the hub itself, oldest first."""
    return Subscription.objects.filter(project_id=project_id, job=None, face=face).order_by("pk")


def document_of(subscription: Subscription) -> dict[str, Any]:
    """As `subscribe` would take it again."""
    return {**notice_of(subscription), "enabled": subscription.is_enabled}


def _refuse_of_job(subscription: Subscription) -> None:
    if subscription.job is not None:
        raise Conflict(f"it stands in the job {subscription.job.name!r}: change the job's 'notify'")


# -- the notices of a job ----------------------------------------------------------------------------------------------
def set_notify(job: Job, documents: list[NoticeDocument], *, by: str) -> None:
    """Make the subscriptions of a job what its document says; those that stay keep their log and are switched on."""
    old = {_identity(row): row for row in job.subscriptions.all()}
    for document in documents:
        fresh = Subscription(project_id=job.project_id, job=job, created_by=by)
        _fill(fresh, document)
        row = old.pop(_identity(fresh), fresh)
        if row is fresh or not row.is_enabled or notice_of(row) != notice_of(fresh):
            _fill(row, document)
            row.is_enabled = True
            row.save()
    for row in old.values():
        row.delete()


def _identity(row: Subscription) -> tuple[str, str]:
    return row.channel, str(row.target)


# -- what is refused when it is saved ----------------------------------------------------------------------------------
def check(document: NoticeDocument, project_id: int) -> None:
    """Raises `Invalid` for a target that cannot be, and for a secret that the project has not."""
    if isinstance(document.webhook, str):
        _check_url(document.webhook)
    if document.email and not settings.EMAIL_IS_ON:
        raise Invalid.field("email", "this hub sends no e-mail; its operator sets JOBHUB_EMAIL_URL")
    for number, address in enumerate(document.email):
        _check_address(address, f"email.{number}")
    secret_of = {"secret": document.secret}
    if isinstance(document.webhook, SecretRef):
        secret_of["webhook"] = document.webhook.secret
    named = {field: name for field, name in secret_of.items() if name}
    for name in secrets.missing(named.values(), project_id) if named else ():
        field = next(field for field, one in named.items() if one == name)
        raise Invalid.field(field, f"there is no secret {name!r} in this project")


def _check_url(text: str) -> None:
    try:
        url = Url.parse(text)
    except ValueError as error:
        raise Invalid.field("webhook", str(error)) from None
    targets.guard().check(url.host, url.port, field="webhook")


def _check_address(text: str, field: str) -> None:
    try:
        validate_email(text)
    except ValidationError:
        raise Invalid.field(field, "wanted an address such as ops@example.org") from None


def _fill(row: Subscription, document: NoticeDocument) -> None:
    row.channel = Channel.EMAIL if document.email else Channel.WEBHOOK
    webhook = document.webhook
    row.target = document.email or ({"secret": webhook.secret} if isinstance(webhook, SecretRef) else webhook)
    row.secret = document.secret
    row.events = " ".join(event for event in Event if event in document.events)

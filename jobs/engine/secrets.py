"""Secrets of a project: admins set them, members refer to them by name, only runs read them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs import secrets
from jobs.engine.rights import Actor, Right, audit
from jobs.errors import Invalid, KeysUnfit, NotFound
from jobs.masking import MIN_CHARS
from jobs.models import Secret
from jobs.runners.base import SECRET_NAME
from jobs.texts import check_text

MAX_BYTES = 16384
SHOWN = ("name", "project__name", "created_at", "created_by", "updated_at", "updated_by")


def set_secret(name: str, value: str, *, actor: Actor, project_id: int | None = None) -> bool:
    """Keep a value under a name, instead of an older one; whether the name is new. Not for use in a transaction.

    Raises `Invalid` for a name or value that cannot be, `KeysUnfit` when the key file is lost.
    """
    project_id = actor.home if project_id is None else project_id
    actor.require(Right.ADMIN, project_id, "setting a secret")
    _check(name, value)
    with together():
        return _write(name, value, actor, project_id)


@contextmanager
def together() -> Iterator[None]:
    """A transaction in which secrets are set; what else is written in it stands or falls with them."""
    # Durable: were the row committed after the lock, a rotation in between could throw its key away.
    with secrets.keys().alone(), transaction.atomic(durable=True):
        yield


def keep(name: str, value: str, *, actor: Actor) -> str:
    """Keep what came with a document of a face, in the acting project and `together` with it; returns its full name.

    Whoever may edit may do so: the name begins with the face's, so no secret of an admin is touched.
    """
    actor.require(Right.EDIT, actor.home, "keeping a secret")
    name = name_of(name, actor)
    _check(name, value)
    _write(name, value, actor, actor.home)
    return name


def drop(name: str, *, actor: Actor) -> None:
    """Forget what `keep` kept under this name; harmless when it is gone."""
    actor.require(Right.EDIT, actor.home, "dropping a secret")
    name = name_of(name, actor)
    with transaction.atomic():
        if Secret.objects.filter(project_id=actor.home, name=name).delete()[0]:
            audit(actor, "delete secret", name, actor.home)


def name_of(name: str, actor: Actor) -> str:
    """The full name of what the actor's face keeps under this one."""
    return f"{actor.face}:{name.removeprefix(f'{actor.face}:')}"


def _write(name: str, value: str, actor: Actor, project_id: int) -> bool:
    keys, now = secrets.keys(), timezone.now()
    if not keys.exists() and Secret.objects.exists():
        raise KeysUnfit(f"the key file {keys.path} is missing; restore it, or delete the secrets that need it")
    fields = {"ciphertext": keys.encrypt(value), "updated_at": now, "updated_by": actor.name}
    first = {**fields, "created_at": now, "created_by": actor.name}
    _, is_new = Secret.objects.update_or_create(
        project_id=project_id, name=name, defaults=fields, create_defaults=first
    )
    audit(actor, "create secret" if is_new else "edit secret", name, project_id)
    return is_new


def _check(name: str, value: str) -> None:
    if not SECRET_NAME.fullmatch(name):
        raise Invalid.field("name", "wanted at most 64 letters, digits and any of . _ : -, the first no sign")
    if len(value) < MIN_CHARS:
        raise Invalid.field(
            "value", f"wanted at least {MIN_CHARS} characters: a shorter one cannot be masked in output"
        )
    try:
        check_text(value)
    except ValueError as error:
        raise Invalid.field("value", str(error)) from None
    if len(value.encode()) > MAX_BYTES:
        raise Invalid.field("value", f"wanted at most {MAX_BYTES} bytes")


def list_secrets(*, actor: Actor, project_id: int | None = None) -> list[dict[str, Any]]:
    """What may be told of the secrets of a project, or of all that the actor sees: `SHOWN`, never a value."""
    rows = Secret.objects.all()
    if project_id is not None:
        actor.require(Right.SEE, project_id, "listing secrets")
        rows = rows.filter(project_id=project_id)
    elif (visible := actor.visible_projects) is not None:
        rows = rows.filter(project_id__in=visible)
    return list(rows.order_by("project__name", "name").values(*SHOWN))


def delete_secret(name: str, *, actor: Actor, project_id: int | None = None) -> None:
    """Jobs that refer to it fail from now on, and say so. Raises `NotFound` when there is none."""
    project_id = actor.home if project_id is None else project_id
    actor.require(Right.ADMIN, project_id, "deleting a secret")
    with transaction.atomic():
        n_deleted, _ = Secret.objects.filter(project_id=project_id, name=name).delete()
        if not n_deleted:
            raise NotFound(f"there is no secret {name!r}")
        audit(actor, "delete secret", name, project_id)


def rotate(*, actor: Actor) -> int:
    """Encrypt all secrets with a new key and forget the old ones; how many there are.

    A crash at any moment loses nothing: the new key is on disk before the first row needs it, the old ones go only
    after every row was written. Raises `KeysUnfit` naming a secret that cannot be read; all stays as it was then.
    """
    actor.require_everything("rotating the keys")
    keys = secrets.keys()
    with keys.alone():
        if not keys.exists() and not Secret.objects.exists():
            return 0
        keys.add_key()
        with transaction.atomic(durable=True):
            rows = list(Secret.objects.select_for_update().order_by("pk"))
            for row in rows:
                row.ciphertext = _renewed(keys, row)
                row.save(update_fields=["ciphertext"])
            audit(actor, "rotate secrets", f"{len(rows)} secrets")
        if all(keys.is_newest(text) for text in Secret.objects.values_list("ciphertext", flat=True)):
            keys.drop_old_keys()
    return len(rows)


def _renewed(keys: secrets.KeyFile, row: Secret) -> str:
    try:
        return keys.renew(row.ciphertext)
    except KeysUnfit as error:
        raise KeysUnfit(f"the secret {row.name!r} cannot be read: {error.message}") from None


def missing(names: Iterable[str], project_id: int) -> set[str]:
    """Those of the names that no secret of the project has."""
    wanted = set(names)
    return wanted - set(Secret.objects.filter(project_id=project_id, name__in=wanted).values_list("name", flat=True))


def reveal(name: str, project_id: int) -> str:
    """The value, for a run of the project. Raises `NotFound`, or `KeysUnfit` naming the key file."""
    ciphertext = Secret.objects.filter(project_id=project_id, name=name).values_list("ciphertext", flat=True).first()
    if ciphertext is None:
        raise NotFound(f"there is no secret {name!r} in the job's project")
    try:
        return secrets.keys().decrypt(ciphertext)
    except KeysUnfit as error:
        raise KeysUnfit(f"the secret {name!r} cannot be read: {error.message}") from None

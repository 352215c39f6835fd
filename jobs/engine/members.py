"""Users, projects, and who is what in which project."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from jobs.engine.forms import check_name
from jobs.engine.rights import Actor, Right, audit
from jobs.errors import Conflict, FieldError, Invalid, NotFound
from jobs.models import ApiKey, Membership, Project, Role, User

USER_FIELDS = frozenset({"email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "is_service"})
PROJECT_FIELDS = frozenset({"name", "description"})


def create_user(username: str, *, actor: Actor, password: str | None = None, **fields: Any) -> User:
    """A new user; without a password one who cannot log in. `fields`: see `USER_FIELDS`.

    Superusers are Django's staff as well: they see the admin. Raises `Invalid` for a bad name, field or password.
    """
    actor.require_everything("making a user")
    user = User(username=username)
    _set_fields(user, fields, USER_FIELDS)
    _set_password(user, password)
    with transaction.atomic():
        _save(user)
        audit(actor, "create user", username, **_plain(fields))
    return user


def set_user(user: User, *, actor: Actor, password: str | None = None, **fields: Any) -> None:
    """Change a user's password or `USER_FIELDS`; nobody may take away the last active superuser."""
    actor.require_everything("editing a user")
    with transaction.atomic():
        others = User.objects.select_for_update().filter(is_active=True, is_superuser=True).exclude(pk=user.pk)
        was_ruling = user.is_active and user.is_superuser
        _set_fields(user, fields, USER_FIELDS)
        if was_ruling and not (user.is_active and user.is_superuser) and not others.exists():
            raise Conflict(f"{user.username} is the last active superuser; make another one first")
        if password is not None:
            _set_password(user, password)
        _save(user)
        audit(actor, "edit user", user.username, **_plain(fields), password=password is not None)


def create_project(name: str, *, actor: Actor, description: str = "") -> Project:
    """A new project without members. Raises `Invalid` for a bad or taken name."""
    actor.require_everything("making a project")
    project = Project()
    with transaction.atomic():
        _set_project(project, {"name": name, "description": description})
        audit(actor, "create project", name, project.pk)
    return project


def set_project(project: Project, *, actor: Actor, **fields: Any) -> None:
    """Change a project's `PROJECT_FIELDS`."""
    actor.require(Right.ADMIN, project.pk, "editing a project")
    with transaction.atomic():
        _set_project(project, fields)
        audit(actor, "edit project", project.name, project.pk, **_plain(fields))


def delete_project(project: Project, *, actor: Actor) -> None:
    """Delete a project without history, with its memberships, keys and secrets. Raises `Conflict` when it has some."""
    actor.require_everything("deleting a project")
    with transaction.atomic():
        locked = Project.objects.select_for_update().filter(pk=project.pk).first()
        if locked is None:
            raise NotFound(f"the project {project.name!r} was deleted")
        if has_history(locked):
            raise Conflict(f"the project {locked.name!r} has jobs or executions; delete them first")
        audit(actor, "delete project", locked.name)
        locked.delete()


def has_history(project: Project) -> bool:
    return project.jobs.exists() or project.executions.exists() or project.archives.exists()


def set_member(user: User, project: Project, role: str, *, actor: Actor, is_default: bool | None = None) -> Membership:
    """Give a user a role in a project, or another one than before.

    A user's first membership is the default one, in which it acts when no project is named; `is_default=True` makes
    this one the default.
    """
    actor.require(Right.ADMIN, project.pk, "managing members")
    if role not in Role.values:
        raise Invalid.field("role", f"wanted one of {', '.join(Role.values)}")
    if is_default and actor.user_id != user.pk:
        actor.require_everything("choosing the project in which another user acts")
    with transaction.atomic():
        memberships = Membership.objects.select_for_update().filter(user=user)
        if is_default is None:
            is_default = not memberships.exclude(project=project).filter(is_default=True).exists()
        if is_default:
            memberships.exclude(project=project).update(is_default=False)
        fields = {"role": role, "is_default": is_default}
        member, _ = Membership.objects.update_or_create(user=user, project=project, defaults=fields)
        audit(actor, "set member", user.username, project.pk, role=role)
    return member


def remove_member(user: User, project: Project, *, actor: Actor) -> None:
    """End a membership; the user's keys of the project end with it. Raises `NotFound` when there is none."""
    actor.require(Right.ADMIN, project.pk, "managing members")
    with transaction.atomic():
        member = Membership.objects.filter(user=user, project=project).first()
        if member is None:
            raise NotFound(f"{user.username} is no member of {project.name}")
        member.delete()
        keys = ApiKey.objects.filter(user=user, project=project, revoked_at=None)
        n_keys = keys.update(revoked_at=timezone.now())
        oldest = Membership.objects.filter(user=user).order_by("-is_default", "pk").first()
        if oldest is not None and not oldest.is_default:
            Membership.objects.filter(pk=oldest.pk).update(is_default=True)
        audit(actor, "remove member", user.username, project.pk, revoked_keys=n_keys)


def _set_fields(row: Model, fields: Mapping[str, Any], known: frozenset[str]) -> None:
    for name, value in fields.items():
        if name not in known:
            raise Invalid.field(name, "unknown field")
        setattr(row, name, value)
    if isinstance(row, User):
        row.is_staff = row.is_superuser or row.is_staff


def _set_password(user: User, password: str | None) -> None:
    if password is None:
        user.set_unusable_password()
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid.field("password", " ".join(error.messages)) from None
    user.set_password(password)


def _set_project(project: Project, fields: Mapping[str, Any]) -> None:
    _set_fields(project, fields, PROJECT_FIELDS)
    try:
        check_name(project.name)
    except ValueError as error:
        raise Invalid.field("name", str(error)) from None
    _save(project)


def _save(row: Model) -> None:
    """Saves what Django's own checks of the fields let through; raises `Invalid` with one error per wrong field."""
    try:
        row.full_clean(exclude=["password"])
    except ValidationError as error:
        fields = error.message_dict.items()
        raise Invalid(FieldError(name, " ".join(messages)) for name, messages in fields) from None
    row.save()


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}

"""API keys: made, revoked, and found again by the text that a client sends."""

import contextlib
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from jobs.engine.rights import Actor, Right, audit, right_of
from jobs.engine.times import check_future
from jobs.errors import Conflict, Invalid
from jobs.models import ApiKey, Level, Membership, Project, Role, User
from jobs.models.prepared import Prepared, Row
from jobs.texts import check_text

SECRET_BYTES = 32
NAME_LENGTH = 100
USE_NOTED_EVERY = timedelta(minutes=1)
NOBODYS_DIGEST = hashlib.sha256(b"").hexdigest()
_SAME = Membership.objects.filter(user=OuterRef("user"), project=OuterRef("project"))
_KEY = Prepared(
    ApiKey.objects.annotate(role=Subquery(_SAME.values("role"))).values(
        "pk",
        "digest",
        "level",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "project_id",
        "user_id",
        "user__username",
        "user__is_active",
        "user__is_superuser",
        "role",
    ),
    "key_id",
)


@dataclass(frozen=True)
class Holder:
    """Who came with a key, and what the key says: everything that a request needs, from one query."""

    key_id: str
    level: Level
    expires_at: datetime | None
    user_id: int
    username: str
    project_id: int
    role: Role

    def actor(self, face: str, address: str = "") -> Actor:
        """Who acts: in the key's project only, whatever else the user may do."""
        return Actor(
            name=self.username,
            face=face,
            user_id=self.user_id,
            key_id=self.key_id,
            address=address,
            project_id=self.project_id,
            rights={self.project_id: right_of(self.role, self.level)},
        )


def create_key(
    user: User,
    project: Project,
    level: str,
    name: str = "",
    expires_at: datetime | None = None,
    *,
    actor: Actor,
) -> tuple[ApiKey, str]:
    """A new key and its text `<id>.<secret>`, which is stored nowhere and shown this once.

    Raises `Invalid` for a level or an end that cannot be, or a user who is no member of the project.
    """
    actor.require(Right.ADMIN, project.pk, "making a key")
    _check(user, project, level, name, expires_at)
    if level == Level.ADMIN and user.pk != actor.user_id and _rules(user, project):
        actor.require_everything("making an admin key of another admin")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        key = ApiKey.objects.create(
            key_id=secrets.token_hex(8),
            digest=_digest(secret),
            name=name,
            user=user,
            project=project,
            level=level,
            expires_at=expires_at,
        )
        audit(actor, "create key", key.key_id, project.pk, user=user.username, level=level, name=name)
    return key, f"{key.key_id}.{secret}"


def _rules(user: User, project: Project) -> bool:
    """Whoever makes a key knows it: one who loses the role must not be left with another admin's."""
    return user.is_superuser or user.memberships.filter(project=project, role=Role.ADMIN).exists()


def _check(user: User, project: Project, level: str, name: str, expires_at: datetime | None) -> None:
    if level not in Level.values:
        raise Invalid.field("level", f"wanted one of {', '.join(Level.values)}")
    try:
        check_text(name)
    except ValueError as error:
        raise Invalid.field("name", str(error)) from None
    if len(name) > NAME_LENGTH:
        raise Invalid.field("name", f"wanted at most {NAME_LENGTH} characters")
    check_future("expires_at", expires_at)
    if not user.is_superuser and not user.memberships.filter(project=project).exists():
        raise Invalid.field("user", f"{user.username} is no member of {project.name}")


def revoke_key(key: ApiKey, *, actor: Actor) -> None:
    """End a key at once. Raises `Conflict` when it was revoked before."""
    actor.require(Right.ADMIN, key.project_id, "revoking a key")
    with transaction.atomic():
        now = timezone.now()
        if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
            raise Conflict(f"the key {key.key_id} has been revoked before")
        key.revoked_at = now
        audit(actor, "revoke key", key.key_id, key.project_id)


def find_key(text: str) -> Holder | None:
    """Who holds the key of this text; `None` when it is unknown, wrong, revoked or expired, or its user may not act.

    Its use is noted at most once a minute.
    """
    key_id, _, secret = text.partition(".")
    row = _KEY.first(key_id) if key_id.isascii() and key_id.isalnum() else None
    is_right = hmac.compare_digest(_digest(secret), row["digest"] if row else NOBODYS_DIGEST)
    return _holder(key_id, row) if row and is_right else None


def holder_of(key_id: str) -> Holder | None:
    """The same by the id alone, for a key that the operator has opened to everybody."""
    row = _KEY.first(key_id)
    return _holder(key_id, row) if row else None


def _holder(key_id: str, row: Row) -> Holder | None:
    now = timezone.now()
    role = Role.ADMIN if row["user__is_superuser"] else row["role"]
    is_over = row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= now)
    if is_over or role is None or not row["user__is_active"]:
        return None
    if row["last_used_at"] is None or row["last_used_at"] < now - USE_NOTED_EVERY:
        _note_use(row["pk"], now)
    return Holder(
        key_id=key_id,
        level=Level(row["level"]),
        expires_at=row["expires_at"],
        user_id=row["user_id"],
        username=row["user__username"],
        project_id=row["project_id"],
        role=Role(role),
    )


def _note_use(pk: int, now: datetime) -> None:
    """A database too busy for this little write must not refuse a request that only reads."""
    unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    with contextlib.suppress(DatabaseError):
        ApiKey.objects.filter(unnoted, pk=pk).update(last_used_at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

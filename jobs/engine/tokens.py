"""Tokens: logins for a while, made from a password or from another token, and found again by the text that is sent.

The text is `<id>.<signature>`. The signature covers what the row says and the user's stored password, by the hub's
secret key: whoever reads the database cannot make one, and a changed password ends all tokens of its user.
"""

import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from jobs.engine.rights import OF_SERVICE, Actor, Right, audit, right_of
from jobs.errors import Conflict, NotFound
from jobs.models import Membership, Project, Role, Token, User
from jobs.models.prepared import Prepared

SERVICE = "service"
SALT = "jobs.engine.tokens"
TOKEN = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{64}", re.ASCII)
BATCH = 5000
_SAME = Membership.objects.filter(user=OuterRef("user"), project=OuterRef("project"))
_TOKEN = Prepared(
    Token.objects.annotate(role=Subquery(_SAME.values("role"))).values(
        "token_id",
        "methods",
        "created_at",
        "expires_at",
        "revoked_at",
        "user_id",
        "user__username",
        "user__uuid",
        "user__password",
        "user__is_active",
        "user__is_superuser",
        "user__is_service",
        "project_id",
        "project__name",
        "project__uuid",
        "role",
    ),
    "token_id",
)


@dataclass(frozen=True)
class Bearer:
    """Who comes with a token, and what it says: everything that a request needs, from one query."""

    token_id: str
    methods: str
    created_at: datetime
    expires_at: datetime
    user_id: int
    username: str
    user_uuid: uuid.UUID
    is_superuser: bool
    is_service: bool
    role: str | None
    """In the token's project."""
    project_id: int | None
    project_name: str | None
    project_uuid: uuid.UUID | None

    @property
    def roles(self) -> list[str]:
        """In the token's project, the highest first; each includes those behind it."""
        names = list(reversed(Role.values))
        given = Role.ADMIN if self.is_superuser else self.role
        own = names[names.index(given) :] if given else []
        return [*own, *([SERVICE] if self.is_service else [])]

    def actor(self, face: str, address: str = "") -> Actor:
        """Who acts: in the token's project only, but for those who may act everywhere."""
        rights = {self.project_id: right_of(self.role, None)} if self.role and self.project_id else {}
        return Actor(
            name=self.username,
            face=face,
            user_id=self.user_id,
            key_id=self.token_id,
            address=address,
            project_id=self.project_id,
            rights=rights,
            sees_all=self.is_superuser,
            everywhere=OF_SERVICE if self.is_service else Right.NONE,
        )


def issue(
    user: User, project: Project | None, *, methods: str, face: str, address: str, expires_at: datetime | None = None
) -> str:
    """The text of a new token, which is stored nowhere. `expires_at`: not later than the token that it is made from.

    Raises `NotFound` when the user may not see the project.
    """
    if project is not None and not _may_see(user, project):
        raise NotFound
    until = timezone.now() + timedelta(seconds=settings.HUB["TOKEN_S"])
    token = Token(
        token_id=secrets.token_hex(16),
        user=user,
        project=project,
        methods=methods,
        address=address,
        expires_at=min(until, expires_at or until),
    )
    with transaction.atomic():
        token.save(force_insert=True)
        who = Actor(name=user.username, face=face, user_id=user.pk, address=address)
        audit(who, "create token", token.token_id, token.project_id)
    return f"{token.token_id}.{_signature(token.token_id, user.password, user.pk, token.project_id, token.expires_at)}"


def _may_see(user: User, project: Project) -> bool:
    return user.is_superuser or user.is_service or user.memberships.filter(project=project).exists()


def _signature(token_id: str, password: str, user_id: int, project_id: int | None, expires_at: datetime) -> str:
    said = "|".join([token_id, password, str(user_id), str(project_id), f"{expires_at.timestamp():.6f}"])
    return salted_hmac(SALT, said, algorithm="sha256").hexdigest()


def find_token(text: str) -> Bearer | None:
    """Who holds this token; `None` when it is unknown, forged, revoked or expired, or its user may no longer act."""
    if not TOKEN.fullmatch(text):
        return None
    token_id, _, signature = text.partition(".")
    row = _TOKEN.first(token_id)
    if row is None:
        return None
    wanted = _signature(token_id, row["user__password"], row["user_id"], row["project_id"], row["expires_at"])
    if not constant_time_compare(signature, wanted) or row["revoked_at"] or row["expires_at"] <= timezone.now():
        return None
    has_role = row["role"] or row["user__is_superuser"] or row["user__is_service"]
    if not row["user__is_active"] or (row["project_id"] and not has_role):
        return None
    return _bearer(row)


def _bearer(row: dict[str, Any]) -> Bearer:
    return Bearer(
        token_id=row["token_id"],
        methods=row["methods"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        user_id=row["user_id"],
        username=row["user__username"],
        user_uuid=row["user__uuid"],
        is_superuser=row["user__is_superuser"],
        is_service=row["user__is_service"],
        role=row["role"],
        project_id=row["project_id"],
        project_name=row["project__name"],
        project_uuid=row["project__uuid"],
    )


def revoke_token(token_id: str, *, actor: Actor) -> None:
    """End a token at once: one's own, or as a superuser anybody's. Raises `NotFound`, or `Conflict` the second time."""
    token = Token.objects.filter(token_id=token_id).first()
    if token is None:
        raise NotFound(f"there is no token {token_id!r}")
    if token.user_id != actor.user_id:
        actor.require_everything("revoking another one's token")
    with transaction.atomic():
        if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            raise Conflict(f"the token {token_id} has been revoked before")
        audit(actor, "revoke token", token_id, token.project_id)


def drop_expired(now: datetime) -> int:
    """Delete the tokens whose time is over, a batch at a time; how many there were."""
    total = 0
    rows = Token.objects.filter(expires_at__lt=now).order_by("expires_at")
    while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
        total += Token.objects.filter(pk__in=ids).delete()[0]
    return total

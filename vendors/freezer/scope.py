"""Whose things a path means: `/v2/<project>/…` those of a project, `/v1/…` those of the project one acts in."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.urls.converters import StringConverter

from jobs.engine.documents import is_uuid
from jobs.engine.rights import Actor, Right
from jobs.models import Project
from jobs.models.prepared import Prepared
from vendors.freezer.errors import forbidden
from vendors.wire.auth import Credentials

V1 = "v1"
_COLUMNS = Project.objects.values("id", "uuid")
_BY_UUID, _BY_NAME, _BY_ID = (Prepared(_COLUMNS, field) for field in ("uuid", "name", "id"))


class ScopeConverter(StringConverter):
    """The first part of a path, in both versions of the API."""

    regex = r"v1|v2/[^/]+"


@dataclass(frozen=True)
class Scope:
    """A project in which somebody acts."""

    actor: Actor
    project_id: int
    keystone_id: str
    who: Callable[[], uuid.UUID]
    is_v1: bool

    @cached_property
    def user(self) -> str:
        """Who acts, by the id that Keystone's clients know; only what is written has to know it."""
        return self.who().hex

    @property
    def sees_all(self) -> bool:
        """Superusers and services: lists show the jobs of all projects."""
        return self.actor.visible_projects is None

    @property
    def may_report(self) -> bool:
        """Whether it may speak as a node of the project."""
        return self.actor.right(self.project_id) >= (Right.TRIGGER if self.sees_all else Right.EDIT)


def scope_of(text: str, credentials: Credentials, user: Any) -> Scope:
    """Raises `Refusal` for a project that is none of the actor's, known or not."""
    actor = credentials.actor
    bearer = credentials.bearer
    ref = text.removeprefix("v2/")
    if bearer and bearer.project_id and bearer.project_uuid and (text == V1 or ref == bearer.project_uuid.hex):
        found = bearer.project_id, bearer.project_uuid.hex
    else:
        found = _find(None if text == V1 else ref, actor)
    if actor.right(found[0]) < Right.SEE:
        raise forbidden()
    own = bearer.user_uuid if bearer else None
    return Scope(replace(actor, project_id=found[0]), *found, who=lambda: own or user.uuid, is_v1=text == V1)


def _find(ref: str | None, actor: Actor) -> tuple[int, str]:
    if ref is None:
        row = _BY_ID.first(actor.project_id) if actor.project_id else None
    elif is_uuid(ref):
        row = _BY_UUID.first(ref)
    else:
        row = _BY_NAME.first(ref) if "\0" not in ref else None
    if row is None:
        raise forbidden()
    return row["id"], row["uuid"].hex

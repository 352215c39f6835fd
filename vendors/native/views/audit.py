"""Who did what."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine.rights import Actor, Right
from jobs.models import AuditEvent
from vendors.native.filters import AuditFilters
from vendors.native.serializers import AuditSerializer
from vendors.native.shapes import Row
from vendors.native.views.base import NativeViewSet
from vendors.wire.lookups import EVERYWHERE, find_project

PROJECT = OpenApiParameter(
    "project", OpenApiTypes.STR, description="By name, uuid or id; default: all whose audit one may read."
)
COLUMNS = (
    "id",
    "at",
    "username",
    "face",
    "key_id",
    "project__name",
    "deed",
    "subject",
    "address",
    "count",
    "detail",
)
RENAMED = {"username": "who", "key_id": "key", "project__name": "project"}


class AuditViewSet(NativeViewSet):
    """What was done and refused, newest first: admins read what concerns their projects, superusers all of it."""

    queryset = AuditEvent.objects.values(*COLUMNS)
    filterset_class = AuditFilters
    list_params = {"project"}

    def visible(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        projects = readable(self.actor, self.request.query_params.get("project"))
        return rows if projects is None else rows.filter(project__in=projects)

    @extend_schema(summary="List audit events", parameters=[PROJECT], responses=AuditSerializer)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([_shown(row) for row in page or []])


def readable(actor: Actor, ref: str | None) -> list[int] | None:
    """The projects whose audit is asked for, `None` for everything. Raises `Forbidden` for those who rule none."""
    if ref is not None and ref != EVERYWHERE:
        project = find_project(ref, actor)
        actor.require(Right.ADMIN, project.pk, "reading the audit")
        return [project.pk]
    if actor.sees_all:
        return None
    ruled = [project for project, right in actor.rights.items() if right >= Right.ADMIN]
    if not ruled:
        raise actor.refusal("reading the audit", f"reading the audit is for admins; {actor.name} is none")
    return ruled


def _shown(row: Row) -> Row:
    return {RENAMED.get(name, name): value for name, value in row.items()}

"""What else there is: projects, nodes, archives, and who is asking."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.models import Archive, Project
from vendors.native import parameters
from vendors.native.filters import ArchiveFilters
from vendors.native.serializers import (
    ArchiveSerializer,
    LinksSerializer,
    MeSerializer,
    ProjectSerializer,
)
from vendors.native.views.base import ByName, NativeView, NativeViewSet
from vendors.wire.auth import credentials_of
from vendors.wire.lookups import find_project
from vendors.wire.pagination import absolute

PLACES = (
    "jobs",
    "executions",
    "planned",
    "nodes",
    "projects",
    "archives",
    "audit",
    "subscriptions",
    "deliveries",
    "me",
    "schema",
)


class RootView(NativeView):
    """Where things are."""

    @extend_schema(summary="See where things are", operation_id="root", responses=LinksSerializer)
    def get(self, request: Request) -> Response:
        return Response({name: absolute(request, reverse(f"native:{name}")) for name in PLACES})


class MeView(NativeView):
    """Who is asking, and what they may do."""

    @extend_schema(summary="See who one is", operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        credentials = credentials_of(request)
        actor, key = credentials.actor, credentials.key
        project = Project.objects.filter(pk=actor.project_id or 0).first()
        return Response(
            {
                "user": actor.name,
                "is_superuser": actor.sees_all,
                "project": ProjectSerializer(project, context={"actor": actor}).data if project else None,
                "key": {"id": key.key_id, "level": key.level, "expires_at": key.expires_at} if key else None,
            }
        )


class ProjectViewSet(NativeViewSet):
    """The projects that one may see."""

    queryset = Project.objects.all()
    pagination_class = ByName
    serializer_class = ProjectSerializer

    def visible(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        mine = self.actor.visible_projects
        return rows if mine is None else rows.filter(pk__in=mine)

    @extend_schema(summary="List projects")
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(summary="Read a project")
    def retrieve(self, request: Request, ref: str) -> Response:
        return Response(self.get_serializer(find_project(ref, self.actor)).data)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "actor": self.actor}


class ArchiveViewSet(NativeViewSet):
    """What backups made, newest first."""

    queryset = Archive.objects.select_related("project")
    serializer_class = ArchiveSerializer
    filterset_class = ArchiveFilters
    list_params = {"project"}

    @extend_schema(summary="List archives", parameters=[parameters.PROJECT])
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

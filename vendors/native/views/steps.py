"""The timeline of an execution."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.models import ActionExecution
from vendors.native.serializers import StepSerializer
from vendors.native.views.base import NativeViewSet
from vendors.wire.lookups import ExecutionRows
from vendors.wire.pagination import Keyset

EXECUTIONS = ExecutionRows("id", "project_id")


class InOrder(Keyset):
    """As they happened."""

    orders = {"id": ("id",)}


class StepViewSet(NativeViewSet):
    """The steps of an execution, attempt by attempt."""

    queryset = ActionExecution.objects.all()
    pagination_class = InOrder
    serializer_class = StepSerializer

    def visible(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(execution_id=EXECUTIONS.find(self.kwargs["ref"], self.actor)["id"])

    @extend_schema(summary="List the steps of an execution", operation_id="executions_actions")
    def list(self, request: Request, ref: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

"""Nodes: how they are, and what a superuser makes of them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import nodes
from jobs.engine.nodes import Drain, NodeDocument
from jobs.models import Node
from vendors.native.serializers import NodeSerializer
from vendors.native.views.base import ByName, NativeViewSet


class NodeViewSet(NativeViewSet):
    """The machines whose workers take executions. Everybody sees them; superusers drain, label and limit them."""

    queryset = Node.objects.all()
    pagination_class = ByName
    serializer_class = NodeSerializer

    def visible(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows

    @extend_schema(summary="List nodes")
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(_shown(page or []))

    @extend_schema(summary="Read a node", responses=NodeSerializer)
    def retrieve(self, request: Request, ref: str) -> Response:
        return self._answer(nodes.find_node(ref, actor=self.actor))

    @extend_schema(
        summary="Label or limit a node",
        description="What is left out stays. For superusers. Its workers know it some seconds later.",
        request=NodeDocument,
        responses=NodeSerializer,
    )
    def partial_update(self, request: Request, ref: str) -> Response:
        node = nodes.find_node(ref, actor=self.actor)
        nodes.change_node(node, request.data, actor=self.actor)
        return self._answer(node)

    @extend_schema(
        summary="Drain a node",
        description="It takes no new work; what runs there goes on. For superusers.",
        request=Drain,
        responses=NodeSerializer,
    )
    def drain(self, request: Request, ref: str) -> Response:
        wanted = Drain.parse(request.data)
        node = nodes.find_node(ref, actor=self.actor)
        nodes.drain(node, actor=self.actor, reason=wanted.reason)
        return self._answer(node)

    @extend_schema(summary="End the draining of a node", request=None, responses=NodeSerializer)
    def undrain(self, request: Request, ref: str) -> Response:
        node = nodes.find_node(ref, actor=self.actor)
        nodes.undrain(node, actor=self.actor)
        return self._answer(node)

    def _answer(self, node: Node) -> Response:
        return Response(_shown([node])[0])

    def example(self, method: str, data: Any) -> Any:
        return {"reason": "maintenance"} if method == "POST" else {"labels": ["gpu"], "max_running": 2}


def _shown(rows: list[Node]) -> Any:
    running = nodes.running_on(node.name for node in rows)
    return NodeSerializer(rows, many=True, context={"running": running}).data

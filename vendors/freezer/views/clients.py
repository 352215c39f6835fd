"""Clients: the machines that run jobs."""

from collections.abc import Iterable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.errors import NotFound
from vendors.freezer import clients, hub, search
from vendors.freezer.errors import Refusal
from vendors.freezer.views.base import FreezerView, Json


class ClientsView(FreezerView):
    """The nodes of the hub's own workers, and the machines that have registered."""

    def get(self, request: Request, scope: str) -> Response:
        limit, offset = self.window
        wanted, project = self.search, self.scope.keystone_id
        own = [hub.client_json(node, project) for node in hub.own_nodes()]
        found = [one for one in own if wanted.takes(one)]
        rest = search.page(clients.visible(self.scope), wanted, limit, max(0, offset - len(found)), _shown)
        return Response({"clients": [*found[offset : offset + limit], *rest][:limit]})

    def post(self, request: Request, scope: str) -> Response:
        return Response({"client_id": clients.register(self.required, self.scope)}, status=201)


def _shown(rows: Iterable[Any]) -> list[Json]:
    return [clients.client_json(row, row.project.uuid.hex) for row in rows]


class ClientView(FreezerView):
    """One client."""

    def get(self, request: Request, scope: str, client_id: str) -> Response:
        if hub.is_own(client_id):
            node = hub.node_of(client_id)
            if node is None:
                raise NotFound
            return Response(hub.client_json(node, self.scope.keystone_id))
        row = clients.find(client_id, self.scope)
        if row is None:
            raise NotFound
        return Response(_shown([row])[0])

    def delete(self, request: Request, scope: str, client_id: str) -> Response:
        if not clients.delete(client_id, self.scope) and self.scope.is_v1:
            raise Refusal(404, "Not Found", f"No Client found with ID:{client_id}")
        return Response(status=204)

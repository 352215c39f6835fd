"""Connections: list, create, read, replace, delete. What imports and exports read and write through them follows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import secrets
from jobs.engine.rights import Right
from vendors.datameer import configurations, connections, documents
from vendors.datameer.kinds import title_of
from vendors.datameer.vendor import VENDOR
from vendors.datameer.views.base import DatameerView, created, success, window
from vendors.models import VendorDocument


class ConnectionsBase(DatameerView):
    @contextmanager
    def followed(self, path: str, own_uuid: str = "") -> Iterator[None]:
        """What happens inside changes the connection of that name, and with it the jobs whose documents name it."""
        project_id = self.actor.home
        self.actor.require(Right.EDIT, project_id, "changing a connection")
        with secrets.together():
            jobs = configurations.followers([connections.key_of(path), own_uuid], project_id)
            yield
            configurations.refit(jobs, actor=self.actor)


class ConnectionsView(ConnectionsBase):
    """All of the acting project, by path; a new one."""

    def get(self, request: Request) -> Response:
        rows = connections.SHELF.all(self.actor.home)[window(request, VENDOR.paging.largest)]
        return Response([listed(row) for row in rows])

    def post(self, request: Request) -> Response:
        given = documents.parse(request.data)
        with self.followed(given.path, str(given.body["file"].get("uuid"))):
            made = connections.create(given, actor=self.actor)
        return created(made.pk)


def listed(row: VendorDocument) -> dict[str, Any]:
    """As the lists of jobs: the id comes last."""
    return {
        "uuid": row.body["uuid"],
        "path": row.key,
        "description": row.body["description"],
        "name": title_of(row.key),
        "id": row.pk,
    }


class ConnectionView(ConnectionsBase):
    """One connection. Its password is never shown."""

    def get(self, request: Request, connection: str) -> Response:
        return Response(connections.connection_json(connections.find(connection, self.actor)))

    def put(self, request: Request, connection: str) -> Response:
        given, found = documents.parse(request.data), connections.find(connection, self.actor)
        with self.followed(found.key, found.body["uuid"]):
            connections.replace(found, given, actor=self.actor)
        return success()

    def delete(self, request: Request, connection: str) -> Response:
        found = connections.find(connection, self.actor)
        with self.followed(found.key, found.body["uuid"]):
            connections.delete(found, actor=self.actor)
        return success()

    def example(self, method: str, data: Any) -> Any:
        return data if method == "PUT" else None

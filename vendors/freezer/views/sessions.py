"""Sessions: jobs that belong together."""

import uuid
from collections.abc import Iterable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.errors import Conflict, NotFound
from vendors.freezer import search, sessions
from vendors.freezer.errors import Refusal, bad_format, exists
from vendors.freezer.stores import SESSIONS
from vendors.freezer.views.base import FreezerView, Json

NO_VERSION = 0


class SessionsView(FreezerView):
    """Sessions of the project."""

    def get(self, request: Request, scope: str) -> Response:
        limit, offset = self.window
        project = self.scope.keystone_id

        def shown(rows: Iterable[Any]) -> list[Json]:
            return [sessions.session_json(row, project) for row in rows]

        found = search.page(SESSIONS.all(self.scope.project_id), self.search, limit, offset, shown)
        return Response({"sessions": found})

    def post(self, request: Request, scope: str) -> Response:
        given = self.required
        sessions.check(given)
        session_id = given.get("session_id") or uuid.uuid4().hex
        try:
            SESSIONS.create(session_id, sessions.document_of(given), self.scope)
        except Conflict as error:
            raise exists(error.message) from None
        return Response({"session_id": session_id}, status=201)


class SessionView(FreezerView):
    """One session."""

    def get(self, request: Request, scope: str, session_id: str) -> Response:
        row = SESSIONS.find(session_id, self.scope.project_id)
        if row is None:
            raise NotFound
        return Response(sessions.session_json(row, self.scope.keystone_id))

    def patch(self, request: Request, scope: str, session_id: str) -> Response:
        sessions.patch(session_id, self.document, self.scope)
        return Response({"session_id": session_id, "version": NO_VERSION})

    def post(self, request: Request, scope: str, session_id: str) -> Response:
        """Create it with this id, or put another in its place."""
        sessions.replace(session_id, {**self.required, "session_id": session_id}, self.scope)
        return Response({"session_id": session_id, "version": session_id}, status=201)

    def delete(self, request: Request, scope: str, session_id: str) -> Response:
        if not SESSIONS.delete(session_id, self.scope) and self.scope.is_v1:
            raise Refusal(404, "Not Found", f"No Session found with ID:{session_id}")
        return Response(status=204)


class SessionJobView(FreezerView):
    """A job's place in a session."""

    def put(self, request: Request, scope: str, session_id: str, job_id: str) -> Response:
        sessions.add_job(session_id, job_id, self.scope)
        return Response(status=204)

    def delete(self, request: Request, scope: str, session_id: str, job_id: str) -> Response:
        sessions.remove_job(session_id, job_id, self.scope)
        return Response(status=204)


class SessionActionView(FreezerView):
    """A client says that its job of a session starts, or has ended."""

    def post(self, request: Request, scope: str, session_id: str) -> Response:
        given: Any = request.data
        if not isinstance(given, dict) or not given:
            raise bad_format("Bad action request format")
        return Response(sessions.act(session_id, given, self.scope), status=202)

"""Actions that are kept by themselves."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine.rights import Right, audit
from jobs.errors import NotFound
from vendors.freezer import actions, jobs, search
from vendors.freezer.errors import Refusal
from vendors.freezer.scope import Scope
from vendors.freezer.views.base import FreezerView, Json
from vendors.models import FreezerAction


class ActionsView(FreezerView):
    """What agents are told to do: made by itself, or within a job."""

    def get(self, request: Request, scope: str) -> Response:
        limit, offset = self.window
        rows = FreezerAction.objects.filter(project=self.scope.project_id).order_by("pk")
        project = self.scope.keystone_id

        def shown(found: Iterable[Any]) -> list[Json]:
            return [actions.listed_json(row, project) for row in found]

        return Response({"actions": search.page(rows, self.search, limit, offset, shown)})

    def post(self, request: Request, scope: str) -> Response:
        return Response({"action_id": actions.create(self.required, self.scope).action_id}, status=201)


class ActionView(FreezerView):
    """One action; the jobs that use it are concerned by what becomes of it."""

    def get(self, request: Request, scope: str, action_id: str) -> Response:
        return Response(actions.action_json(_get(action_id, self.scope), self.scope.keystone_id))

    def patch(self, request: Request, scope: str, action_id: str) -> Response:
        with transaction.atomic():
            row = _get(action_id, self.scope)
            actions.patch(row, self.document, self.scope)
            jobs.renew(_users(row), self.scope)
        return Response({"action_id": action_id, "version": action_id})

    def post(self, request: Request, scope: str, action_id: str) -> Response:
        """Create it with this id, or put another in its place."""
        with transaction.atomic():
            jobs.renew(_users(actions.replace(action_id, self.required, self.scope)), self.scope)
        return Response({"action_id": action_id, "version": action_id}, status=201)

    def delete(self, request: Request, scope: str, action_id: str) -> Response:
        own = self.scope
        own.actor.require(Right.EDIT, own.project_id, "deleting an action")
        row = actions.find(action_id, own)
        if row is None and own.is_v1:
            raise Refusal(404, "Not Found", f"No Action found with ID:{action_id}")
        if row is not None:
            _delete(row, own)
        return Response(status=204)


def _delete(row: FreezerAction, scope: Scope) -> None:
    """Jobs go on without it."""
    with transaction.atomic():
        users = _users(row)
        audit(scope.actor, "delete", f"freezer action {row.action_id}", scope.project_id)
        row.delete()
        jobs.renew(users, scope)


def _users(row: FreezerAction) -> list[int]:
    """The jobs with it in them."""
    return list(row.used_in.values_list("pk", flat=True))


def _get(action_id: str, scope: Scope) -> FreezerAction:
    row = actions.find(action_id, scope)
    if row is None:
        raise NotFound(actions.not_registered(action_id))
    return row

"""Backups: what was made, and where it lies."""

from rest_framework.request import Request
from rest_framework.response import Response

from vendors.freezer import backups
from vendors.freezer.errors import Refusal
from vendors.freezer.views.base import FreezerView


class BackupsView(FreezerView):
    """What schedulers told of, and the archives of the hub's own nodes; the newest first."""

    def get(self, request: Request, scope: str) -> Response:
        limit, offset = self.window
        window = backups.window_of(request.data)
        return Response({"backups": backups.listed(self.search, window, limit, offset, self.scope)})

    def post(self, request: Request, scope: str) -> Response:
        return Response({"backup_id": backups.create(self.required, self.scope)}, status=201)


class BackupView(FreezerView):
    """One backup."""

    def get(self, request: Request, scope: str, backup_id: str) -> Response:
        return Response(backups.get(backup_id, self.scope))

    def patch(self, request: Request, scope: str, backup_id: str) -> Response:
        return Response(backups.patch(backup_id, self.document, self.scope))

    def delete(self, request: Request, scope: str, backup_id: str) -> Response:
        if not backups.delete(backup_id, self.scope) and self.scope.is_v1:
            raise Refusal(404, "Not Found", f"No Backup found with ID:{backup_id}")
        return Response(status=204)

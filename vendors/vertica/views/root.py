"""The agent's own root."""

from rest_framework.request import Request
from rest_framework.response import Response

from vendors.vertica.vendor import enveloped
from vendors.vertica.views.base import AgentView

LINKS = ("/backups", "/databases", "/jobs", "/restore", "/webhooks")


class RootView(AgentView):
    """What there is."""

    def get(self, request: Request) -> Response:
        return Response(enveloped([], "/", links=LINKS, kind="agent"))

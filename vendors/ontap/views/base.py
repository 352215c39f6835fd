"""What ONTAP's views have in common."""

from typing import Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.engine.rights import Right
from jobs.errors import Invalid
from vendors.ontap.problems import Refused, not_settable
from vendors.ontap.resources import Prefix
from vendors.ontap.vendor import VENDOR
from vendors.wire.mounts import asked_below
from vendors.wire.negotiation import BrowserOrClient, wants_html
from vendors.wire.parsers import AnyTypeParser
from vendors.wire.renderers import Browsable, Json
from vendors.wire.views import FaceView

PLAIN = "application/json"


class Hal(Json):
    media_type = "application/hal+json"
    format = "hal"


class ByAccept(BrowserOrClient):
    """Exactly `application/json` is answered without links; anything else, or nothing, gets HAL."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        if wants_plain(request):
            chosen = next(one for one in renderers if one.media_type == PLAIN)
            return chosen, PLAIN
        return super().select_renderer(request, renderers, format_suffix)


def wants_plain(request: Any) -> bool:
    accepted: str = request.META.get("HTTP_ACCEPT", "")
    return accepted.partition(";")[0].strip().lower() == PLAIN and "," not in accepted


class Nothing(BaseMetadata):
    """OPTIONS tells by its `Allow` header."""

    def determine_metadata(self, request: Request, view: APIView) -> dict[str, Any]:
        return {}


class OntapView(FaceView):
    vendor = VENDOR
    content_negotiation_class = ByAccept
    metadata_class = Nothing
    parser_classes = [AnyTypeParser]
    renderer_classes = [Hal, Json, Browsable]

    @property
    def prefix(self) -> Prefix:
        """What links begin with, `None` where none are wanted."""
        return None if wants_plain(self.request) else self.mount

    @property
    def mount(self) -> str:
        return asked_below(VENDOR, self.request)

    @property
    def query(self) -> str:
        """As it was sent."""
        raw: str = self.request.META.get("QUERY_STRING", "")
        return raw

    def body(self) -> dict[str, Any]:
        """An object; some clients send an empty one, some nothing at all."""
        found = self.request.data
        if not isinstance(found, dict):
            raise Invalid.field("", "wanted a JSON object")
        return found

    def require_nothing(self) -> None:
        """Raises `Refused` for a body that would set something."""
        for name in self.body():
            raise not_settable(name)

    def require_role(self, right: Right, what: str) -> None:
        """Raises `Forbidden` for somebody who may not do it anywhere: ONTAP asks for the role before it looks."""
        actor = self.actor
        if not actor.sees_all and max(actor.rights.values(), default=Right.NONE) < right:
            raise actor.refusal(what, f"{actor.name} may do this nowhere")

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refused):
            response = Response(exc.body, status=exc.status)
            response.exception = True
            return response
        response = super().handle_exception(exc)
        if not wants_html(self.request):
            response.content_type = None  # as negotiated: HAL or not
        return response

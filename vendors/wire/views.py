"""The base of every face's views."""

from typing import Any, ClassVar

from rest_framework.exceptions import PermissionDenied, Throttled
from rest_framework.metadata import BaseMetadata
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from jobs.engine.rights import Actor
from vendors.wire.auth import Authentication, LoggedIn, credentials_of, refuse_foreign_origin
from vendors.wire.errors import api_response, problem_of
from vendors.wire.negotiation import BrowserOrClient, wants_html
from vendors.wire.pagination import Keyset
from vendors.wire.parsers import JsonParser, MergePatchParser
from vendors.wire.refusals import note_deed, note_throttled
from vendors.wire.renderers import Browsable, Json
from vendors.wire.vendor import Vendor


class Description(BaseMetadata):
    """What OPTIONS tells: what this is, and what it takes and gives."""

    def determine_metadata(self, request: Request, view: APIView) -> dict[str, Any]:  # noqa: ARG002
        return {
            "name": view.get_view_name(),
            "description": view.get_view_description(),
            "renders": [renderer.media_type for renderer in view.renderer_classes],
            "parses": [parser.media_type for parser in view.parser_classes],
        }


class FaceView(APIView):
    """A view in a vendor's words: its authentication, its JSON, its errors, whatever is raised."""

    vendor: ClassVar[Vendor]
    permission_classes = [LoggedIn]
    content_negotiation_class = BrowserOrClient
    metadata_class: type[BaseMetadata] = Description
    parser_classes: list[type[BaseParser]] = [JsonParser, MergePatchParser]
    renderer_classes: list[type[BaseRenderer]] = [Json, Browsable]

    def get_authenticators(self) -> list[Authentication]:  # type: ignore[override]
        return [scheme() for scheme in self.vendor.authentication]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        refuse_foreign_origin(request)
        super().initial(request, *args, **kwargs)

    def example(self, method: str, data: Any) -> Any:  # noqa: ARG002
        """A body to begin with, for the browsable API's forms; `data` is what the page shows."""
        return None

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return credentials_of(self.request).actor

    def handle_exception(self, exc: Exception) -> Response:
        problem = problem_of(exc, self.request, allowed=self.allowed_methods)
        if isinstance(exc, PermissionDenied):
            note_deed(self.request, self.vendor.name)
        elif isinstance(exc, Throttled):
            note_throttled(self.request, self.vendor.name)
        response = api_response(self.vendor, problem)
        if not wants_html(self.request):
            response.content_type = self.vendor.error_type
        if self.vendor.errors[problem.kind].status == 401:
            response["WWW-Authenticate"] = self.challenge()
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.vendor.headers(request).items():
            response[name] = value
        return response

    def challenge(self) -> str:
        """What a 401 offers. A browser is not asked for a password in a box: it has the login page."""
        offers = [scheme.challenge for scheme in self.vendor.authentication if scheme.challenge]
        if wants_html(self.request):
            offers = [offer for offer in offers if not offer.startswith("Basic")]
        return ", ".join(offers)


class FaceViewSet(FaceView, GenericViewSet):
    """A viewset whose lists are filtered strictly and cut by keyset."""

    pagination_class: type[Keyset] = Keyset
    list_params: ClassVar[set[str]] = set()
    """Parameters that a list takes beside its filters."""

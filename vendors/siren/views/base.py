"""What the connector's views have in common."""

from typing import Any, ClassVar

from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from vendors.siren import info
from vendors.siren.filters import refuse_unknown
from vendors.siren.renderers import ElasticJson
from vendors.siren.vendor import VENDOR
from vendors.wire.auth import Authentication
from vendors.wire.parsers import AnyTypeParser, JsonParser
from vendors.wire.renderers import Browsable
from vendors.wire.views import FaceView


class SirenView(FaceView):
    vendor = VENDOR
    parser_classes = [JsonParser, AnyTypeParser]
    renderer_classes = [ElasticJson, Browsable]
    params: ClassVar[frozenset[str]] = frozenset()
    """The parameters that it takes beside the common ones."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown(request, self.params)

    def document(self, request: Request) -> dict[str, Any]:
        """The body. Raises `ParseError` where there is none, or no object."""
        if not self.has_body(request):
            raise ParseError("request body is required")
        if not isinstance(request.data, dict):
            raise ParseError("the request body is no object")
        return request.data

    @staticmethod
    def has_body(request: Request) -> bool:
        return bool(int(request.META.get("CONTENT_LENGTH") or 0))


class InfoView(SirenView):
    """Which Elasticsearch this is; clients ask before they log in."""

    permission_classes = []

    def get_authenticators(self) -> list[Authentication]:  # type: ignore[override]
        return []

    def get(self, request: Request) -> Response:
        return Response(info.front(request))

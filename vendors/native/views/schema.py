"""The OpenAPI document."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.errors import Invalid
from vendors.native import schema
from vendors.native.views.base import NativeView
from vendors.wire.negotiation import wants_html

YAML = "application/vnd.oai.openapi"


class SchemaView(NativeView):
    """What this API takes and answers, as OpenAPI 3.1."""

    @extend_schema(
        summary="Read this document",
        operation_id="schema",
        parameters=[OpenApiParameter("as", OpenApiTypes.STR, enum=["json", "yaml"])],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, YAML): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse | Response:
        if _wants_yaml(request):
            return HttpResponse(schema.as_yaml(), content_type=f"{YAML}; charset=utf-8")
        if wants_html(request):
            return Response(schema.document())
        return HttpResponse(schema.as_json(), content_type="application/json")


def _wants_yaml(request: Request) -> bool:
    given = request.query_params.get("as")
    if given is None:
        return "yaml" in request.META.get("HTTP_ACCEPT", "") or YAML in request.META.get("HTTP_ACCEPT", "")
    if given not in ("json", "yaml"):
        raise Invalid.field("as", "wanted json or yaml")
    return given == "yaml"

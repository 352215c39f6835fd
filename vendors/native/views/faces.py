"""An execution as seen by every face."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine.find import find_execution
from vendors import registry
from vendors.native.serializers import SeenByAllSerializer
from vendors.native.views.base import NativeView
from vendors.wire.pagination import absolute
from vendors.wire.vendor import Page


class FacesView(NativeView):
    """Which id an execution has in each face, where it is there, and what it looks like."""

    @extend_schema(
        summary="See an execution as each face shows it",
        operation_id="executions_faces",
        responses=SeenByAllSerializer,
    )
    def get(self, request: Request, ref: str) -> Response:
        found = registry.seen_by_all(find_execution(ref, actor=self.actor))
        rows = [
            {
                "face": face.name,
                "product": face.product,
                "id": seen.id,
                "url": absolute(request, f"/{face.mounts[0]}{seen.path}"),
                "body": seen.body,
            }
            for face, seen in found
        ]
        return Response(self.vendor.envelope(Page(rows, None, None)))

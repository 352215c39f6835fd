"""What the native views have in common."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from vendors.native.filters import NoFilters
from vendors.native.schema import NativeSchema
from vendors.native.vendor import VENDOR
from vendors.wire.auth import Credentials
from vendors.wire.filters import StrictFilters, StrictFilterSet
from vendors.wire.lookups import in_project
from vendors.wire.pagination import Keyset, absolute
from vendors.wire.times import rfc3339
from vendors.wire.views import FaceView, FaceViewSet

KEY_WARNS_BEFORE = timedelta(days=14)
KEY_EXPIRES_HEADER = "X-JobHub-Key-Expires"


class NativeView(FaceView):
    vendor = VENDOR
    schema = NativeSchema()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """A key that ends within 14 days says so in every answer."""
        response = super().finalize_response(request, response, *args, **kwargs)
        credentials: Credentials | None = getattr(request, "_auth", None)
        ends_at = credentials.key.expires_at if credentials and credentials.key else None
        if ends_at and ends_at - timezone.now() < KEY_WARNS_BEFORE:
            response[KEY_EXPIRES_HEADER] = rfc3339(ends_at)
        return response


class ByName(Keyset):
    """Sorted by name, or by age."""

    orders = {"name": ("name", "id"), "-name": ("name", "id"), "id": ("id",), "-id": ("id",)}


class NativeViewSet(NativeView, FaceViewSet):
    filter_backends = [StrictFilters]
    filterset_class: ClassVar[type[StrictFilterSet]] = NoFilters

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else self.visible(rows)

    def visible(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those that the request may see, of the project that it names."""
        return in_project(rows, self.request.query_params.get("project"), self.actor)

    def accepted(self, body: Any, ref: int, *, headers: dict[str, str] | None = None) -> Response:
        """202 with an execution that was made."""
        return Response(body, status=202, headers={"Location": self.address("execution", ref), **(headers or {})})

    def address(self, route: str, ref: int) -> str:
        return absolute(self.request, reverse(f"native:{route}", args=[ref]))

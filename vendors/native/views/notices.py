"""Who is told how executions end, and what was sent."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import deliveries, notices
from jobs.engine.documents import SubscriptionDocument
from jobs.engine.find import find_delivery, find_subscription
from jobs.models import Delivery, Subscription
from vendors.native import parameters
from vendors.native.documents import SubscriptionChanges, SubscriptionRead
from vendors.native.filters import DeliveryFilters, SubscriptionFilters
from vendors.native.serializers import DeliverySerializer, ProblemSerializer
from vendors.native.shapes import Row
from vendors.native.views.base import NativeViewSet

CONFLICT = {409: ProblemSerializer}
COLUMNS = (
    "id",
    "uuid",
    "execution_id",
    "execution__handle",
    "subscription_id",
    "event",
    "created_at",
    "next_at",
    "delivered_at",
    "n_tries",
    "tried_at",
    "answer",
    "error",
    "duration_ms",
)
RENAMED = {"execution_id": "execution", "execution__handle": "handle", "subscription_id": "subscription"}


class SubscriptionViewSet(NativeViewSet):
    """Receivers of notices: those of the project, and the `notify` of its jobs, which is changed in the jobs."""

    queryset = Subscription.objects.select_related("project", "job")
    filterset_class = SubscriptionFilters
    list_params = {"project"}

    @extend_schema(summary="List subscriptions", parameters=[parameters.PROJECT], responses=SubscriptionRead)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([_subscription(row) for row in page or []])

    @extend_schema(
        summary="Subscribe to the executions of the project",
        request=SubscriptionDocument,
        responses={201: SubscriptionRead, **CONFLICT},
    )
    def create(self, request: Request) -> Response:
        row = notices.subscribe(request.data, actor=self.actor)
        return Response(_subscription(row), status=201, headers={"Location": self.address("subscription", row.pk)})

    @extend_schema(summary="Read a subscription", responses=SubscriptionRead)
    def retrieve(self, request: Request, ref: str) -> Response:
        return Response(_subscription(find_subscription(ref, actor=self.actor)))

    @extend_schema(
        summary="Change some fields of a subscription",
        request=SubscriptionChanges,
        responses={200: SubscriptionRead, **CONFLICT},
    )
    def partial_update(self, request: Request, ref: str) -> Response:
        row = find_subscription(ref, actor=self.actor)
        return Response(_subscription(notices.change(row, request.data, actor=self.actor)))

    @extend_schema(
        summary="Unsubscribe",
        description="What was not sent yet is dropped, and the log of what was goes as well.",
        responses={204: None, **CONFLICT},
    )
    def destroy(self, request: Request, ref: str) -> Response:
        notices.unsubscribe(find_subscription(ref, actor=self.actor), actor=self.actor)
        return Response(status=204)

    def example(self, method: str, data: Any) -> Any:
        return {"webhook": "https://hooks.example.org/jobs", "events": ["failed"]} if method == "POST" else {}


class DeliveryViewSet(NativeViewSet):
    """The log of notices: what was or will be sent to whom, newest first."""

    queryset = Delivery.objects.all()
    filterset_class = DeliveryFilters
    list_params = {"project"}

    @extend_schema(summary="List deliveries", parameters=[parameters.PROJECT], responses=DeliverySerializer(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()).values(*COLUMNS))
        return self.get_paginated_response([_delivery(row) for row in page or []])

    @extend_schema(summary="Read a delivery", responses=DeliverySerializer)
    def retrieve(self, request: Request, ref: str) -> Response:
        return Response(_read(find_delivery(ref, actor=self.actor).pk))

    @extend_schema(
        summary="Send a notice again",
        description="With the same id; also one that was delivered. One that is under way already is a conflict.",
        request=None,
        responses={202: DeliverySerializer, **CONFLICT},
    )
    def replay(self, request: Request, ref: str) -> Response:
        delivery = find_delivery(ref, actor=self.actor)
        deliveries.replay(delivery, actor=self.actor)
        return Response(_read(delivery.pk), status=202)


def _subscription(row: Subscription) -> Row:
    return {
        "id": row.pk,
        "uuid": row.uuid,
        "project": row.project.name,
        "job": row.job.name if row.job else None,
        "face": row.face or None,
        **notices.document_of(row),
        "n_failures": row.n_failures,
        "resting_until": row.resting_until,
        "created_at": row.created_at,
        "created_by": row.created_by,
    }


def _read(pk: int) -> Row:
    return _delivery(Delivery.objects.values(*COLUMNS).get(pk=pk))


def _delivery(row: Row) -> Row:
    shown = {RENAMED.get(name, name): value for name, value in row.items()}
    return {**shown, "outcome": Delivery(next_at=row["next_at"], delivered_at=row["delivered_at"]).outcome}

"""Whether the hub is well, for supervisors and monitors; and its front door."""

import ipaddress
import logging
from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import DatabaseError, connection
from django.db.models import Count, Max, Min, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from jobs.engine.waiting import live_nodes
from jobs.models import JobExecution
from jobs.queue import queue_is_reachable
from jobs.states import ACTIVE
from vendors import registry
from vendors.native.views.base import NativeView
from vendors.wire.negotiation import wants_html
from vendors.wire.pagination import absolute

log = logging.getLogger(__name__)
PROXIED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
Check = Callable[[], str]


@require_safe
def front_door(request: HttpRequest) -> HttpResponseBase:
    """A browser is sent to the admin, everybody else is told where things are, by each face in its words."""
    if wants_html(request):
        return HttpResponseRedirect(reverse("admin:index"))
    fronts = [face for face in registry.faces() if face.front]
    parts = [face.front(request) for face in fronts if face.front]
    headers = {name: value for face in fronts for name, value in face.headers(request).items()}
    return JsonResponse(
        {**dict(item for part in parts for item in part.items()), "jobhub": _places(request)}, headers=headers
    )


def _places(request: HttpRequest) -> dict[str, str]:
    places = {"native": "native:root", "schema": "native:schema", "admin": "admin:index"}
    return {"product": "JobHub", **{name: absolute(request, reverse(route)) for name, route in places.items()}}


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Whether work can be taken and done: 200, or 503 with what is missing."""
    missing = {name: said for name, check in CHECKS.items() if (said := check())}
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "ready"})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "it does not answer"
    return ""


def _broker() -> str:
    return "" if queue_is_reachable() else "Redis does not answer: nothing starts until it does"


def _workers() -> str:
    try:
        return "" if sum(live_nodes().values()) else "no node has reported workers in the last 30 seconds"
    except DatabaseError:
        return "unknown without the database"


CHECKS: dict[str, Check] = {"database": _database, "broker": _broker, "workers": _workers}


class MetricsView(NativeView):
    """Prometheus's text format, for this machine itself and for whoever may log in."""

    def check_permissions(self, request: Request) -> None:
        if not _is_local(request):
            super().check_permissions(request)

    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        return HttpResponse("\n".join([*_lines(), ""]), content_type="text/plain; version=0.0.4; charset=utf-8")


metrics = MetricsView.as_view()


def _is_local(request: Request) -> bool:
    """A request that came through a proxy on this machine is not from this machine."""
    if any(header in request.META for header in PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _lines() -> Iterator[str]:
    """One indexed query each; only what is active is counted, history is not."""
    active = JobExecution.objects.active()
    by_state = dict(active.values_list("state").annotate(n=Count("id")).order_by())
    waiting, oldest = _queue()
    nodes = live_nodes()
    yield from _metric("jobhub_executions", "gauge", "Executions that have not ended, by state.")
    for state in sorted(ACTIVE):
        yield f'jobhub_executions{{state="{state}"}} {by_state.get(state.value, 0)}'
    yield from _metric("jobhub_executions_made_total", "counter", "Executions ever made: the highest id.")
    yield f"jobhub_executions_made_total {JobExecution.objects.aggregate(n=Max('id'))['n'] or 0}"
    yield from _metric("jobhub_queue_depth", "gauge", "Queued executions that nothing blocks.")
    yield f"jobhub_queue_depth {waiting}"
    yield from _metric("jobhub_queue_oldest_seconds", "gauge", "How long the most overdue of them has waited.")
    yield f"jobhub_queue_oldest_seconds {oldest:.3f}"
    yield from _metric("jobhub_nodes", "gauge", "Nodes that have reported in the last 30 seconds.")
    yield f"jobhub_nodes {len(nodes)}"
    yield from _metric("jobhub_workers", "gauge", "Workers of these nodes.")
    yield f"jobhub_workers {sum(nodes.values())}"


def _queue() -> tuple[int, float]:
    """How many are due, and for how many seconds the first has been."""
    now = timezone.now()
    parts = [_due(JobExecution.objects.waiting(), now), _due(JobExecution.objects.parked(), now)]
    first = min((first for _, first in parts if first), default=now)
    return sum(count for count, _ in parts), (now - first).total_seconds()


def _due(rows: QuerySet[JobExecution], now: datetime) -> tuple[int, datetime | None]:
    found = rows.filter(run_at__lte=now).order_by().aggregate(n=Count("id"), first=Min("run_at"))
    return found["n"], found["first"]


def _metric(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]

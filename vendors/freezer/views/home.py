"""What there is: versions, the paths of each, and whether it is well."""

from typing import Any

from django.http import HttpResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from vendors.freezer.vendor import VENDOR, versions
from vendors.freezer.views.base import FreezerView
from vendors.wire.auth import Authentication, BrowserSession
from vendors.wire.negotiation import wants_html
from vendors.wire.renderers import pretty

OWN_MOUNT = VENDOR.mounts[1]


class ForAnybody(FreezerView):
    """Credentials are not looked at, but what a browser sends along by itself needs its CSRF token all the same."""

    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[Authentication]:  # type: ignore[override]
        return [BrowserSession()]


class VersionsView(ForAnybody):
    """Which versions of the API there are."""

    def get(self, request: Request) -> Response:
        return Response(versions(request, OWN_MOUNT), status=300)


class HealthView(ForAnybody):
    """Whether it answers."""

    def get(self, request: Request) -> Any:
        body = {"detailed": False, "reasons": ["OK"]}
        return Response(body) if wants_html(request) else HttpResponse(pretty4(body), content_type="application/json")


class HomeView(FreezerView):
    """The paths of one version."""

    def get(self, request: Request, version: str) -> Any:
        body = home(version)
        if wants_html(request):
            return Response(body)
        return HttpResponse(VENDOR.json(body), content_type="application/json-home")


def home(version: str) -> dict[str, Any]:
    """A json-home document, as far as tests of its clients look."""
    base, names = (f"/{version}/{{project_id}}", ("project_id",)) if version == "v2" else (f"/{version}", ())
    return {
        "resources": {
            "rel/backups": _resource(f"{base}/backups/{{backup_id}}", (*names, "backup_id"), "GET"),
            "rel/jobs": _resource(
                f"{base}/jobs{{?all_projects,offset,limit}}", (*names, "all_projects", "offset", "limit"), "GET", "POST"
            ),
            "rel/job": _resource(f"{base}/jobs/{{job_id}}", (*names, "job_id"), "GET", "PATCH", "POST", "DELETE"),
        }
    }


def _resource(template: str, names: tuple[str, ...], *methods: str) -> dict[str, Any]:
    return {
        "href-template": template,
        "href-vars": {name: f"param/{name}" for name in names},
        "hints": {"allow": list(methods), "formats": {"application/json": {}}},
    }


def pretty4(body: Any) -> bytes:
    return pretty(body).replace(b"\n  ", b"\n    ")

"""The Freezer face's page of data."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vendors.freezer.errors import BAD_FORMAT, FORBIDDEN
from vendors.freezer.words import NEVER, STATES
from vendors.wire.auth import AnyScheme, BasicAuthentication, BrowserSession, KeyAuthentication
from vendors.wire.pagination import absolute
from vendors.wire.problems import ErrorRow, Kind, Problem
from vendors.wire.renderers import compact
from vendors.wire.tokens import TokenAuthentication
from vendors.wire.vendor import Page, Paging, Vendor

CONFLICT = ErrorRow(409, "", "Document already existing")
ERRORS = {
    Kind.INVALID: ErrorRow(400, "", BAD_FORMAT),
    Kind.MALFORMED: ErrorRow(753, "", "Malformed JSON", reason="Syntax Error"),
    Kind.UNAUTHENTICATED: ErrorRow(401, "", "Unauthorized"),
    Kind.FORBIDDEN: ErrorRow(403, "", "Access Forbidden"),
    Kind.NOT_FOUND: ErrorRow(404, "", "Not Found"),
    Kind.NO_ROUTE: ErrorRow(404, "", "404 Not Found"),
    Kind.METHOD: ErrorRow(405, "", "405 Method Not Allowed"),
    Kind.CONFLICT: CONFLICT,
    Kind.HELD: CONFLICT,
    Kind.BUSY: CONFLICT,
    Kind.ILLEGAL_MOVE: CONFLICT,
    Kind.STALE: CONFLICT,
    Kind.TOO_LARGE: ErrorRow(413, "", "413 Payload Too Large"),
    Kind.MEDIA_TYPE: ErrorRow(415, "", "415 Unsupported Media Type"),
    Kind.THROTTLED: ErrorRow(429, "", "429 Too Many Requests"),
    Kind.UNAVAILABLE: ErrorRow(503, "", "503 Service Unavailable"),
    Kind.BUG: ErrorRow(500, "", "Internal Server Error"),
}
"""753 is the server's own, and in its reference."""
TITLE_ONLY = frozenset({Kind.MALFORMED, Kind.NO_ROUTE, Kind.METHOD})
OWN_WORDS = {
    Kind.FORBIDDEN: FORBIDDEN,
    Kind.BUG: "An unexpected error occurred on the server.",
}
KEYSTONES = "The request you have made requires authentication."
UPDATED = "2018-02-21T13:30:00"
VERSIONS = {"v2": "CURRENT", "v1": "DEPRECATED"}


def error_body(problem: Problem, row: ErrorRow) -> Any:
    """A 401 is Keystone's; of what is not there a GET says nothing at all."""
    if problem.kind is Kind.UNAUTHENTICATED:
        return {"error": {"message": KEYSTONES, "code": row.status, "title": row.title}}
    if problem.kind is Kind.NOT_FOUND and problem.method in ("GET", "HEAD"):
        return None
    if problem.kind in TITLE_ONLY:
        return {"title": row.title}
    return {"title": row.title, "description": OWN_WORDS.get(problem.kind, problem.detail)}


def epoch(at: datetime | None) -> int:
    return NEVER if at is None else int(at.timestamp())


def headers(_request: Any) -> Mapping[str, str]:
    return {"x-openstack-request-id": f"req-{uuid.uuid4()}"}


def versions(request: Any, mount: str = "") -> dict[str, Any]:
    """The document at its front door."""
    return {
        "versions": [
            {
                "id": name,
                "status": status,
                "updated": UPDATED,
                "links": [{"href": absolute(request, f"/{mount}{name}/"), "rel": "self"}],
            }
            for name, status in VERSIONS.items()
        ]
    }


def envelope(page: Page) -> Any:
    return page.rows


VENDOR = Vendor(
    name="freezer",
    product="OpenStack Freezer",
    versions=("v2 (19.0.0)", "v1 (18.0.0)"),
    sources=(
        "freezer-api, api-ref/source/v1/jobs-v1.inc and its neighbours",
        "the servers freezer-api 19.0.0 and 18.0.0, asked with python-freezerclient 6.5.0 (November 2026)",
    ),
    mounts=("", "freezer/"),
    owns=("v1/", "v2/", "healthcheck"),
    states=STATES,
    time=epoch,
    paging=Paging(limit="limit", cursor="offset", default=10, largest=10_000),
    envelope=envelope,
    errors=ERRORS,
    error_body=error_body,
    error_type="application/json",
    json=compact,
    authentication=(TokenAuthentication, KeyAuthentication, BasicAuthentication, AnyScheme, BrowserSession),
    drops_last_slash=True,
    headers=headers,
    front=versions,
)

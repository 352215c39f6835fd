"""The native face's page of data."""

from typing import Any

from vendors.wire.auth import AnyScheme, BasicAuthentication, BrowserSession, KeyAuthentication
from vendors.wire.problems import ErrorRow, Kind, Problem
from vendors.wire.renderers import compact
from vendors.wire.states import same_words
from vendors.wire.times import rfc3339
from vendors.wire.vendor import Page, Paging, Vendor

ERRORS = {
    Kind.INVALID: ErrorRow(400, "invalid", "A value is not valid"),
    Kind.MALFORMED: ErrorRow(400, "malformed", "The request cannot be read"),
    Kind.UNAUTHENTICATED: ErrorRow(401, "unauthenticated", "Who is asking?"),
    Kind.FORBIDDEN: ErrorRow(403, "forbidden", "You may not do this"),
    Kind.NOT_FOUND: ErrorRow(404, "not-found", "There is no such thing"),
    Kind.NO_ROUTE: ErrorRow(404, "no-such-path", "There is no such path"),
    Kind.METHOD: ErrorRow(405, "method-not-allowed", "This method is not for this path"),
    Kind.CONFLICT: ErrorRow(409, "conflict", "Its state does not allow this"),
    Kind.HELD: ErrorRow(409, "held", "The job is on hold"),
    Kind.BUSY: ErrorRow(409, "busy", "The job is already active"),
    Kind.ILLEGAL_MOVE: ErrorRow(409, "illegal-move", "Its state does not allow this"),
    Kind.STALE: ErrorRow(412, "changed", "It has changed in the meantime"),
    Kind.TOO_LARGE: ErrorRow(413, "too-large", "The body is too large"),
    Kind.MEDIA_TYPE: ErrorRow(415, "media-type", "Send application/json"),
    Kind.THROTTLED: ErrorRow(429, "throttled", "Too many requests at once"),
    Kind.UNAVAILABLE: ErrorRow(503, "unavailable", "The database does not answer"),
    Kind.BUG: ErrorRow(500, "internal", "The hub made a mistake"),
}


def problem_json(problem: Problem, row: ErrorRow) -> dict[str, Any]:
    """RFC 9457, with `errors` naming each wrong field."""
    body: dict[str, Any] = {
        "type": f"urn:jobhub:problem:{row.code}",
        "title": row.title,
        "status": row.status,
        "detail": problem.detail,
        "instance": problem.path,
    }
    if problem.fields:
        body["errors"] = [{"field": one.field, "message": one.message} for one in problem.fields]
    return body


def envelope(page: Page) -> dict[str, Any]:
    return {"results": page.rows, "next": page.next, "previous": page.previous}


VENDOR = Vendor(
    name="native",
    product="JobHub",
    versions=("v1",),
    sources=("the OpenAPI document at /hub/v1/schema",),
    mounts=("hub/v1/",),
    states=same_words(),
    time=rfc3339,
    paging=Paging(),
    envelope=envelope,
    errors=ERRORS,
    error_body=problem_json,
    error_type="application/problem+json",
    json=compact,
    authentication=(KeyAuthentication, BasicAuthentication, AnyScheme, BrowserSession),
)

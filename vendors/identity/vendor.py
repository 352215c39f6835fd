"""The identity service's page of data."""

from typing import Any

from vendors.wire.auth import AnyScheme, BasicAuthentication, BrowserSession, KeyAuthentication
from vendors.wire.problems import ErrorRow, Kind, Problem
from vendors.wire.renderers import compact
from vendors.wire.states import same_words
from vendors.wire.times import rfc3339
from vendors.wire.tokens import TokenAuthentication
from vendors.wire.vendor import Page, Paging, Vendor

UNAUTHORIZED = "The request you have made requires authentication."
NO_ROUTE = "The resource could not be found."  # as Flask says it to Keystone's clients
ERRORS = {
    Kind.INVALID: ErrorRow(400, "400", "Bad Request"),
    Kind.MALFORMED: ErrorRow(400, "400", "Bad Request"),
    Kind.UNAUTHENTICATED: ErrorRow(401, "401", "Unauthorized"),
    Kind.FORBIDDEN: ErrorRow(403, "403", "Forbidden"),
    Kind.NOT_FOUND: ErrorRow(404, "404", "Not Found"),
    Kind.NO_ROUTE: ErrorRow(404, "404", "Not Found"),
    Kind.METHOD: ErrorRow(405, "405", "Method Not Allowed"),
    Kind.CONFLICT: ErrorRow(409, "409", "Conflict"),
    Kind.HELD: ErrorRow(409, "409", "Conflict"),
    Kind.BUSY: ErrorRow(409, "409", "Conflict"),
    Kind.ILLEGAL_MOVE: ErrorRow(409, "409", "Conflict"),
    Kind.STALE: ErrorRow(412, "412", "Precondition Failed"),
    Kind.TOO_LARGE: ErrorRow(413, "413", "Request Entity Too Large"),
    Kind.MEDIA_TYPE: ErrorRow(415, "415", "Unsupported Media Type"),
    Kind.THROTTLED: ErrorRow(429, "429", "Too Many Requests"),
    Kind.UNAVAILABLE: ErrorRow(503, "503", "Service Unavailable"),
    Kind.BUG: ErrorRow(500, "500", "Internal Server Error"),
}


def error_body(problem: Problem, row: ErrorRow) -> dict[str, Any]:
    """Always the same words for a 401, whatever was wrong."""
    detail = UNAUTHORIZED if problem.kind is Kind.UNAUTHENTICATED else problem.detail
    return {"error": {"code": row.status, "message": detail, "title": row.title}}


def envelope(page: Page) -> dict[str, Any]:
    return {"results": page.rows}


VENDOR = Vendor(
    name="identity",
    product="OpenStack Keystone",
    versions=("v3.14",),
    sources=("Keystone's API reference v3, authentication and token management (November 2026)",),
    mounts=("identity",),  # clients ask for it without a slash, too
    drops_last_slash=True,
    shows_executions=False,
    states=same_words(),
    time=rfc3339,
    paging=Paging(),
    envelope=envelope,
    errors=ERRORS,
    error_body=error_body,
    error_type="application/json",
    json=compact,
    authentication=(TokenAuthentication, KeyAuthentication, BasicAuthentication, AnyScheme, BrowserSession),
)

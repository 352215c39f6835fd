"""ETags: what a client has already is not sent again, and nobody overwrites what they have not seen."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request

from vendors.wire.errors import Stale

ALWAYS_ASK = {"Cache-Control": "private, no-cache"}


def asked(request: Request) -> bool:
    """Whether the client says what it has."""
    return "HTTP_IF_NONE_MATCH" in request.META


def headers(etag: str) -> dict[str, str]:
    return {"ETag": etag, **ALWAYS_ASK}


def not_modified(request: Request, etag: str) -> HttpResponse | None:
    """A 304 when the client has that version."""
    given = request.META.get("HTTP_IF_NONE_MATCH")
    if given is None or not _matches(given, etag):
        return None
    return HttpResponse(status=304, headers=headers(etag))


def _matches(given: str, etag: str) -> bool:
    return given == etag or "*" in (tags := parse_etags(given)) or etag in tags or f"W/{etag}" in tags


def require_match(request: Request, etag: str) -> None:
    """Raises `Stale` when `If-Match` names other versions. Call it while the row is locked."""
    meta: Mapping[str, Any] = request.META
    given = meta.get("HTTP_IF_MATCH")
    if given is not None and given.strip() != "*" and etag not in parse_etags(given):
        raise Stale(f"it has changed in the meantime: it is {etag} now")

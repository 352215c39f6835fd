"""Everything that can be raised, made into an answer in the face's words."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from django.core import exceptions as django
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from jobs import errors as core
from jobs.errors import FieldError
from vendors.wire.problems import ErrorRow, Kind, Problem
from vendors.wire.vendor import Vendor

log = logging.getLogger(__name__)
RETRY_AFTER = "5"


class Stale(Exception):
    """`If-Match` does not name the newest version."""


class NoRoute(Exception):
    """There is nothing at this path; raised by a view that asks who is there before it says so."""


KINDS: tuple[tuple[type[BaseException], Kind], ...] = (
    (Stale, Kind.STALE),
    (NoRoute, Kind.NO_ROUTE),
    (core.Invalid, Kind.INVALID),
    (core.NotFound, Kind.NOT_FOUND),
    (core.Forbidden, Kind.FORBIDDEN),
    (core.IllegalMove, Kind.ILLEGAL_MOVE),
    (core.Held, Kind.HELD),
    (core.Busy, Kind.BUSY),
    (core.Conflict, Kind.CONFLICT),
    (core.Unavailable, Kind.UNAVAILABLE),
    (drf.ValidationError, Kind.INVALID),
    (drf.ParseError, Kind.MALFORMED),
    (drf.NotAuthenticated, Kind.UNAUTHENTICATED),
    (drf.AuthenticationFailed, Kind.UNAUTHENTICATED),
    (drf.PermissionDenied, Kind.FORBIDDEN),
    (drf.NotFound, Kind.NOT_FOUND),
    (drf.MethodNotAllowed, Kind.METHOD),
    (drf.UnsupportedMediaType, Kind.MEDIA_TYPE),
    (drf.Throttled, Kind.THROTTLED),
    (Http404, Kind.NOT_FOUND),
    (django.PermissionDenied, Kind.FORBIDDEN),
    (RequestDataTooBig, Kind.TOO_LARGE),
    (django.SuspiciousOperation, Kind.MALFORMED),
    (django.BadRequest, Kind.MALFORMED),
    (UnreadablePostError, Kind.MALFORMED),
    (DataError, Kind.INVALID),
    (OperationalError, Kind.UNAVAILABLE),
    (InterfaceError, Kind.UNAVAILABLE),
)
"""The first that fits counts."""
OWN_WORDS = {
    Kind.NO_ROUTE: "there is nothing at this path",
    Kind.NOT_FOUND: "there is no such thing, or it belongs to somebody else",
    Kind.UNAVAILABLE: "the hub's database cannot do this just now; try again in a moment",
    Kind.BUG: "the hub made a mistake; its log says more",
    Kind.TOO_LARGE: "the body is larger than JOBHUB_MAX_BODY allows",
    Kind.MALFORMED: "the request cannot be read",
    Kind.INVALID: "a value cannot be stored",
}
"""What is said of exceptions whose own text is not meant for clients."""


def problem_of(error: BaseException, request: Any, *, allowed: Iterable[str] = ()) -> Problem:
    """What went wrong, for a client's eyes. A bug, and a database that is away, are logged."""
    kind = kind_of(error)
    if kind in (Kind.BUG, Kind.UNAVAILABLE):
        log.error("%s at %s", kind, request.path, exc_info=error)
    return Problem(
        kind=kind,
        detail=_detail(kind, error),
        fields=tuple(_fields(error)),
        headers=_headers(kind, error),
        allowed=tuple(allowed) if kind is Kind.METHOD else (),
        path=request.path,
        method=request.method,
        uri=request.get_full_path(),
        user=_user(request),
    )


def _user(request: Any) -> str:
    """Of a view's request that got as far as to know it; nobody is asked for credentials here."""
    credentials = getattr(request, "_auth", None)
    return credentials.actor.name if credentials else ""


def no_route(request: Any) -> Problem:
    """Nothing is at the path that was asked for."""
    detail = OWN_WORDS[Kind.NO_ROUTE]
    return Problem(Kind.NO_ROUTE, detail, path=request.path, method=request.method, uri=request.get_full_path())


def kind_of(error: BaseException) -> Kind:
    return next((kind for kind_class, kind in KINDS if isinstance(error, kind_class)), Kind.BUG)


def _detail(kind: Kind, error: BaseException) -> str:
    if isinstance(error, core.JobHubError | Stale):
        return str(error)
    if isinstance(error, django.DisallowedHost):
        return "the Host header names none of JOBHUB_HOSTS"
    if isinstance(error, drf.ValidationError):
        return "; ".join(f"{one.field}: {one.message}" for one in _fields(error))
    if isinstance(error, drf.APIException):
        return str(error.detail)
    return OWN_WORDS.get(kind) or str(error) or kind.value


def _fields(error: BaseException) -> Iterator[FieldError]:
    if isinstance(error, core.Invalid):
        yield from error.errors
    elif isinstance(error, drf.ValidationError):
        yield from _flat(error.detail, "")


def _flat(detail: Any, field: str) -> Iterator[FieldError]:
    """DRF's nested errors as dotted paths."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, field)
    else:
        yield FieldError(field, str(detail))


def _headers(kind: Kind, error: BaseException) -> dict[str, str]:
    if kind is Kind.UNAVAILABLE:
        return {"Retry-After": RETRY_AFTER}
    if kind is Kind.THROTTLED:
        return {"Retry-After": str(getattr(error, "wait", 1))}
    return {}


def api_response(vendor: Vendor, problem: Problem) -> Response:
    """The answer inside a view: negotiated, so that a browser sees it on a page."""
    row = vendor.errors[problem.kind]
    response = Response(vendor.error_body(problem, row), headers=dict(problem.headers))
    _set_status(response, row)
    response.exception = True
    return response


def plain_response(vendor: Vendor, problem: Problem, request: Any) -> HttpResponse:
    """The answer where there is no view: an unknown path, a body that is too large."""
    row = vendor.errors[problem.kind]
    body = vendor.json(vendor.error_body(problem, row))
    response = HttpResponse(
        body, content_type=vendor.error_type, headers={**problem.headers, **vendor.headers(request)}
    )
    _set_status(response, row)
    return response


def _set_status(response: HttpResponse, row: ErrorRow) -> None:
    """Django takes none that HTTP does not know, and would log it as a mistake of the server's."""
    response.status_code = row.status
    if row.reason:
        response.reason_phrase = row.reason
        response._has_been_logged = True  # type: ignore[attr-defined]

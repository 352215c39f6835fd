"""What is said where no view answers: in the words of the face that owns the path, on Django's pages to browsers.

Outside every face API clients hear the native one.
"""

import sys

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import csrf, defaults
from rest_framework.exceptions import Throttled

from jobs.admin import logins
from vendors import registry
from vendors.native.vendor import VENDOR
from vendors.wire.errors import no_route, plain_response, problem_of
from vendors.wire.negotiation import wants_html
from vendors.wire.refusals import note_deed, note_throttled
from vendors.wire.vendor import Vendor


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    face = _speaker(request)
    return _answer(face, request, exception) if face else defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    note_deed(request, _place(request))
    face = _speaker(request)
    return _answer(face, request, exception) if face else defaults.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    note_deed(request, _place(request))
    return csrf.csrf_failure(request, reason)


def throttled(request: HttpRequest, exception: Throttled) -> HttpResponseBase:
    """429, with how long to wait."""
    note_throttled(request, _place(request))
    face = _speaker(request)
    if face:
        return _answer(face, request, exception)
    problem = problem_of(exception, request)
    response = render(request, "429.html", {"detail": problem.detail}, status=429)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    face = _speaker(request)
    if face is None:
        return defaults.page_not_found(request, exception)
    return plain_response(face, no_route(request), request)


def server_error(request: HttpRequest) -> HttpResponseBase:
    face = _speaker(request)
    error = sys.exc_info()[1]
    return _answer(face, request, error) if face and error else defaults.server_error(request)


def _place(request: HttpRequest) -> str:
    """What the audit calls the face of a page."""
    owner = registry.owner_of(request.path)
    return owner.name if owner else logins.face_of(request)


def _speaker(request: HttpRequest) -> Vendor | None:
    """Who answers: the owner of the path, else the native face, unless a browser asks."""
    owner = registry.owner_of(request.path)
    return owner if owner or wants_html(request) else VENDOR


def _answer(face: Vendor, request: HttpRequest, error: BaseException) -> HttpResponse:
    return plain_response(face, problem_of(error, request), request)

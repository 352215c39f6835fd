"""What the views of Freezer's API have in common."""

from functools import cached_property
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request
from rest_framework.response import Response

from vendors.freezer.errors import Refusal, bad_format
from vendors.freezer.scope import Scope, scope_of
from vendors.freezer.search import Search, parse
from vendors.freezer.vendor import VENDOR
from vendors.wire.auth import credentials_of
from vendors.wire.parsers import AnyTypeParser
from vendors.wire.tokens import challenge
from vendors.wire.views import FaceView

Json = dict[str, Any]
MISSING = "Missing request body"
JSON_TYPES = ("*/*", "application/*", "application/json", "text/html", "application/xhtml+xml")
DEFAULT_LIMIT = 10
MOST = 2**31 - 1
LARGEST_PAGE = 10_000


class FreezerView(FaceView):
    vendor = VENDOR
    parser_classes = [AnyTypeParser]
    http_method_names = ["get", "post", "put", "patch", "delete", "options"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        _check_accept(request)
        super().initial(request, *args, **kwargs)
        self.scope_text = kwargs.get("scope", "")

    @cached_property
    def scope(self) -> Scope:
        """Whose things are meant. Raises `Refusal` for somebody else's."""
        return scope_of(self.scope_text, credentials_of(self.request), self.request.user)

    @property
    def document(self) -> Json:
        """The body; an empty object for none. Raises `Refusal` for anything else."""
        given = self.request.data or {}
        if not isinstance(given, dict):
            raise bad_format("wanted a JSON object")
        return dict(given)

    @property
    def required(self) -> Json:
        """The body, of which there must be one."""
        found = self.document
        if not found:
            raise bad_format(MISSING)
        return found

    @property
    def search(self) -> Search:
        return parse(self.request.data)

    @property
    def window(self) -> tuple[int, int]:
        """Limit and offset of a list."""
        limit, offset = (_number(self.request, name) for name in ("limit", "offset"))
        return min(limit or DEFAULT_LIMIT, LARGEST_PAGE), offset

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(headers={"Allow": ", ".join(self.allowed_methods)})

    def challenge(self) -> str:
        return challenge(self.request)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            response = Response(exc.body, status=exc.status)
        elif isinstance(exc, NotAcceptable):
            response = Response(status=406)
        else:
            response = super().handle_exception(exc)
        response["Vary"] = "Accept"
        return response


def _check_accept(request: Request) -> None:
    """Raises `NotAcceptable` for who takes no JSON."""
    given = request.META.get("HTTP_ACCEPT", "").lower()
    types = [part.split(";")[0].strip() for part in given.split(",") if part.strip()]
    if types and not any(one in JSON_TYPES for one in types):
        raise NotAcceptable


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    digits = text[1:] if text[:1] in "+-" else text
    if not (digits.isascii() and digits.isdigit()):
        text = f'The "{name}" parameter is invalid. The value must be an integer.'
        raise Refusal(400, "Invalid parameter", text)
    number = int(text[:20])
    if not 0 <= number <= MOST:
        raise Refusal(400, "Invalid parameter", f'The "{name}" parameter is out of range.')
    return number

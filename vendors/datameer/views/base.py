"""What this face's views have in common."""

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.errors import Invalid
from vendors.datameer.vendor import VENDOR
from vendors.wire.parsers import AnyTypeParser, JsonParser
from vendors.wire.views import FaceView

DEEPEST = 100_000


class DatameerView(FaceView):
    """Bodies are JSON whatever their type says: its pages send them with `curl -d`, its clients without any type."""

    vendor = VENDOR
    parser_classes = [JsonParser, AnyTypeParser]


def window(request: Request, default: int = VENDOR.paging.default) -> slice:
    """Which of the rows: `start` says how many are passed over, `length` how many there are at most."""
    paging = VENDOR.paging
    start = _number(request, paging.cursor, 0, DEEPEST)
    return slice(start, start + _number(request, paging.limit, default, paging.largest))


def _number(request: Request, name: str, default: int, largest: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    if given.isascii() and given.isdigit() and len(given) < 10 and int(given) <= largest:
        return int(given)
    raise Invalid.field(name, f"wanted a whole number from 0 to {largest}")


def created(number: int) -> Response:
    """What is answered to a new configuration: scripts take the only number in it."""
    return Response({"configuration-id": number, "status": "success"})


def success() -> Response:
    """What is answered to a change that has nothing to tell."""
    return Response({"status": "success"})

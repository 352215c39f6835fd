"""What an execution prints, for whoever follows it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.errors import Invalid
from jobs.models import Output
from jobs.states import FINAL, State
from vendors.native import parameters
from vendors.native.serializers import OutputSerializer
from vendors.native.shapes import Row
from vendors.native.views.base import NativeView
from vendors.wire import conditional
from vendors.wire.lookups import ExecutionRows
from vendors.wire.pagination import absolute

PAGE_BYTES = 131_072
PAGE_PIECES = 128
BIGGEST_SEQ = 2**31 - 1
ROWS = ExecutionRows("id", "project_id", "state", "output_seq", "output_dropped", "output_expires_at")
GAP = "\n[… some of the output was dropped …]\n"


@dataclass(frozen=True)
class Pieces:
    """A page of output behind `after`."""

    execution: Row
    after: int
    rows: list[Row]

    @property
    def next_after(self) -> int:
        return self.rows[-1]["seq"] if self.rows else self.after

    @property
    def is_expired(self) -> bool:
        """The newest piece is never dropped: if it is gone, all of them are."""
        return self._has_ended and not self.rows and self.after < self.execution["output_seq"]

    @property
    def is_final(self) -> bool:
        return self._has_ended and (self.next_after >= self.execution["output_seq"] or self.is_expired)

    @property
    def _has_ended(self) -> bool:
        return self.execution["state"] in FINAL

    @property
    def text(self) -> str:
        """The output alone, with a line where pieces are missing."""
        parts, expected = [], self.after + 1
        for row in self.rows:
            parts += [GAP, row["text"]] if row["seq"] != expected else [row["text"]]
            expected = row["seq"] + 1
        return "".join(parts)


class OutputView(NativeView):
    """The output of an execution, a page at a time."""

    @extend_schema(
        summary="Read an execution's output",
        description="Ask again with `after` and `If-None-Match` to follow it: 304 while there is nothing new. As text, "
        "the headers `X-JobHub-Next-After` and `X-JobHub-Final` say how to go on.",
        operation_id="executions_output",
        parameters=[parameters.AFTER, parameters.AS, parameters.IF_NONE_MATCH],
        responses={
            (200, "application/json"): OutputSerializer,
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, description="Only the text."),
            **parameters.SAME,
        },
    )
    def get(self, request: Request, ref: str) -> Any:
        after, as_text = _after(request), _wants_text(request)
        execution = ROWS.find(ref, self.actor)
        etag = _etag(execution, after)
        if same := conditional.not_modified(request, etag):
            return same
        pieces = Pieces(execution, after, _rows(execution["id"], after))
        return self._as_text(pieces, etag) if as_text else _as_json(pieces, etag)

    def _as_text(self, pieces: Pieces, etag: str) -> HttpResponse:
        headers = {
            **conditional.headers(etag),
            "X-JobHub-Next-After": str(pieces.next_after),
            "X-JobHub-Final": "true" if pieces.is_final else "false",
        }
        if not pieces.is_final:
            path = f"{self.request.path}?as=text&after={pieces.next_after}"
            headers["Link"] = f'<{absolute(self.request, path)}>; rel="next"'
        text = "[the output has expired]\n" if pieces.is_expired else pieces.text
        return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


def _as_json(pieces: Pieces, etag: str) -> Response:
    body = {
        "execution": pieces.execution["id"],
        "state": pieces.execution["state"],
        "results": pieces.rows,
        "next_after": pieces.next_after,
        "dropped_bytes": pieces.execution["output_dropped"],
        "is_final": pieces.is_final,
        "is_expired": pieces.is_expired,
    }
    return Response(body, headers=conditional.headers(etag))


def _etag(execution: Row, after: int) -> str:
    """Changes with everything that an answer shows. `output_expires_at` is emptied when the output goes."""
    expiry = "k" if execution["output_expires_at"] else "g"
    parts = (execution["id"], execution["output_seq"], execution["output_dropped"], after)
    return f'"{"-".join(map(str, parts))}-{State(execution["state"]).value}-{expiry}"'


def _rows(execution_id: int, after: int) -> list[Row]:
    """At least one piece, and at most a page."""
    pieces = Output.objects.filter(execution_id=execution_id, seq__gt=after).order_by("seq")
    page: list[Row] = []
    size = 0
    for piece in pieces.values("seq", "at", "stream", "text")[:PAGE_PIECES]:
        size += len(piece["text"].encode())
        if page and size > PAGE_BYTES:
            break
        page.append(dict(piece))
    return page


def _after(request: Request) -> int:
    given = request.query_params.get("after", "0")
    if given.isascii() and given.isdigit() and len(given) <= 10 and int(given) <= BIGGEST_SEQ:
        return int(given)
    raise Invalid.field("after", f"wanted a whole number from 0 to {BIGGEST_SEQ}")


def _wants_text(request: Request) -> bool:
    given = request.query_params.get("as")
    if given is None:
        return str(request.META.get("HTTP_ACCEPT", "")).startswith("text/plain")
    if given not in ("json", "text"):
        raise Invalid.field("as", "wanted json or text")
    return given == "text"

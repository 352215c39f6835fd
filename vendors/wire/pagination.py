"""Pages by keyset: the next one starts behind the last row seen, so no row is counted or skipped over."""

import base64
import binascii
import contextlib
from typing import Any, ClassVar

import orjson
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.encoding import iri_to_uri
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from jobs.errors import Invalid
from vendors.wire.vendor import Page, Paging, Vendor

BIGGEST_ID = 2**63 - 1
LONGEST = 2000


class Keyset(BasePagination):
    """Cuts a query into pages by fields that are unique together; the last of them is `id`.

    A view chooses among `orders`, by the parameter `order`; the first is the default. A leading `-` of the whole order
    turns it round. A cursor belongs to the order that it was made with.
    """

    orders: ClassVar[dict[str, tuple[str, ...]]] = {"-id": ("id",)}

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request, self.vendor = request, _vendor(view)
        self.order = self._order()
        size = self._size()
        cursor, backward = self._cursor()
        found = self.read(self._behind(queryset, cursor, backward), size + 1)
        has_more, found = len(found) > size, found[:size]
        if backward:
            found.reverse()
        self.has_next = has_more if not backward else True
        self.has_previous = has_more if backward else cursor is not None
        self.ends = [self._place(row) for row in (found[-1], found[0])] if found else []
        return found

    def read(self, rows: QuerySet[Any], limit: int) -> list[Any]:
        """The first rows of a sorted query."""
        return list(rows[:limit])

    def get_paginated_response(self, data: Any) -> Response:
        return Response(self.vendor.envelope(self.page(data)))

    def page(self, data: list[Any]) -> Page:
        """The rows as the face shows them, with links that start at the last and at the first of them."""
        if not self.ends:
            return Page(data, None, None)
        last, first = self.ends
        after = self._link(last, backward=False) if self.has_next else None
        before = self._link(first, backward=True) if self.has_previous else None
        return Page(data, after, before)

    def _link(self, place: list[Any], *, backward: bool) -> str:
        said = orjson.dumps([self.order, backward, *place])
        token = base64.urlsafe_b64encode(said).rstrip(b"=").decode()
        url = absolute(self.request, self.request.get_full_path())
        return replace_query_param(url, self.vendor.paging.cursor, token)

    def _place(self, row: Any) -> list[Any]:
        return [row[field] if isinstance(row, dict) else getattr(row, field) for field in self._fields]

    def names(self, paging: Paging) -> list[str]:
        """The parameters that it reads."""
        return [paging.cursor, paging.limit, *(["order"] if len(self.orders) > 1 else [])]

    def _order(self) -> str:
        given = self.request.query_params.get("order")
        if given is None:
            return next(iter(self.orders))
        if given not in self.orders:
            raise Invalid.field("order", f"wanted one of {', '.join(self.orders)}")
        return given

    def _size(self) -> int:
        paging: Paging = self.vendor.paging
        given = self.request.query_params.get(paging.limit)
        if given is None:
            return paging.default
        if given.isascii() and given.isdigit() and len(given) < 6 and 1 <= int(given) <= paging.largest:
            return int(given)
        raise Invalid.field(paging.limit, f"wanted a whole number from 1 to {paging.largest}")

    @property
    def _fields(self) -> tuple[str, ...]:
        return self.orders[self.order]

    def _cursor(self) -> tuple[dict[str, Any] | None, bool]:
        name = self.vendor.paging.cursor
        token = self.request.query_params.get(name)
        if token is None:
            return None, False
        with contextlib.suppress(ValueError, binascii.Error):
            order, backward, *values = orjson.loads(base64.urlsafe_b64decode(f"{token[:LONGEST]}==="))
            place = dict(zip(self._fields, values, strict=True))
            if order == self.order and isinstance(backward, bool) and _fits(place):
                return place, backward
        raise Invalid.field(name, "it belongs to no page of this list; take it from `next` or `previous`")

    def _behind(self, rows: QuerySet[Any], place: dict[str, Any] | None, backward: bool) -> QuerySet[Any]:
        descending = self.order.startswith("-") is not backward
        sign, beyond = ("-", "lt") if descending else ("", "gt")
        rows = rows.order_by(*(f"{sign}{field}" for field in self._fields))
        if place is None:
            return rows
        first = self._fields[0]
        return rows.filter(_beyond(place, beyond), **{f"{first}__{beyond}e": place[first]})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        paging = _vendor(view).paging
        said = [
            (paging.cursor, {"type": "string"}, "Where a page starts; take it from `next` or `previous`."),
            (
                paging.limit,
                {"type": "integer", "minimum": 1, "maximum": paging.largest, "default": paging.default},
                "Rows on a page.",
            ),
        ]
        if len(self.orders) > 1:
            orders = {"type": "string", "enum": list(self.orders), "default": next(iter(self.orders))}
            said.append(("order", orders, "How the list is sorted."))
        return [
            {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
            for name, schema, text in said
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }


def absolute(request: Any, path: str) -> str:
    """The address of a path as people outside reach it."""
    if settings.BASE_URL:
        return f"{settings.BASE_URL}{iri_to_uri(path)}"
    url: str = request.build_absolute_uri(path)
    return url


def _vendor(view: Any) -> Vendor:
    vendor: Vendor = view.vendor
    return vendor


def _fits(place: dict[str, Any]) -> bool:
    return all(_is_id(value) if field == "id" else _is_text(value) for field, value in place.items())


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 <= value <= BIGGEST_ID


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _beyond(place: dict[str, Any], beyond: str) -> Q:
    """(a, b) > (x, y), spelled out."""
    found, same = Q(), dict[str, Any]()
    for field, value in place.items():
        found |= Q(**same, **{f"{field}__{beyond}": value})
        same[field] = value
    return found

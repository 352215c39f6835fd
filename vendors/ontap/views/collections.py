"""Collections and single objects: the same for jobs, nodes and SVMs."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.encoding import iri_to_uri
from rest_framework.request import Request
from rest_framework.response import Response

from vendors.ontap.order import Order
from vendors.ontap.parameters import OF_READING, Condition, Parameters, conditions, page_size, wished_of_one
from vendors.ontap.problems import invalid_in_path, no_entry
from vendors.ontap.query.kinds import Uuid, read_uuid
from vendors.ontap.resources import Resource, Row, Tree
from vendors.ontap.views.base import OntapView
from vendors.wire.vendor import Page


def filtered(rows: QuerySet[Any], queries: list[Condition]) -> QuerySet[Any]:
    """The rows for which all queries are true."""
    for query in queries:
        rows = rows.alias(**{query.field.column: query.field.expression}).filter(query.question())
    return rows


def joined(branches: list[QuerySet[Any]]) -> QuerySet[Any]:
    """The rows of all branches, of which none share any."""
    first, *others = branches
    return first.union(*others, all=True) if others else first


class CollectionView(OntapView):
    """Objects of one kind, page by page."""

    resource: ClassVar[Resource]

    def branches(self, queries: list[Condition]) -> list[QuerySet[Any]]:
        """Those that the actor may see and that the queries select, in parts that share none."""
        raise NotImplementedError

    def everything(self) -> QuerySet[Any]:
        """Where the record is looked for that a page begins with."""
        return joined(self.branches([]))

    def get(self, request: Request) -> Response:
        parameters = Parameters(self.query)
        queries = conditions(parameters, self.resource, OF_READING)
        order = Order(self.resource, parameters)
        size = page_size(parameters)
        wished = self._wished(parameters, queries, order)
        branches = self.branches(queries)
        if not parameters.flag("return_records", default=True):
            return Response(self._linked({"num_records": sum(rows.count() for rows in branches)}, None))
        start = order.begin(parameters.start, self.everything())
        keyed = [order.keyed(rows).filter(start) for rows in branches]
        rows = joined([self.resource.read(one, wished, *order.columns) for one in keyed]).order_by(*order.sort)
        found = list(rows[: size + 1])
        records = [self.resource.record(row, wished, self.prefix) for row in found[:size]]
        after = self._next(order.link(found[size]), parameters) if len(found) > size else None
        return Response(self._linked(self.vendor.envelope(Page(records, after, None)), after))

    def _wished(self, parameters: Parameters, queries: list[Condition], order: Order) -> Tree:
        """By default the keys, and what is searched or sorted by."""
        names = parameters.words("fields") or [*(one.field.name for one in queries), *order.names]
        return self.resource.wished(names, is_lenient=parameters.is_lenient)

    def _next(self, start: str, parameters: Parameters) -> str:
        others = parameters.without_start()
        return self._href(f"{start}&{others}" if others else start)

    def _href(self, query: str) -> str:
        path = f"{self.mount}{self.resource.path}"
        return iri_to_uri(f"{path}?{query}" if query else path)

    def _linked(self, body: dict[str, Any], after: str | None) -> dict[str, Any]:
        """The link to the next page is there in any case: clients that want no HAL need it, too."""
        links = {} if self.prefix is None else {"self": {"href": self._href(self.query)}}
        if after is not None:
            links["next"] = {"href": after}
        return {**body, "_links": links} if links else body


class InstanceView(OntapView):
    """One object."""

    resource: ClassVar[Resource]

    def rows(self) -> QuerySet[Any]:
        """Those that the actor may see."""
        raise NotImplementedError

    def row(self, uuid: str) -> Row:
        """The row of that uuid. Raises `Refused`."""
        found: Row | None = self.resource.read(self.rows().filter(uuid=uuid), self.resource.whole).first()
        if found is None:
            raise no_entry()
        return found

    def get(self, request: Request, uuid: str) -> Response:
        ref = checked_uuid(uuid)
        wished = wished_of_one(self.query, self.resource)
        return Response(self.resource.record(self.row(ref), wished, self.prefix))


def checked_uuid(text: str) -> str:
    """The uuid of a path, in lower case. Raises `Refused` with the recorded 404 for another text."""
    try:
        return str(read_uuid(text))
    except ValueError:
        raise invalid_in_path(text, "uuid", Uuid.wanted) from None

"""Documents of any kind: put, get, delete, search; and what only ingestions and datasources can."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.errors import Invalid
from vendors.siren import ingestions
from vendors.siren.datasources import DATASOURCES
from vendors.siren.documents import COUNTED, Documents, Found
from vendors.siren.filters import WINDOW, Window
from vendors.siren.indices import INDICES
from vendors.siren.ingestions import INGESTIONS, KIND
from vendors.siren.shapes import Row, hits, job_json, no_job
from vendors.siren.views.base import SirenView

OP_TYPE = "op_type"
CREATE = "create"


class DocumentView(SirenView):
    """One document by its id. A put with `?op_type=create` leaves what is there alone."""

    documents: ClassVar[Documents]
    params = frozenset({OP_TYPE})

    def get(self, request: Request, id: str) -> Response:
        found = self.documents.get(id, actor=self.actor)
        return Response(_shown(found)) if found else Response({"_id": id, "found": False}, status=404)

    def put(self, request: Request, id: str) -> Response:
        version, is_new = self.documents.put(
            id, self.document(request), actor=self.actor, create_only=_is_create(request)
        )
        body = {"_id": id, "_version": version, "result": "created" if is_new else "updated", "created": is_new}
        return Response(body, status=201 if is_new else 200)

    def delete(self, request: Request, id: str) -> Response:
        if self.documents.delete(id, actor=self.actor):
            return Response({"_id": id, "found": True, "result": "deleted"})
        return Response({"_id": id, "found": False, "result": "not_found"}, status=404)

    def example(self, method: str, data: object) -> object:
        return data.get("_source") if method == "PUT" and isinstance(data, dict) else None


def _shown(found: Found) -> Row:
    return {"_id": found.id, "_version": found.version, "found": True, "_source": found.source}


def _is_create(request: Request) -> bool:
    given = request.query_params.get(OP_TYPE, "index")
    if given not in ("index", CREATE):
        raise Invalid.field("", f"opType must be 'create' or 'index', found: [{given[:100]}]")
    return given == CREATE


class SearchView(SirenView):
    """All documents of a kind, by id."""

    documents: ClassVar[Documents]
    params = WINDOW

    def get(self, request: Request) -> Response:
        window = Window.of(request, default=COUNTED)
        total, found = self.documents.search(window, actor=self.actor)
        return Response(hits(total, [{"_id": one.id, "_source": one.source} for one in found]))


class IngestionView(DocumentView):
    documents = INGESTIONS


class IngestionsView(SearchView):
    documents = INGESTIONS


class RunView(SirenView):
    """Start an ingestion; one that runs is left alone (409)."""

    def post(self, request: Request, id: str) -> Response:
        job = ingestions.find(id, self.actor)
        if job is None:
            return Response(no_job(KIND, id), status=404)
        return Response(job_json(vars(ingestions.run(job, actor=self.actor))))


class DatasourceView(DocumentView):
    documents = DATASOURCES


class DatasourcesView(SearchView):
    documents = DATASOURCES


class ValidateView(SirenView):
    """Connect to a database: to the one in the body, else to the stored one."""

    def post(self, request: Request, id: str) -> Response:
        given = self.document(request) if self.has_body(request) else None
        if not DATASOURCES.validate(id, given, actor=self.actor):
            return Response({"_id": id, "found": False}, status=404)
        return Response({"_id": id, "valid": True})


class IndexView(DocumentView):
    documents = INDICES


class IndicesView(SearchView):
    documents = INDICES

"""Jobs: listed, searched, polled; created, replaced, patched, deleted; started, stopped, aborted."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.errors import NotFound
from jobs.models import Job
from vendors.freezer import hub, jobs, mailbox, nodes, rows, runs, search
from vendors.freezer.documents import documents_of_others, job_document, job_documents
from vendors.freezer.errors import Refusal, bad_format
from vendors.freezer.scope import Scope
from vendors.freezer.views.base import FreezerView, Json
from vendors.freezer.words import EVENTS
from vendors.models import FreezerJob

NO_VERSION = 0
"""There is no optimistic locking."""


class JobsView(FreezerView):
    """Jobs that have a client. The body of a GET may search; a scheduler asks so for its own."""

    def get(self, request: Request, scope: str) -> Response:
        limit, offset = self.window
        wanted = self.search
        if wanted.is_poll:
            return Response({"jobs": _poll(wanted, limit, offset, self.scope)})
        found = wanted.narrowed(_visible(self.scope)).order_by("job_id").values(*rows.COLUMNS)
        return Response({"jobs": shown(search.page(found, wanted, limit, offset, job_documents), self.scope)})

    def post(self, request: Request, scope: str) -> Response:
        return Response({"job_id": jobs.create(self.document, self.scope).key}, status=201)


def _visible(scope: Scope) -> QuerySet[FreezerJob]:
    found = FreezerJob.objects.all()
    return found if scope.sees_all else found.filter(project=scope.project_id)


def _poll(wanted: search.Search, limit: int, offset: int, scope: Scope) -> list[Json]:
    """What a scheduler has to do. Its events count as delivered with it. A node of the hub's own never asks, so that
    nobody can take its place."""
    client = wanted.client or ""
    if hub.is_own(client) or "\0" in client:
        return []
    found = rows.polled(client, wanted, limit, offset, scope, job_documents)
    if scope.may_report:
        mailbox.deliver(found)
        if offset == 0:
            nodes.note_poll(client, is_one=bool(found))
    return shown([mailbox.for_node(document) for document in job_documents(found)], scope)


class JobView(FreezerView):
    """One job."""

    def get(self, request: Request, scope: str, job_id: str) -> Response:
        return Response(shown([one(job_id, self.scope)], self.scope)[0])

    def patch(self, request: Request, scope: str, job_id: str) -> Response:
        jobs.patch(job_id, self.document, self.scope)
        return Response({"job_id": job_id, "version": NO_VERSION})

    def post(self, request: Request, scope: str, job_id: str) -> Response:
        """Create it with this id, or put another in its place."""
        jobs.replace(job_id, self.document, self.scope)
        return Response({"job_id": job_id, "version": job_id}, status=201)

    def delete(self, request: Request, scope: str, job_id: str) -> Response:
        if not jobs.delete(job_id, self.scope) and self.scope.is_v1:
            raise Refusal(404, "Not Found", f"No Job found with ID:{job_id}")
        return Response(status=204)


def one(job_id: str, scope: Scope) -> Json:
    """A job by its id, of whichever face; raises `NotFound`."""
    pk, row = rows.one(job_id, scope)
    if row is not None:
        return job_document(row)
    job = Job.objects.select_related("project", "last_editor").filter(pk=pk or 0).first()
    if job is None:
        raise NotFound
    return documents_of_others([job], hub.own_nodes())[0]


def shown(documents: list[Json], scope: Scope) -> list[Json]:
    """The first version knew no projects."""
    if not scope.is_v1:
        return documents
    return [{name: value for name, value in one.items() if name != "project_id"} for one in documents]


class EventView(FreezerView):
    """What a job shall do: `{"start": null}`, `{"stop": null}` or `{"abort": null}`."""

    def post(self, request: Request, scope: str, job_id: str) -> Response:
        given: Any = request.data
        if not isinstance(given, dict) or not given:
            raise bad_format("Bad event request format")
        event = next(iter(given))
        if event not in EVENTS:
            raise bad_format("Bad Action Method")
        job = jobs.find(job_id, self.scope)
        if job is None:
            raise bad_format("'job_actions' is a required property")
        return Response({"result": runs.post_event(job, event, self.scope.actor)}, status=202)

    def example(self, method: str, data: Any) -> Any:
        return {"start": None}

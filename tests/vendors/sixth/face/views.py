"""What Kiln's clients ask for."""

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import aborts
from jobs.engine.find import find_execution, find_job
from jobs.engine.trigger import trigger
from jobs.errors import Invalid
from jobs.models import JobExecution
from vendors.kiln.shapes import FIRING, firing
from vendors.kiln.vendor import VENDOR
from vendors.wire.lookups import ExecutionRows, in_project
from vendors.wire.views import FaceViewSet

ROWS = ExecutionRows(*FIRING)


class FiringViewSet(FaceViewSet):
    """Firings: the newest first, one, a new one, and an end of one."""

    vendor = VENDOR
    queryset = JobExecution.objects.all()

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(in_project(self.get_queryset(), None, self.actor).values(*FIRING))
        return self.get_paginated_response([firing(row) for row in page or []])

    def retrieve(self, request: Request, ref: str) -> Response:
        return Response(firing(ROWS.find(ref, self.actor)))

    def create(self, request: Request) -> Response:
        if not isinstance(request.data, dict) or not isinstance(request.data.get("ware"), str):
            raise Invalid.field("ware", "wanted the name of a job")
        execution, _ = trigger(find_job(request.data["ware"], actor=self.actor), actor=self.actor)
        return Response(firing(vars(execution)), status=201)

    def destroy(self, request: Request, ref: str) -> Response:
        aborts.abort(find_execution(ref, actor=self.actor), actor=self.actor)
        return Response(status=204)

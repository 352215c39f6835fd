"""Jobs: what can be run."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import define, verbs
from jobs.engine.documents import JobDocument
from jobs.engine.execution_shape import fresh_json
from jobs.engine.find import find_execution, find_job
from jobs.engine.trigger import trigger
from jobs.errors import Invalid, NotFound
from jobs.models import Condition, Job, JobExecution
from vendors.native import parameters
from vendors.native.documents import Hold, JobChanges, JobRead, Trigger
from vendors.native.filters import JobFilters
from vendors.native.serializers import ExecutionSerializer, ProblemSerializer
from vendors.native.shapes import job_json, jobs_json
from vendors.native.views.base import ByName, NativeViewSet
from vendors.wire.conditional import headers, not_modified, require_match

EXAMPLES: dict[str, Any] = {
    "create": {"name": "nightly/notes", "actions": [{"runner": "command", "spec": {"argv": ["echo", "hello"]}}]},
    "trigger": {"params": {}},
    "hold": {"reason": "maintenance"},
}
CONFLICT = {409: ProblemSerializer, 412: ProblemSerializer}


class JobViewSet(NativeViewSet):
    """Jobs. A job is named by its id, its uuid, or its name in the project one acts in (`nightly/db` as it is)."""

    queryset = Job.objects.select_related("owner", "project")
    pagination_class = ByName
    filterset_class = JobFilters
    list_params = {"project"}

    @extend_schema(summary="List jobs", parameters=[parameters.PROJECT], responses=JobRead)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(jobs_json(page or []))

    @extend_schema(summary="Create a job", request=JobDocument, responses={201: JobRead, 409: ProblemSerializer})
    def create(self, request: Request) -> Response:
        job, _ = define.define(request.data, actor=self.actor, create_only=True)
        return self._answer(job, status=201, Location=self.address("job", job.pk))

    @extend_schema(
        summary="Read a job", parameters=[parameters.IF_NONE_MATCH], responses={200: JobRead, **parameters.SAME}
    )
    def retrieve(self, request: Request, ref: str) -> Any:
        job = find_job(ref, actor=self.actor)
        return not_modified(request, etag_of(job)) or self._answer(job)

    @extend_schema(
        summary="Replace a job",
        parameters=[parameters.IF_MATCH],
        request=JobDocument,
        responses={200: JobRead, **CONFLICT},
    )
    def update(self, request: Request, ref: str) -> Response:
        with transaction.atomic():
            document = request.data
            if isinstance(document, dict) and document.get("schedules") is None:
                document = {**document, "schedules": []}
            job, _ = define.define(document, actor=self.actor, job=self._to_change(request, ref))
        return self._answer(job)

    @extend_schema(
        summary="Change some fields of a job",
        parameters=[parameters.IF_MATCH],
        request=JobChanges,
        responses={200: JobRead, **CONFLICT},
    )
    def partial_update(self, request: Request, ref: str) -> Response:
        with transaction.atomic():
            job = define.patch(self._to_change(request, ref), request.data, actor=self.actor)
        return self._answer(job)

    @extend_schema(
        summary="Delete a job",
        description="What is active of it is aborted; its executions stay.",
        parameters=[parameters.IF_MATCH],
        responses={204: None, **CONFLICT},
    )
    def destroy(self, request: Request, ref: str) -> Response:
        with transaction.atomic():
            verbs.delete_job(self._to_change(request, ref), actor=self.actor)
        return Response(status=204)

    @extend_schema(
        summary="Trigger a job",
        description="A repeated idempotency key gives the first execution back, with `Idempotent-Replayed: true`.",
        parameters=[parameters.IDEMPOTENCY_KEY],
        request=Trigger,
        responses={202: ExecutionSerializer, 409: ProblemSerializer},
    )
    def trigger(self, request: Request, ref: str) -> Response:
        wanted = Trigger.parse(request.data)
        execution, is_new = trigger(
            find_job(ref, actor=self.actor),
            actor=self.actor,
            params=wanted.params,
            after=self._predecessors(wanted.after),
            condition=Condition(wanted.on),
            idempotency_key=_idempotency_key(request, wanted),
            run_at=wanted.run_at,
            priority=wanted.priority,
        )
        replayed = {} if is_new else {"Idempotent-Replayed": "true"}
        return self.accepted(fresh_json(execution), execution.pk, headers=replayed)

    @extend_schema(
        summary="Put a job on hold",
        description="Triggers are refused, what is queued waits, what runs goes on.",
        request=Hold,
        responses=JobRead,
    )
    def hold(self, request: Request, ref: str) -> Response:
        wanted = Hold.parse(request.data)
        job = find_job(ref, actor=self.actor)
        verbs.hold(job, actor=self.actor, reason=wanted.reason, until=wanted.until)
        return self._answer(job)

    @extend_schema(summary="End a hold", request=None, responses=JobRead)
    def release(self, request: Request, ref: str) -> Response:
        job = find_job(ref, actor=self.actor)
        verbs.release(job, actor=self.actor)
        return self._answer(job)

    def example(self, method: str, data: Any) -> Any:
        if method == "PUT" and isinstance(data, dict):
            return {name: data[name] for name in JobDocument.model_fields if name in data}
        return EXAMPLES.get(self.action_map["post"]) if method == "POST" else {}

    def _to_change(self, request: Request, ref: str) -> Job:
        """The job, locked, and unchanged since the client saw it."""
        found = find_job(ref, actor=self.actor)
        job = Job.objects.select_for_update(no_key=True).get(pk=found.pk)
        require_match(request, etag_of(job))
        return job

    def _answer(self, job: Job, status: int = 200, **more: str) -> Response:
        return Response(job_json(job), status=status, headers={**headers(etag_of(job)), **more})

    def _predecessors(self, refs: Sequence[int | str]) -> Sequence[JobExecution]:
        found = []
        for index, ref in enumerate(refs):
            try:
                found.append(find_execution(str(ref), actor=self.actor))
            except NotFound as error:
                raise Invalid.field(f"after.{index}", error.message) from None
        return found


def etag_of(job: Job) -> str:
    return f'"{job.pk}-{job.version}"'


def _idempotency_key(request: Request, wanted: Trigger) -> str:
    """From the body or the header; both only when they are the same."""
    in_header = str(request.META.get("HTTP_IDEMPOTENCY_KEY", ""))
    if in_header and wanted.idempotency_key and in_header != wanted.idempotency_key:
        raise Invalid.field("idempotency_key", "it differs from the header Idempotency-Key")
    return in_header or wanted.idempotency_key

"""Executions: what runs, ran and will run."""

import zlib
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import aborts, keeps, retries, verbs
from jobs.engine.execution_shape import EXECUTION, Row, executions_json
from jobs.engine.find import find_execution
from jobs.models import JobExecution
from jobs.states import State
from vendors.native import parameters
from vendors.native.documents import Retry
from vendors.native.filters import ExecutionFilters
from vendors.native.serializers import ExecutionSerializer, ProblemSerializer
from vendors.native.views.base import NativeViewSet
from vendors.wire import conditional
from vendors.wire.lookups import ExecutionRows
from vendors.wire.pagination import Keyset
from vendors.wire.renderers import compact

VERSIONS = ExecutionRows("id", "project_id", "state", "version")
ROWS = ExecutionRows(*EXECUTION)
CONFLICT = {409: ProblemSerializer}


def execution_now(pk: int) -> Row:
    """An execution as it is now."""
    return executions_json([ROWS.read(pk)])[0]


def etag_of(row: Row, body: Row | None = None) -> str:
    """From the version; while it is queued also from what it waits for, which changes without it."""
    seen = f"-{zlib.crc32(compact(body['waiting_for'])):08x}" if body and body["waiting_for"] else ""
    return f'"{row["id"]}-{row["version"]}{seen}"'


class ByState(Keyset):
    """Several states are read one by one."""

    def read(self, rows: Any, limit: int) -> list[Any]:
        states = dict.fromkeys(self.request.query_params.getlist("state"))
        return super().read(rows.of_states(states) if len(states) > 1 else rows, limit)


class ExecutionViewSet(NativeViewSet):
    """Executions, newest first. One is named by its id, its uuid or its handle."""

    queryset = JobExecution.objects.all()
    pagination_class = ByState
    filterset_class = ExecutionFilters
    list_params = {"project"}

    @extend_schema(
        summary="List executions",
        parameters=[parameters.PROJECT],
        responses=ExecutionSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()).values(*EXECUTION))
        return self.get_paginated_response(executions_json(page or []))

    @extend_schema(
        summary="Read an execution",
        parameters=[parameters.IF_NONE_MATCH],
        responses={200: ExecutionSerializer, **parameters.SAME},
    )
    def retrieve(self, request: Request, ref: str) -> Any:
        if conditional.asked(request):
            row = VERSIONS.find(ref, self.actor)
            same = row["state"] != State.QUEUED.value and conditional.not_modified(request, etag_of(row))
            if same:
                return same
        row = ROWS.find(ref, self.actor)
        body = executions_json([row])[0]
        etag = etag_of(row, body)
        return conditional.not_modified(request, etag) or Response(body, headers=conditional.headers(etag))

    @extend_schema(summary="Never let an execution expire", request=None, responses={200: ExecutionSerializer})
    def keep(self, request: Request, ref: str) -> Response:
        execution = find_execution(ref, actor=self.actor)
        keeps.keep_execution(execution, actor=self.actor)
        return Response(execution_now(execution.pk))

    @extend_schema(
        summary="Let an execution expire by its job's rule again",
        request=None,
        responses={200: ExecutionSerializer},
    )
    def unkeep(self, request: Request, ref: str) -> Response:
        execution = find_execution(ref, actor=self.actor)
        keeps.unkeep_execution(execution, actor=self.actor)
        return Response(execution_now(execution.pk))

    @extend_schema(summary="Delete an ended execution and its output", responses={204: None, 409: ProblemSerializer})
    def destroy(self, request: Request, ref: str) -> Response:
        verbs.delete_execution(find_execution(ref, actor=self.actor), actor=self.actor)
        return Response(status=204)

    @extend_schema(
        summary="Abort an execution",
        description="What is queued or paused ends at once; what runs becomes `aborting` until its runner has stopped.",
        request=None,
        responses={200: ExecutionSerializer, **CONFLICT},
    )
    def abort(self, request: Request, ref: str) -> Response:
        execution = find_execution(ref, actor=self.actor)
        aborts.abort(execution, actor=self.actor)
        return Response(execution_now(execution.pk))

    @extend_schema(
        summary="Pause a running execution",
        description="It saves a checkpoint and leaves its worker. Runners that cannot are a conflict.",
        request=None,
        responses={200: ExecutionSerializer, **CONFLICT},
    )
    def pause(self, request: Request, ref: str) -> Response:
        execution = find_execution(ref, actor=self.actor)
        verbs.pause(execution, actor=self.actor)
        return Response(execution_now(execution.pk))

    @extend_schema(summary="Resume a paused execution", request=None, responses={200: ExecutionSerializer, **CONFLICT})
    def resume(self, request: Request, ref: str) -> Response:
        execution = find_execution(ref, actor=self.actor)
        verbs.resume(execution, actor=self.actor)
        return Response(execution_now(execution.pk))

    @extend_schema(
        summary="Run an ended execution's job again",
        description=(
            "With the same params and the job as it is now; the new execution names this one in `retry_of`, and in "
            "`first` the one that was retried first."
        ),
        request=Retry,
        responses={202: ExecutionSerializer, **CONFLICT},
    )
    def retry(self, request: Request, ref: str) -> Response:
        is_from_failed = Retry.parse(request.data).from_ == "failed"
        execution = retries.retry(find_execution(ref, actor=self.actor), actor=self.actor, from_failed=is_from_failed)
        return self.accepted(execution_now(execution.pk), execution.pk)

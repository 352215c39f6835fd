"""Abort or retry many executions at once."""

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import aborts, retries
from jobs.engine.rights import Right
from jobs.errors import Invalid
from jobs.models import JobExecution
from vendors.native.documents import BulkAbort, BulkRetry
from vendors.native.filters import ExecutionFilters
from vendors.native.serializers import AbortedSerializer, RetriedSerializer
from vendors.native.views.base import NativeView
from vendors.wire.lookups import EVERYWHERE, find_project
from vendors.wire.times import rfc3339

ABORTED_AT_ONCE = 1000
RETRIED_AT_ONCE = 500
NO_FILTERS = {"all", "dry_run", "project", "state", "from_"}


class BulkView(NativeView):
    """Executions by the filters of the list, in a project or in all where one may do it."""

    deed: ClassVar[str]

    def matching(self, rows: QuerySet[Any], wanted: BulkAbort | BulkRetry, at_once: int) -> list[JobExecution]:
        """Oldest first. Raises `Invalid` when nothing is asked for, which is not the same as everything."""
        given = wanted.model_dump(exclude_none=True, exclude=NO_FILTERS)
        states = getattr(wanted, "state", [])
        if not any(given.values()) and not states and not wanted.all:
            raise Invalid.field("all", f"wanted a filter, or all: true for {self.deed} every one")
        rows = self._mine(rows, wanted.project)
        if states:
            rows = rows.filter(state__in=states)
        rows = ExecutionFilters(_query(given), queryset=rows, request=self.request).checked()
        return list(rows.order_by("id")[:at_once])

    def _mine(self, rows: QuerySet[Any], project: str | None) -> QuerySet[Any]:
        if project != EVERYWHERE:
            project_id = self.actor.home if project is None else find_project(project, self.actor).pk
            self.actor.require(Right.EDIT, project_id, self.deed)
            return rows.filter(project_id=project_id)
        if self.actor.sees_all:
            return rows
        mine = [project_id for project_id, right in self.actor.rights.items() if right >= Right.EDIT]
        if not mine:
            raise self.actor.refusal(self.deed, f"{self.deed}: {self.actor.name} may do that in no project")
        return rows.filter(project_id__in=mine)


class BulkAbortView(BulkView):
    """Abort by the filters of the list."""

    deed = "aborting"

    @extend_schema(
        summary="Abort many executions",
        description=(
            f"Those of the active ones that match all given filters, oldest first, at most {ABORTED_AT_ONCE} a call."
        ),
        operation_id="executions_abort_many",
        request=BulkAbort,
        responses=AbortedSerializer,
    )
    def post(self, request: Request) -> Response:
        wanted = BulkAbort.parse(request.data)
        found = self.matching(JobExecution.objects.active(), wanted, ABORTED_AT_ONCE)
        aborted = found if wanted.dry_run else aborts.abort_all(found, actor=self.actor)
        return Response(
            {
                "matched": len(found),
                "aborted": [one.pk for one in aborted],
                "is_complete": len(found) < ABORTED_AT_ONCE,
            }
        )

    def example(self, method: str, data: Any) -> Any:
        return {"state": ["queued"], "dry_run": True}


class BulkRetryView(BulkView):
    """Retry what failed, by the filters of the list."""

    deed = "retrying"

    @extend_schema(
        summary="Retry many executions",
        description=(
            "Those that failed, match all given filters and have not been retried yet, oldest first, at most "
            f"{RETRIED_AT_ONCE} a call. Each is retried by itself; one that cannot be is told with the reason."
        ),
        operation_id="executions_retry_many",
        request=BulkRetry,
        responses=RetriedSerializer,
    )
    def post(self, request: Request) -> Response:
        wanted = BulkRetry.parse(request.data)
        rows = retries.to_retry(JobExecution.objects.select_related("job__project"))
        found = self.matching(rows, wanted, RETRIED_AT_ONCE)
        if wanted.dry_run:
            retried = retries.would_retry(found)
        else:
            retried = retries.retry_all(found, actor=self.actor, from_failed=wanted.from_ == "failed")
        return Response({**retried.document(len(found)), "is_complete": len(found) < RETRIED_AT_ONCE})

    def example(self, method: str, data: Any) -> Any:
        return {"finished_from": "2027-01-31T00:00:00Z", "dry_run": True}


def _query(given: dict[str, Any]) -> QueryDict:
    """The filters as the list would get them."""
    query = QueryDict(mutable=True)
    for name, value in given.items():
        query[name] = (rfc3339(value) or "") if isinstance(value, datetime) else value
    return query

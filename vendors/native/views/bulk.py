"""Abort many executions at once."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import aborts
from jobs.engine.rights import Right
from jobs.errors import Invalid
from jobs.models import JobExecution
from vendors.native.documents import BulkAbort
from vendors.native.filters import ExecutionFilters
from vendors.native.serializers import AbortedSerializer
from vendors.native.views.base import NativeView
from vendors.wire.lookups import EVERYWHERE, find_project
from vendors.wire.times import rfc3339

AT_ONCE = 1000


class BulkAbortView(NativeView):
    """Abort by the filters of the list."""

    @extend_schema(
        summary="Abort many executions",
        description=f"Those of the active ones that match all given filters, oldest first, at most {AT_ONCE} a call.",
        operation_id="executions_abort_many",
        request=BulkAbort,
        responses=AbortedSerializer,
    )
    def post(self, request: Request) -> Response:
        wanted = BulkAbort.parse(request.data)
        found = self._matching(wanted)
        aborted = found if wanted.dry_run else aborts.abort_all(found, actor=self.actor)
        return Response(
            {
                "matched": len(found),
                "aborted": [one.pk for one in aborted],
                "is_complete": len(found) < AT_ONCE,
            }
        )

    def example(self, method: str, data: Any) -> Any:
        return {"state": ["queued"], "dry_run": True}

    def _matching(self, wanted: BulkAbort) -> list[JobExecution]:
        given = wanted.model_dump(exclude_none=True, exclude={"all", "dry_run", "project", "state"})
        if not any(given.values()) and not wanted.state and not wanted.all:
            raise Invalid.field("all", "wanted a filter, or all: true for every active execution")
        rows = self._abortable(wanted.project)
        if wanted.state:
            rows = rows.filter(state__in=wanted.state)
        rows = ExecutionFilters(_query(given), queryset=rows, request=self.request).checked()
        return list(rows.order_by("id")[:AT_ONCE])

    def _abortable(self, project: str | None) -> QuerySet[Any]:
        """The active executions of the project; of `*` those of all projects where one may abort."""
        rows = JobExecution.objects.active()
        if project != EVERYWHERE:
            project_id = self.actor.home if project is None else find_project(project, self.actor).pk
            self.actor.require(Right.EDIT, project_id, "aborting")
            return rows.filter(project_id=project_id)
        if self.actor.sees_all:
            return rows
        mine = [project_id for project_id, right in self.actor.rights.items() if right >= Right.EDIT]
        if not mine:
            raise self.actor.refusal("aborting", f"{self.actor.name} may abort nothing")
        return rows.filter(project_id__in=mine)


def _query(given: dict[str, Any]) -> QueryDict:
    """The filters as the list would get them."""
    query = QueryDict(mutable=True)
    for name, value in given.items():
        query[name] = (rfc3339(value) or "") if isinstance(value, datetime) else value
    return query

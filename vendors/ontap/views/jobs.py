"""The cluster's jobs: `GET` and `PATCH` of many and of one."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine.find import find_execution
from jobs.engine.rights import Right
from jobs.models import JobExecution, Project
from vendors.ontap.actions import act, chosen
from vendors.ontap.hub import SVMS
from vendors.ontap.jobs import JOBS, find
from vendors.ontap.order import KEY
from vendors.ontap.parameters import START, Condition, Parameters
from vendors.ontap.patching import AT_ONCE, KNOWN, Patch
from vendors.ontap.problems import Refused, no_entry
from vendors.ontap.resources import Field, Row
from vendors.ontap.vendor import VENDOR
from vendors.ontap.views.collections import CollectionView, InstanceView, checked_uuid, filtered, joined
from vendors.ontap.window import shown

OF_SVM = {"svm.name": "name", "svm.uuid": "uuid"}
CHANGING = "changing jobs"


class JobsView(CollectionView):
    """Retrieves a list of recently running asynchronous jobs."""

    resource = JOBS

    def branches(self, queries: list[Condition]) -> list[QuerySet[Any]]:
        return self._visible(queries, Right.SEE)

    def everything(self) -> QuerySet[Any]:
        """Also what is shown no more."""
        visible = self.actor.visible_projects
        rows = JobExecution.objects.all()
        return rows if visible is None else rows.filter(project_id__in=visible)

    def _visible(self, queries: list[Condition], right: Right) -> list[QuerySet[Any]]:
        others = [query for query in queries if query.field.name not in OF_SVM]
        executions = JobExecution.objects.filter(project_id__in=self._projects(queries, right))
        return [filtered(rows, others) for rows in shown(executions)]

    def _projects(self, queries: list[Condition], right: Right) -> list[int]:
        """The acting one; where a query is about the SVM, all that fit it and where the actor has the right.

        A header that names an SVM is a tunnel: there is no other one for the request.
        """
        of_svm = [_of_project(query) for query in queries if query.field.name in OF_SVM]
        actor = self.actor
        if not of_svm:
            actor.require(right, actor.home, CHANGING)
            return [actor.home]
        projects = Project.objects.order_by("pk")
        if any(header in self.request.META for header in VENDOR.project_headers):
            projects = projects.filter(pk=actor.home)
        if not actor.sees_all:
            projects = projects.filter(pk__in=[pk for pk, mine in actor.rights.items() if mine >= right])
        return list(filtered(projects, of_svm).values_list("pk", flat=True))

    def patch(self, request: Request) -> Response:
        """Acts on all jobs that the query, or the uuids in the body's `records`, select, in the order of uuids."""
        self.require_role(Right.EDIT, CHANGING)
        parameters = Parameters(self.query)
        asked = Patch.read(parameters, self.body())
        branches = self._selected(asked)
        keys = list(joined([rows.values_list(KEY, "pk") for rows in branches]).order_by(KEY)[: AT_ONCE + 1])
        if asked.named is not None and len(keys) < len(set(asked.named)) and not asked.goes_on:
            raise no_entry()
        done = self._act_on([pk for _, pk in keys[:AT_ONCE]], branches, asked)
        body: dict[str, Any] = {"num_records": len(done)}
        if asked.returns_records:
            body = {"records": [self._shown(one) for one in done], **body}
        after = self._next(f"{START}{KEY}={keys[AT_ONCE][0]}", parameters) if len(keys) > AT_ONCE else None
        return Response(self._linked(body, after))

    def _selected(self, asked: Patch) -> list[QuerySet[Any]]:
        branches = self._visible(asked.queries, Right.EDIT)
        if asked.named is not None:
            branches = [rows.filter(uuid__in=asked.named) for rows in branches]
        return branches if asked.start is None else [rows.filter(uuid__gte=asked.start) for rows in branches]

    def _act_on(self, keys: list[int], branches: list[QuerySet[Any]], asked: Patch) -> list[JobExecution]:
        """Those for which it was done. Raises the first failure, unless it goes on and some were done."""
        done, failures = [], []
        for execution in JobExecution.objects.select_related("project", "job").filter(pk__in=keys).order_by(KEY):
            try:
                act(asked.action, execution, actor=self.actor)
            except Refused as refused:
                if not any(rows.filter(pk=execution.pk).exists() for rows in branches):
                    continue  # it has changed meanwhile, so that the query would not select it now
                failures.append(refused)
                if not asked.goes_on:
                    raise
            else:
                done.append(execution)
        if failures and not done:
            raise failures[0]
        return done

    def _shown(self, execution: JobExecution) -> dict[str, Any]:
        return JOBS.record({KEY: execution.uuid}, JOBS.wished([]), self.prefix)


def _of_project(query: Condition) -> Condition:
    """A query about the SVM as one of projects."""
    field = query.field
    return Condition(Field(field.name, field.kind, SVMS.by_name[OF_SVM[field.name]].source), query.text)


class JobView(InstanceView):
    """Retrieves the details of a specific asynchronous job."""

    resource = JOBS

    def row(self, uuid: str) -> Row:
        return find(uuid, self.actor)

    def patch(self, request: Request, uuid: str) -> Response:
        """Updates the state of a specific asynchronous job."""
        self.require_role(Right.EDIT, CHANGING)
        ref = checked_uuid(uuid)
        parameters = Parameters(self.query)
        parameters.refuse_others(KNOWN)
        action = chosen(parameters)
        self.require_nothing()
        find(ref, self.actor)
        act(action, find_execution(ref, actor=self.actor), actor=self.actor)
        return Response({})

"""The list of executions: its filters, its search and its pages, each answered from an index."""

import uuid
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from jobs.admin.base import actor_of
from jobs.admin.seek import BeforeFilter, SeekChangeList, as_id
from jobs.engine.documents import is_uuid
from jobs.engine.rights import Actor
from jobs.engine.waiting import waiting_for
from jobs.models import Job, JobExecution, Node, Project
from jobs.models.queries import literals
from jobs.states import ACTIVE, State

Choices = list[tuple[str, str]]
ACTIVE_WORD = "active"
JOBS_FOUND = 50
"""So many jobs a word of a search may mean."""


class ExecutionChangeList(SeekChangeList):
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The indexes begin with the project: a filtered list over all projects names them, then each can be used."""
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        if actor_of(request).visible_projects is None and {"state", "kind", "node", SEARCH_VAR} & set(self.params):
            rows = rows.filter(project__in=Project.objects.values("pk"))
        return rows

    def rows_of(self, ids: list[int]) -> list[JobExecution]:
        """Each queued one carries the `reasons` why it does not run."""
        rows = list(super().rows_of(ids).select_related("project"))
        reasons = waiting_for(rows)
        for execution in rows:
            execution.reasons = reasons.get(execution.pk, [])
        return rows


class Filter(SimpleListFilter):
    """A filter over known words. One that is asked for and not known finds nothing, where Django would find all."""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Choices:
        known = self.known(request)
        asked = request.GET.get(str(self.parameter_name), "")
        return known if not asked or asked in dict(known) else [*known, (asked, asked)]

    def known(self, request: HttpRequest) -> Choices:
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class StateFilter(Filter):
    title = "state"
    parameter_name = "state"

    def known(self, request: HttpRequest) -> Choices:
        return [(ACTIVE_WORD, "not ended"), *[(state.value, state.value) for state in State]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == ACTIVE_WORD:
            return queryset.filter(state__in=literals(ACTIVE))
        return super().queryset(request, queryset)


class ProjectFilter(Filter):
    title = "project"
    parameter_name = "project"

    def known(self, request: HttpRequest) -> Choices:
        visible = actor_of(request).visible_projects
        rows = Project.objects.all() if visible is None else Project.objects.filter(pk__in=visible)
        return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(project=as_id(self.value())) if self.value() else queryset


class KindFilter(Filter):
    """The kinds of the jobs there are; an execution of a job that is gone may have another one."""

    title = "kind"
    parameter_name = "kind"

    def known(self, request: HttpRequest) -> Choices:
        kinds = _jobs(request).order_by("kind").values_list("kind", flat=True).distinct()
        return [(kind, kind) for kind in kinds]


class NodeFilter(Filter):
    title = "node"
    parameter_name = "node"

    def known(self, request: HttpRequest) -> Choices:
        return [(name, name) for name in Node.objects.values_list("name", flat=True)]


class JobFilter(Filter):
    """Set by the links of a job's page; shown only while it is set."""

    title = "job"
    parameter_name = "job"

    def known(self, request: HttpRequest) -> Choices:
        chosen = request.GET.get(self.parameter_name, "")
        jobs = _jobs(request).filter(pk=as_id(chosen)) if chosen else Job.objects.none()
        return [(str(pk), name) for pk, name in jobs.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(job=as_id(self.value())) if self.value() else queryset


class ChainFilter(Filter):
    """Set by the links of an execution's page; shown only while it is set."""

    title = "chain run"
    parameter_name = "chain"

    def known(self, request: HttpRequest) -> Choices:
        chosen = request.GET.get(self.parameter_name, "")
        return [(chosen, f"begun by {chosen}")] if chosen else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(chain=as_id(self.value())) if self.value() else queryset


def _jobs(request: HttpRequest) -> QuerySet[Job]:
    visible = actor_of(request).visible_projects
    return Job.objects.all() if visible is None else Job.objects.filter(project__in=visible)


FILTERS = (StateFilter, ProjectFilter, JobFilter, ChainFilter, KindFilter, NodeFilter, BeforeFilter)


def search(queryset: QuerySet[Any], text: str, actor: Actor) -> QuerySet[Any]:
    """A number is an id, a UUID a uuid; all else is a whole handle, or a part of a job's name."""
    if not text:
        return queryset
    if text.isdecimal():
        return queryset.filter(pk=int(text)) if int(text) < 2**63 else queryset.none()
    if is_uuid(text):
        return queryset.filter(Q(uuid=uuid.UUID(text)) | Q(log_uuid=uuid.UUID(text)))
    by_handle = JobExecution.objects.filter(handle=text).values_list("pk", flat=True).first()
    if by_handle is not None:
        return queryset.filter(pk=by_handle)
    jobs = Job.objects.filter(name__icontains=text)
    if actor.visible_projects is not None:
        jobs = jobs.filter(project__in=actor.visible_projects)
    names = list(jobs.order_by("pk").values_list("name", flat=True)[:JOBS_FOUND])
    return queryset.filter(job_name__in=names)

"""Executions: the list, one page each, and what may be asked of them. Nothing here writes one."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from jobs.admin import show
from jobs.admin.base import HubAdmin, actor_of, projects_of
from jobs.admin.deeds import LIMIT, perform
from jobs.admin.execution_list import FILTERS, ExecutionChangeList, search
from jobs.admin.execution_page import page_of
from jobs.admin.retry_failed import RetryFailed
from jobs.engine import aborts, keeps, retries, verbs
from jobs.engine.rights import Actor, Right
from jobs.models import JobExecution

Verb = Callable[[JobExecution, Actor], str]


def abort(execution: JobExecution, actor: Actor) -> str:
    aborts.abort(execution, actor=actor)
    return f"{execution}: its end was asked for"


def pause(execution: JobExecution, actor: Actor) -> str:
    verbs.pause(execution, actor=actor)
    return f"{execution}: pauses at its next checkpoint"


def resume(execution: JobExecution, actor: Actor) -> str:
    verbs.resume(execution, actor=actor)
    return f"{execution}: queued again"


def retry(execution: JobExecution, actor: Actor) -> str:
    again = retries.retry(execution, actor=actor)
    return format_html("{}: runs again as {}", execution, show.execution_link(again))


def restart(execution: JobExecution, actor: Actor) -> str:
    again = retries.retry(execution, actor=actor, from_failed=True)
    return format_html("{}: goes on at its failed action as {}", execution, show.execution_link(again))


def keep(execution: JobExecution, actor: Actor) -> str:
    keeps.keep_execution(execution, actor=actor)
    return f"{execution}: kept for ever"


def unkeep(execution: JobExecution, actor: Actor) -> str:
    keeps.unkeep_execution(execution, actor=actor)
    return f"{execution}: expires by its job's rule"


VERBS: dict[str, Verb] = {
    "abort": abort,
    "pause": pause,
    "resume": resume,
    "retry": retry,
    "restart": restart,
    "keep": keep,
    "unkeep": unkeep,
}
HEAVY = ("plan", "params", "checkpoint", "errors")


@admin.register(JobExecution)
class ExecutionAdmin(HubAdmin):
    ordering = ("-pk",)
    sortable_by = ()
    list_filter = FILTERS
    list_display = ("number", "job_and_handle", "badge", "course", "times", "requester", "where")
    list_display_links = ("number",)
    search_fields = ("handle",)
    search_help_text = "A number, a UUID, a handle, or a part of a job's name"
    actions = (
        "abort_selected",
        "pause_selected",
        "resume_selected",
        "retry_selected",
        "restart_selected",
        "keep_selected",
        "unkeep_selected",
    )
    change_list_template = "admin/jobs/live_list.html"

    # -- the list ------------------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[JobExecution]:
        return super().get_queryset(request).defer(*HEAVY)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ExecutionChangeList]:
        return ExecutionChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return search(queryset, search_term.strip(), actor_of(request)), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        link = {"retry_failed_url": reverse("admin:jobs_retry_failed")} if self._may_retry(request) else {}
        return super().changelist_view(request, {**link, **(extra_context or {})})

    @admin.display(description="#")
    def number(self, execution: JobExecution) -> str:
        return str(execution.pk)

    @admin.display(description="job")
    def job_and_handle(self, execution: JobExecution) -> SafeString:
        name, handle = execution.job_name, execution.handle
        return format_html('{0}<br><span class="hub-quiet hub-one-line" title="{1}">{1}</span>', name, handle)

    @admin.display(description="state")
    def badge(self, execution: JobExecution) -> SafeString:
        return show.badge(execution.state)

    @admin.display(description="how it goes")
    def course(self, execution: JobExecution) -> SafeString:
        bar, note = show.progress(execution), show.note(execution)
        parts = [bar] if bar != show.NOTHING else []
        parts += [format_html('<span class="hub-note" title="{0}">{0}</span>', note)] if note else []
        return format_html_join("", "{}", ((part,) for part in parts))

    @admin.display(description="queued, ran for")
    def times(self, execution: JobExecution) -> SafeString:
        ran = show.duration(execution) if execution.started_at else ""
        return format_html('{}<br><span class="hub-quiet">{}</span>', show.moment(execution.queued_at), ran)

    @admin.display(description="by")
    def requester(self, execution: JobExecution) -> SafeString:
        return format_html('{}<br><span class="hub-quiet">{}</span>', execution.requested_by, execution.requested_face)

    @admin.display(description="project, node")
    def where(self, execution: JobExecution) -> SafeString:
        return format_html('{}<br><span class="hub-quiet">{}</span>', execution.project, execution.node or "-")

    # -- one of them ---------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(require_POST(self.verb_view)),
                {"name": name},
                name=f"jobs_jobexecution_{name}",
            )
            for name in VERBS
        ]
        failed = path("retry-failed/", self.admin_site.admin_view(self.retry_failed_view), name="jobs_retry_failed")
        return [failed, *own, *super().get_urls()]

    def retry_failed_view(self, request: HttpRequest) -> HttpResponse:
        if not self._may_retry(request):
            raise PermissionDenied
        return RetryFailed(self, request).answer()

    @staticmethod
    def _may_retry(request: HttpRequest) -> bool:
        return projects_of(request, Right.EDIT) != []

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one execution. There is no form on it: a POST is refused."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        execution = self._visible(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            **page_of(execution, may_act=actor_of(request).right(execution.project_id) >= Right.EDIT),
            "opts": self.opts,
            "title": f"Execution {execution.pk}",
        }
        return TemplateResponse(request, "admin/jobs/jobexecution/page.html", context)

    def verb_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask the engine for one thing, and go back to the page."""
        execution = self._visible(request, object_id)
        actor = actor_of(request)
        perform(request, [execution], lambda one: VERBS[name](one, actor))
        return HttpResponseRedirect(show.execution_url(execution))

    def _visible(self, request: HttpRequest, object_id: str) -> JobExecution:
        execution = self.get_object(request, unquote(object_id))
        if execution is None:
            raise Http404(f"there is no execution {object_id}")
        assert isinstance(execution, JobExecution)
        return execution

    # -- many of them --------------------------------------------------------------------------------------------------
    def _each(self, request: HttpRequest, queryset: QuerySet[JobExecution], name: str) -> None:
        actor = actor_of(request)
        perform(request, queryset.order_by("pk")[:LIMIT], lambda one: VERBS[name](one, actor))

    @admin.action(description="Abort the selected executions")
    def abort_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> None:
        self._each(request, queryset, "abort")

    @admin.action(description="Pause the selected executions")
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> None:
        self._each(request, queryset, "pause")

    @admin.action(description="Resume the selected executions")
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> None:
        self._each(request, queryset, "resume")

    @admin.action(description="Retry the selected executions")
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> None:
        self._each(request, queryset, "retry")

    @admin.action(description="Retry the selected executions from their failed actions")
    def restart_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> None:
        self._each(request, queryset, "restart")

    @admin.action(description="Keep the selected executions for ever")
    def keep_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> None:
        self._each(request, queryset, "keep")

    @admin.action(description="Let the selected executions expire again")
    def unkeep_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> None:
        self._each(request, queryset, "unkeep")

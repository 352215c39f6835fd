"""Jobs: defined through the engine, triggered, held and deleted by its verbs."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from jobs.admin import show
from jobs.admin.base import HubAdmin, actor_of, projects_of
from jobs.admin.deeds import LIMIT, named, perform
from jobs.admin.execution_list import Filter, KindFilter, ProjectFilter
from jobs.admin.job_page import JobPage
from jobs.admin.verb_forms import HoldForm, TriggerForm, ask
from jobs.engine import verbs
from jobs.engine.rights import Right
from jobs.engine.trigger import trigger
from jobs.models import Job, JobAction, JobExecution

Asked = Callable[[Job], str]


class HeldFilter(Filter):
    title = "hold"
    parameter_name = "held"

    def known(self, request: HttpRequest) -> list[tuple[str, str]]:
        return [("yes", "on hold"), ("no", "not on hold")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(is_held=self.value() == "yes") if self.value() else queryset


class JobChangeList(ChangeList):
    """Each job of the page carries its `last` execution and its `runner_names`."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        jobs: list[Any] = list(self.result_list)
        ids = [job.pk for job in jobs]
        same = JobExecution.objects.filter(project=OuterRef("project"), job_name=OuterRef("name"))
        last = Subquery(same.order_by("-pk").values("pk")[:1])
        last_ids = dict(Job.objects.filter(pk__in=ids).annotate(last=last).order_by().values_list("pk", "last"))
        light = JobExecution.objects.only("state", "queued_at", "job_name", "handle")
        executions = light.in_bulk([pk for pk in last_ids.values() if pk])
        runners: dict[int, list[str]] = {}
        steps = JobAction.objects.filter(job__in=ids).order_by("job", "position")
        for job_id, runner in steps.values_list("job_id", "action__runner"):
            runners.setdefault(job_id, []).append(runner)
        for job in jobs:
            job.last = executions.get(last_ids[job.pk] or 0)
            job.runner_names = runners.get(job.pk, [])
        self.result_list = jobs


@admin.register(Job)
class JobAdmin(HubAdmin):
    ordering = ("name", "pk")
    list_display = ("name", "project", "does", "last_run", "hold", "updated", "start")
    list_display_links = ("name",)
    list_select_related = ("project",)
    list_filter = (ProjectFilter, KindFilter, HeldFilter)
    search_fields = ("name", "description")
    search_help_text = "A part of a name or a description"
    sortable_by = ("name", "does", "updated")
    actions = ("trigger_selected", "hold_selected", "release_selected")

    # -- who may -------------------------------------------------------------------------------------------------------
    def has_add_permission(self, request: HttpRequest) -> bool:
        return projects_of(request, Right.EDIT) != []

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        assert isinstance(obj, Job)
        return actor_of(request).right(obj.project_id) >= Right.EDIT

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    # -- the list ------------------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer("extras", "cursor")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return JobChangeList

    @admin.display(description="kind, what it does", ordering="kind")
    def does(self, job: Any) -> SafeString:
        steps = " → ".join(job.runner_names)
        return format_html('{}<br><span class="hub-quiet">{}</span>', job.kind, "" if steps == job.kind else steps)

    @admin.display(description="hold")
    def hold(self, job: Job) -> SafeString:
        if not job.is_held:
            return show.NOTHING
        badge = '<span class="hub-state hub-paused">on hold</span><br><span class="hub-quiet">{}</span>'
        return format_html(badge, job.hold_reason)

    @admin.display(description="last run")
    def last_run(self, job: Any) -> SafeString | str:
        if job.last is None:
            return show.NOTHING
        ago = show.ago(job.last.queued_at)
        return format_html('<a href="{}">{} {}</a>', show.execution_url(job.last), show.badge(job.last.state), ago)

    @admin.display(description="changed", ordering="updated_at")
    def updated(self, job: Job) -> SafeString:
        return show.moment(job.updated_at)

    @admin.display(description="run it")
    def start(self, job: Job) -> SafeString:
        url = reverse("admin:jobs_job_trigger", args=[job.pk])
        return format_html('<a class="hub-row-button" href="{}" aria-label="Trigger {}">Trigger</a>', url, job.name)

    # -- one of them ---------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<path:object_id>/trigger/", wrap(self.trigger_view), name="jobs_job_trigger"),
            path("<path:object_id>/hold/", wrap(self.hold_view), name="jobs_job_hold"),
            path("<path:object_id>/release/", wrap(require_POST(self.release_view)), name="jobs_job_release"),
        ]
        return [*own, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of a job: not Django's, which would save rows around the engine."""
        job = self._visible(request, object_id) if object_id is not None else None
        is_allowed = self.has_change_permission(request, job) if job else self.has_add_permission(request)
        if not is_allowed and (job is None or request.method == "POST"):
            raise PermissionDenied
        return JobPage(self, request, job, is_locked=not is_allowed).answer()

    def trigger_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_trigger(request, [self._visible(request, object_id)])

    def hold_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_hold(request, [self._visible(request, object_id)])

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = self._visible(request, object_id)
        perform(request, [job], self._releaser(request))
        return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job.pk]))

    def _visible(self, request: HttpRequest, object_id: str) -> Job:
        job = self.get_object(request, unquote(object_id))
        if job is None:
            raise Http404(f"there is no job {object_id}")
        assert isinstance(job, Job)
        return job

    # -- its end -------------------------------------------------------------------------------------------------------
    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What goes: the jobs. Their executions stay, so that they need not be collected."""
        refused = {self.opts.verbose_name for job in objs if not self.has_delete_permission(request, job)}
        return (
            [f"{job} (what is active of it is aborted; its executions stay)" for job in objs],
            {"jobs": len(objs)},
            {str(name) for name in refused},
            [],
        )

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The engine writes the audit."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        verbs.delete_job(obj, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        for job in queryset:
            verbs.delete_job(job, actor=actor_of(request))

    # -- many of them --------------------------------------------------------------------------------------------------
    @admin.action(description="Trigger the selected jobs …")
    def trigger_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse:
        return self._ask_trigger(request, list(queryset[:LIMIT]), action="trigger_selected")

    @admin.action(description="Hold the selected jobs …")
    def hold_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse:
        return self._ask_hold(request, list(queryset[:LIMIT]), action="hold_selected")

    @admin.action(description="Release the selected jobs")
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        perform(request, queryset[:LIMIT], self._releaser(request))

    # -- what is asked before ------------------------------------------------------------------------------------------
    def _ask_trigger(self, request: HttpRequest, jobs: list[Job], action: str = "") -> HttpResponse:
        is_given = "_confirmed" in request.POST
        first = {"params": jobs[0].params if len(jobs) == 1 else {}, "token": uuid.uuid4().hex}
        form = TriggerForm(request.POST if is_given else None, initial=first)
        if not (is_given and form.is_valid()):
            return self._ask(request, jobs, form, verb="trigger", action=action)
        given = form.cleaned_data

        def deed(job: Job) -> str:
            execution, _ = trigger(
                job,
                actor=actor_of(request),
                params=given["params"],
                run_at=given["run_at"],
                idempotency_key=f"{given['token']}-{job.pk}",
            )
            made.append(execution)
            return named(f"Queued {job} as", [show.execution_link(execution)])

        made: list[JobExecution] = []
        perform(request, jobs, deed)
        if len(jobs) == 1 and made:
            return HttpResponseRedirect(show.execution_url(made[0]))
        return HttpResponseRedirect(self._way_back(jobs, action))

    def _ask_hold(self, request: HttpRequest, jobs: list[Job], action: str = "") -> HttpResponse:
        is_given = "_confirmed" in request.POST
        first = {"reason": jobs[0].hold_reason} if len(jobs) == 1 else {}
        form = HoldForm(request.POST if is_given else None, initial=first)
        if not (is_given and form.is_valid()):
            return self._ask(request, jobs, form, verb="hold", action=action)

        def deed(job: Job) -> str:
            verbs.hold(job, actor=actor_of(request), **form.cleaned_data)
            return f"Held {job}"

        perform(request, jobs, deed)
        return HttpResponseRedirect(self._way_back(jobs, action))

    def _releaser(self, request: HttpRequest) -> Asked:
        def deed(job: Job) -> str:
            was_held = job.is_held
            verbs.release(job, actor=actor_of(request))
            return f"Released {job}" if was_held else f"Nothing to release: {job} was not on hold"

        return deed

    def _way_back(self, jobs: list[Job], action: str) -> str:
        if action:
            return reverse("admin:jobs_job_changelist")
        return reverse("admin:jobs_job_change", args=[jobs[0].pk])

    def _ask(self, request: HttpRequest, jobs: list[Job], form: Any, *, verb: str, action: str) -> HttpResponse:
        """The page between a click and its deed."""
        right = Right.TRIGGER if verb == "trigger" else Right.EDIT
        if not action and actor_of(request).right(jobs[0].project_id) < right:
            messages.error(request, f"{jobs[0]}: you may see it, but not {verb} it")
            return HttpResponseRedirect(self._way_back(jobs, action))
        title = str(jobs[0]) if len(jobs) == 1 else f"{len(jobs)} jobs"
        back = self._way_back(jobs, action)
        return ask(self, request, jobs, form, verb=verb, title=title, back=back, action=action)

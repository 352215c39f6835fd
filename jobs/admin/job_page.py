"""The page on which a job is made, changed or looked at."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import AdminForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property

from jobs import runners
from jobs.admin.base import actor_of, projects_of
from jobs.admin.job_form import (
    ActionFormSet,
    BaseActionFormSet,
    JobForm,
    initial_of,
    runner_choices,
    spread,
)
from jobs.admin.schedule import comes
from jobs.admin.schedule_form import SCHEDULE_FIELDS, BaseScheduleFormSet, ScheduleFormSet
from jobs.engine.define import define
from jobs.engine.rights import Right
from jobs.errors import Conflict, Invalid, JobHubError
from jobs.models import Job, Project

if TYPE_CHECKING:
    from jobs.admin.job import JobAdmin

LAST_RUNS = 5
SCHEDULES = "schedules"
FIELDSETS: list[tuple[str | None, dict[str, Any]]] = [
    (None, {"fields": [("project", "name"), "description"]}),
]
MORE: list[tuple[str | None, dict[str, Any]]] = [
    (
        "How it runs",
        {
            "fields": [
                "params",
                ("timeout_s", "soft_timeout_s"),
                ("retries", "retry_delay_s"),
                ("on_lost", "when_active"),
            ]
        },
    ),
    ("What starts it", {"fields": [("after_success", "after_failure", "after_end")]}),
    (
        "Where and when it goes first",
        {
            "fields": [
                ("priority", "node", "kind"),
                ("concurrency_limit", "concurrency_key"),
                ("keep", "remove_archives"),
            ]
        },
    ),
    ("Who is told", {"fields": ["notify"]}),
]
ACTION_FIELDS: list[tuple[str | None, dict[str, Any]]] = [
    (
        None,
        {
            "fields": [
                *("runner", "spec", "description"),
                ("timeout_s", "retries", "retry_delay_s", "ORDER"),
                ("mandatory", "DELETE"),
            ]
        },
    )
]


class JobPage:
    """One request for it: the forms are filled, sent through the engine, and shown again with what it refused."""

    def __init__(self, admin: "JobAdmin", request: HttpRequest, job: Job | None, *, is_locked: bool) -> None:
        self.admin = admin
        self.request = request
        self.job = job
        self.is_locked = is_locked
        new = ({"project": self._home()}, [{"ORDER": 1}], list[dict[str, Any]]())
        first, first_actions, first_schedules = initial_of(job) if job else new
        data = request.POST if request.method == "POST" else None
        self.form: Any = JobForm(data, initial=first)
        self.actions: BaseActionFormSet = ActionFormSet(
            data,
            initial=first_actions,
            prefix="actions",
            form_kwargs={"empty_permitted": True},
            runner_choices=runner_choices(self._editable),
            is_locked=is_locked,
        )
        self.actions.extra = 1 if job else 0
        self.schedules: BaseScheduleFormSet = ScheduleFormSet(
            data if data and f"{SCHEDULES}-TOTAL_FORMS" in data else None,
            initial=first_schedules,
            prefix=SCHEDULES,
            form_kwargs={"empty_permitted": True},
            is_locked=is_locked,
        )
        self._fit_fields()

    @cached_property
    def _editable(self) -> list[int] | None:
        """The projects whose shared actions it may use."""
        return [self.job.project_id] if self.job else projects_of(self.request, Right.EDIT)

    def _home(self) -> int | None:
        return actor_of(self.request).project_id

    def _fit_fields(self) -> None:
        project: Any = self.form.fields["project"]
        rows = Project.objects.all()
        project.queryset = rows if self._editable is None else rows.filter(pk__in=self._editable)
        project.disabled = self.job is not None
        if self.is_locked:
            for field in self.form.fields.values():
                field.disabled = True

    def answer(self) -> HttpResponse:
        if self.request.method == "POST" and self._are_valid():
            try:
                job, is_new = self._define()
            except Invalid as error:
                spread(error, self.form, self.actions, self.schedules)
            except JobHubError as error:
                self.form.add_error(None, error.message)
            else:
                messages.success(self.request, f"{'Made' if is_new else 'Saved'} {job}")
                return HttpResponseRedirect(self._next(job))
        return self._page()

    def _are_valid(self) -> bool:
        """All of them are asked, so that a person sees all mistakes at once."""
        forms = [self.form, self.actions, *([self.schedules] if self.schedules.is_bound else [])]
        return not [form for form in forms if not form.is_valid()]

    def _define(self) -> tuple[Job, bool]:
        """Whoever sends no schedules leaves them alone."""
        document = {**self.form.document(), "actions": self.actions.documents()}
        if self.schedules.is_bound:
            document["schedules"] = self.schedules.documents()
        actor = actor_of(self.request)
        with transaction.atomic():
            if self.job is not None:
                self._refuse_if_changed()
                return define(document, actor=actor, job=self.job)
            project = self.form.cleaned_data["project"]
            if Job.objects.filter(project=project, name=document["name"]).exists():
                raise Invalid.field("name", f"there is a job of that name in {project}")
            return define(document, actor=actor, project_id=project.pk)

    def _refuse_if_changed(self) -> None:
        assert self.job is not None
        now = Job.objects.select_for_update(no_key=True).only("version", "edited_by").get(pk=self.job.pk)
        if self.form.cleaned_data["version"] not in (None, now.version):
            raise Conflict(
                f"{now.edited_by or 'the operator'} changed this job after you opened it; nothing was saved. "
                "Open it again to see the changes"
            )

    def _next(self, job: Job) -> str:
        if "_trigger" in self.request.POST:
            return reverse("admin:jobs_job_trigger", args=[job.pk])
        return reverse("admin:jobs_job_change", args=[job.pk])

    def _page(self) -> HttpResponse:
        title = "New job" if self.job is None else str(self.job)
        context = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "title": title,
            "has_errors": self.request.method == "POST",
            "job": self.job,
            "is_locked": self.is_locked,
            "form": self.form,
            "head": AdminForm(self.form, FIELDSETS, {}),
            "more": AdminForm(self.form, MORE, {}),
            "actions": self.actions,
            "action_forms": [(form, AdminForm(form, ACTION_FIELDS, {})) for form in self.actions.forms],
            "blank_action": AdminForm(self.actions.empty_form, ACTION_FIELDS, {}),
            "schedules": self.schedules,
            "schedule_forms": [(form, AdminForm(form, SCHEDULE_FIELDS, {})) for form in self.schedules.forms],
            "blank_schedule": AdminForm(self.schedules.empty_form, SCHEDULE_FIELDS, {}),
            "comes": [] if self.job is None else [comes(schedule) for schedule in self.job.schedules.all()],
            "runner_fields": runner_fields(),
            "last_runs": self._last_runs(),
            "followers": self.job.followers.select_related("job").order_by("job__name") if self.job else [],
            "may_trigger": bool(self.job) and actor_of(self.request).right(self._project_id()) >= Right.TRIGGER,
        }
        return TemplateResponse(self.request, "admin/jobs/job/page.html", context)

    def _project_id(self) -> int:
        return self.job.project_id if self.job else 0

    def _last_runs(self) -> list[Any]:
        if self.job is None:
            return []
        same = self.job.project.executions.filter(job_name=self.job.name)
        return list(
            same.only("state", "queued_at", "started_at", "finished_at", "handle", "message").order_by("-pk")[
                :LAST_RUNS
            ]
        )


def runner_fields() -> list[dict[str, Any]]:
    """What each runner takes, for the reader of the page."""
    found = []
    for name in sorted(runners.RUNNERS):
        runner = runners.get(name)
        schema = runner.Spec.model_json_schema()
        required = schema.get("required", [])
        fields = [{"name": field, "is_required": field in required} for field in schema.get("properties", {})]
        found.append({"name": name, "is_privileged": runner.privileged, "fields": fields})
    return found

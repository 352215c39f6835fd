"""Retry all that failed since a time: asked for, looked at, done."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from jobs.admin import show
from jobs.admin.base import actor_of, projects_of
from jobs.admin.deeds import LIMIT, perform
from jobs.admin.verb_forms import When
from jobs.engine import retries
from jobs.engine.rights import Right
from jobs.models import JobExecution

if TYPE_CHECKING:
    from jobs.admin.execution import ExecutionAdmin

SHOWN = 50


class RetryForm(forms.Form):
    since = When(label="Failed since")
    job = forms.CharField(required=False, max_length=200, label="Job", help_text="Its name; empty: every job")
    from_failed = forms.BooleanField(required=False, label="Go on at the failed action")


class RetryFailed:
    """One request for the page: the first look, what it would be, or the deed."""

    def __init__(self, admin: "ExecutionAdmin", request: HttpRequest) -> None:
        self.admin = admin
        self.request = request
        hour_ago = timezone.localtime() - timedelta(hours=1)
        self.form = RetryForm(request.POST if request.method == "POST" else None, initial={"since": hour_ago})

    def answer(self) -> HttpResponse:
        found: list[JobExecution] = []
        if self.form.is_bound and self.form.is_valid():
            found = list(self._matching()[:LIMIT])
            if "_confirmed" in self.request.POST:
                return self._retry(found)
        context = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "title": "Retry what failed",
            "form": self.form,
            "is_asked": self.form.is_bound and self.form.is_valid(),
            "found": found[:SHOWN],
            "n_found": len(found),
        }
        return TemplateResponse(self.request, "admin/jobs/jobexecution/retry_failed.html", context)

    def _matching(self) -> QuerySet[Any]:
        """In the projects where the person may retry."""
        rows: QuerySet[Any] = JobExecution.objects.select_related("job__project", "project")
        projects = projects_of(self.request, Right.EDIT)
        if projects is not None:
            rows = rows.filter(project__in=projects)
        given = self.form.cleaned_data
        rows = retries.to_retry(rows).filter(finished_at__gte=given["since"])
        return rows.filter(job_name=given["job"]) if given["job"] else rows

    def _retry(self, found: list[JobExecution]) -> HttpResponse:
        actor, from_failed = actor_of(self.request), self.form.cleaned_data["from_failed"]

        def deed(execution: JobExecution) -> str:
            again = retries.retry_once(execution, actor=actor, from_failed=from_failed)
            told = show.execution_link(again) if again else "nothing: somebody has retried it meanwhile"
            return format_html("{}: runs again as {}", execution, told)

        perform(self.request, found, deed)
        return HttpResponseRedirect(reverse("admin:jobs_jobexecution_changelist"))

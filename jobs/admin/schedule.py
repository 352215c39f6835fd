"""Schedules: when they come next and what stops them; their single runs, skipped, moved and run by hand."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from jobs.admin import show
from jobs.admin.base import HubAdmin, actor_of, projects_of
from jobs.admin.deeds import LIMIT, named, perform
from jobs.admin.execution_list import Filter
from jobs.admin.schedule_form import CATCH_UP
from jobs.admin.verb_forms import HoldForm, MoveForm, ReasonForm, ask
from jobs.engine import schedules, slots
from jobs.engine.planned import LONGEST, Planned, coming, planned
from jobs.engine.rights import Right
from jobs.engine.times import check_year
from jobs.errors import JobHubError
from jobs.models import CatchUp, Project, Schedule
from jobs.schedules import describe

SPANS = (24, 72, 168)
SHOWN = 10
"""So many runs to come, and as many of those that were not, are on the page of a schedule."""
LOOK_AHEAD_H = LONGEST.days * 24


class ScheduleProjectFilter(Filter):
    title = "project"
    parameter_name = "project"

    def known(self, request: HttpRequest) -> list[tuple[str, str]]:
        visible = actor_of(request).visible_projects
        rows = Project.objects.all() if visible is None else Project.objects.filter(pk__in=visible)
        return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = self.value() and self.value() in dict(self.known(request))
        return queryset.filter(job__project=self.value()) if known else queryset.none() if self.value() else queryset


class WorkingFilter(Filter):
    title = "state"
    parameter_name = "state"

    def known(self, request: HttpRequest) -> list[tuple[str, str]]:
        return [("comes", "comes again"), ("paused", "paused"), ("broken", "broken"), ("off", "switched off or ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> QuerySet[Schedule]:
        wanted: dict[str, dict[str, Any]] = {
            "comes": {"is_paused": False, "next_at__isnull": False},
            "paused": {"is_paused": True},
            "broken": {"broken__gt": ""},
            "off": {"broken": "", "next_at__isnull": True},
        }
        return queryset.filter(**wanted.get(self.value() or "", {})) if self.value() in wanted else queryset


@admin.register(Schedule)
class ScheduleAdmin(HubAdmin):
    project_path = "job__project"
    ordering = ("job__name", "position", "pk")
    list_display = ("name", "of_job", "means", "zone", "comes", "state")
    list_display_links = ("name",)
    list_select_related = ("job__project",)
    list_filter = (ScheduleProjectFilter, WorkingFilter)
    search_fields = ("job__name", "name", "text")
    search_help_text = "A part of the name of a job or a schedule, or of what it says"
    sortable_by = ()
    actions = ("pause_selected", "release_selected")
    change_list_template = "admin/jobs/schedule/list.html"

    # -- the list ------------------------------------------------------------------------------------------------------
    @admin.display(description="job")
    def of_job(self, schedule: Schedule) -> SafeString:
        url = reverse("admin:jobs_job_change", args=[schedule.job_id])
        return format_html(
            '<a href="{}">{}</a><br><span class="hub-quiet">{}</span>', url, schedule.job, schedule.job.project
        )

    @admin.display(description="when")
    def means(self, schedule: Schedule) -> SafeString:
        said = schedule.text or ", ".join(f"{name} {value}" for name, value in schedule.fields.items())
        words = describe(schedule.dialect, schedule.value)
        return format_html('{}<br><span class="hub-quiet">{}: {}</span>', words, schedule.dialect, said)

    @admin.display(description="comes next")
    def comes(self, schedule: Schedule) -> SafeString:
        times = coming(schedule, 1)
        return show.local(times[0], schedule.zone) if times else show.NOTHING

    @admin.display(description="state")
    def state(self, schedule: Schedule) -> SafeString:
        return badge_of(schedule)

    @admin.action(description="Pause the selected schedules …")
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> HttpResponse:
        rows = list(queryset[:LIMIT])
        return self._ask(request, rows, "pause", HoldForm, self._pauser(request), action="pause_selected")

    @admin.action(description="Release the selected schedules")
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        perform(request, queryset[:LIMIT], self._releaser(request))

    # -- pages ---------------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        deeds = {"pause": self.pause_view, "release": require_POST(self.release_view), "skip": self.skip_view}
        deeds |= {"move": self.move_view, "run": require_POST(self.run_view)}
        deeds |= {"reinstate": require_POST(self.reinstate_view)}
        own = [
            path(f"<path:object_id>/{verb}/", wrap(view), name=f"jobs_schedule_{verb}") for verb, view in deeds.items()
        ]
        plan = path("planned/", wrap(require_GET(self.planned_view)), name="jobs_planned")
        return [plan, *own, *super().get_urls()]

    def planned_view(self, request: HttpRequest) -> HttpResponse:
        hours = next((span for span in SPANS if str(span) == request.GET.get("hours")), SPANS[0])
        runs, is_complete = planned(projects_of(request, Right.SEE), hours=hours)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Planned runs",
            "runs": [self._row(request, run) for run in runs],
            "is_complete": is_complete,
            "hours": hours,
            "spans": SPANS,
        }
        return TemplateResponse(request, "admin/jobs/schedule/planned.html", context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of a schedule; it is written on the page of its job."""
        if object_id is None or request.method == "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        schedule = self._visible(request, object_id)
        runs, _ = planned(None, hours=LOOK_AHEAD_H, of=schedule, limit=SHOWN)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(schedule),
            "schedule": schedule,
            "badge": badge_of(schedule),
            "means": describe(schedule.dialect, schedule.value),
            "makes_up": dict(CATCH_UP)[CatchUp(schedule.catch_up)],
            "runs": [self._row(request, run) for run in runs],
            "fates": schedule.fates.all()[:SHOWN],
            "last_runs": schedule.executions.only("state", "slot_at", "handle").order_by("-slot_at")[:SHOWN],
            "may_edit": self._right(request, schedule) >= Right.EDIT,
        }
        return TemplateResponse(request, "admin/jobs/schedule/page.html", context)

    def _row(self, request: HttpRequest, run: Planned) -> tuple[Planned, list[str]]:
        """A run, and what the person may do with it."""
        if self._right(request, run.schedule) < Right.EDIT:
            return run, []
        is_changed = run.state == "skipped" or run.is_moved
        first = "reinstate" if is_changed and run.slot_at > timezone.now() else "skip"
        return run, [first, "move"] if run.state == "held" else [first, "move", "run"]

    def _right(self, request: HttpRequest, schedule: Schedule) -> Right:
        return actor_of(request).right(schedule.job.project_id)

    def _visible(self, request: HttpRequest, object_id: str) -> Schedule:
        rows = self.get_queryset(request).select_related("job__project")
        found = rows.filter(pk=unquote(object_id)).first() if unquote(object_id).isdecimal() else None
        if found is None:
            raise Http404(f"there is no schedule {object_id}")
        schedule: Schedule = found
        return schedule

    # -- deeds ---------------------------------------------------------------------------------------------------------
    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        schedule = self._visible(request, object_id)
        return self._ask(request, [schedule], "pause", HoldForm, self._pauser(request))

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        schedule = self._visible(request, object_id)
        perform(request, [schedule], self._releaser(request))
        return HttpResponseRedirect(self._way_back(request, schedule))

    def skip_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        asked = self._visible(request, object_id)
        slot_at = _slot(request, asked)

        def deed(schedule: Schedule, form: Form) -> str:
            slots.skip(schedule, slot_at, actor=actor_of(request), **form.cleaned_data)
            return f"The run of {schedule} at {_shown(schedule, slot_at)} is left out"

        return self._ask(request, [asked], "skip", ReasonForm, deed, slot_at)

    def move_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        asked = self._visible(request, object_id)
        slot_at = _slot(request, asked)

        def deed(schedule: Schedule, form: Form) -> str:
            slots.move(schedule, slot_at, actor=actor_of(request), **form.cleaned_data)
            to = _shown(schedule, form.cleaned_data["to"])
            return f"The run of {schedule} at {_shown(schedule, slot_at)} comes at {to}"

        return self._ask(request, [asked], "move", MoveForm, deed, slot_at)

    def run_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def deed(schedule: Schedule) -> str:
            execution = slots.run(schedule, _slot(request, schedule), actor=actor_of(request))
            return named("Started as", [show.execution_link(execution)])

        schedule = self._visible(request, object_id)
        perform(request, [schedule], deed)
        return HttpResponseRedirect(self._way_back(request, schedule))

    def reinstate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def deed(schedule: Schedule) -> str:
            slots.reinstate(schedule, _slot(request, schedule), actor=actor_of(request))
            return f"The run of {schedule} at {_shown(schedule, _slot(request, schedule))} comes as planned"

        schedule = self._visible(request, object_id)
        perform(request, [schedule], deed)
        return HttpResponseRedirect(self._way_back(request, schedule))

    def _pauser(self, request: HttpRequest) -> Callable[[Schedule, Form], str]:
        def deed(schedule: Schedule, form: Form) -> str:
            schedules.pause(schedule, actor=actor_of(request), **form.cleaned_data)
            return f"Paused {schedule}"

        return deed

    def _releaser(self, request: HttpRequest) -> Callable[[Schedule], str]:
        def deed(schedule: Schedule) -> str:
            was_paused = schedule.is_paused
            schedules.release(schedule, actor=actor_of(request))
            return f"Released {schedule}" if was_paused else f"Nothing to release: {schedule} was not paused"

        return deed

    def _way_back(self, request: HttpRequest, schedule: Schedule) -> str:
        """To where the button was."""
        if request.GET.get("from") == "planned":
            return reverse("admin:jobs_planned")
        return reverse("admin:jobs_schedule_change", args=[schedule.pk])

    def _ask(
        self,
        request: HttpRequest,
        asked: list[Schedule],
        verb: str,
        form_class: type[Form],
        deed: Callable[[Schedule, Form], str],
        slot_at: datetime | None = None,
        *,
        action: str = "",
    ) -> HttpResponse:
        """The page between a click and its deed, then the deed."""
        back = reverse("admin:jobs_schedule_changelist") if action else self._way_back(request, asked[0])
        if not action and self._right(request, asked[0]) < Right.EDIT:
            messages.error(request, f"{asked[0]}: you may see it, but not {verb} it")
            return HttpResponseRedirect(back)
        form = form_class(request.POST if "_confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            perform(request, asked, lambda schedule: deed(schedule, form))
            return HttpResponseRedirect(back)
        what = str(asked[0]) if len(asked) == 1 else f"{len(asked)} schedules"
        at = f", {_shown(asked[0], slot_at)}" if slot_at else ""
        return ask(self, request, asked, form, verb=verb, title=f"{what}{at}", back=back, action=action)


def comes(schedule: Schedule) -> dict[str, Any]:
    """What the page of its job tells of a schedule."""
    return {
        "schedule": schedule,
        "means": describe(schedule.dialect, schedule.value),
        "badge": badge_of(schedule),
        "times": coming(schedule),
    }


def badge_of(schedule: Schedule) -> SafeString:
    """What stops it, or that nothing does."""
    look, sign, word, why = "queued", "◷", "comes", ""
    if schedule.broken:
        look, sign, word, why = "failed", "✗", "broken", schedule.broken
    elif not schedule.enabled:
        look, sign, word = "aborted", "⊘", "off"
    elif schedule.is_paused:
        look, sign, word, why = "paused", "❚❚", "paused", schedule.pause_reason
    elif schedule.job.is_held:
        look, sign, word, why = "paused", "❚❚", "job on hold", schedule.job.hold_reason
    elif schedule.next_at is None:
        look, sign, word = "succeeded", "✓", "ended"
    badge = '<span class="hub-state hub-{}"><span aria-hidden="true">{}</span> {}</span>'
    shown = format_html(badge, look, sign, word)
    return format_html('{}<br><span class="hub-quiet">{}</span>', shown, why) if why else shown


def _slot(request: HttpRequest, schedule: Schedule) -> datetime:
    """Which run is meant; default: the next one."""
    given = request.GET.get("slot")
    try:
        found = slots.next_slot(schedule) if given is None else parse_datetime(given)
        check_year("slot", found)
    except (ValueError, JobHubError):
        found = None
    if found is None or found.tzinfo is None:
        raise Http404("there is no such run")
    return found


def _shown(schedule: Schedule, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(schedule.zone)):%Y-%m-%d %H:%M:%S %Z}"

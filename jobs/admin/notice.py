"""Notices: who is told, and the log of what was sent. A notice can be sent again."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import HubAdmin, actor_of, projects_of
from jobs.admin.deeds import LIMIT, perform
from jobs.admin.execution_list import Choices, Filter, ProjectFilter
from jobs.admin.job_form import Names
from jobs.admin.seek import BeforeFilter, SeekChangeList, as_id
from jobs.engine import deliveries, notices
from jobs.engine.rights import Right
from jobs.errors import Invalid, JobHubError
from jobs.models import Delivery, Event, Project, Subscription

LOOKS = {"delivered": ("succeeded", "✓"), "pending": ("queued", "◷"), "failed": ("failed", "✗")}


class SubscriptionForm(forms.Form):
    """Whom to tell of all executions of a project: a webhook or e-mail addresses."""

    project = forms.ModelChoiceField(Project.objects.none())
    webhook = forms.CharField(
        required=False, max_length=2000, widget=forms.TextInput(attrs={"class": "vTextField"}), label="Webhook"
    )
    secret = forms.CharField(
        required=False, max_length=64, help_text="Name of the secret that the webhook is signed with"
    )
    email = Names(label="E-mail", help_text="Or addresses, one a line")
    events = forms.MultipleChoiceField(
        choices=Event.choices, initial=[Event.FAILED, Event.SOFT_TIMEOUT], widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, projects: list[int] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Project.objects.all() if projects is None else Project.objects.filter(pk__in=projects)
        self.fields["project"].queryset = rows  # type: ignore[attr-defined]

    def document(self) -> dict[str, Any]:
        given = {name: self.cleaned_data[name] for name in ("webhook", "secret", "email", "events")}
        return {name: value for name, value in given.items() if value}


@admin.register(Subscription)
class SubscriptionAdmin(HubAdmin):
    ordering = ("pk",)
    sortable_by = ()
    list_display = ("receiver", "project", "of_job", "when", "health", "face")
    list_select_related = ("project", "job")
    list_filter = (ProjectFilter,)
    actions = ("enable_selected", "disable_selected", "remove_selected")
    fields = ("receiver", "project", "of_job", "when", "secret", "face", "health", "created_by", "created", "log")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        projects = projects_of(request, Right.EDIT)
        return projects is None or bool(projects)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is not None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SubscriptionForm(request.POST or None, projects=projects_of(request, Right.EDIT))
        if request.method == "POST" and form.is_valid() and self._subscribe(request, form):
            return HttpResponseRedirect(reverse("admin:jobs_subscription_changelist"))
        told = {"opts": self.opts, "title": "New subscription", "button": "Subscribe", "form": form}
        return TemplateResponse(request, "admin/jobs/form.html", {**self.admin_site.each_context(request), **told})

    def _subscribe(self, request: HttpRequest, form: SubscriptionForm) -> bool:
        """Whether it could; what the engine refuses is told at the fields."""
        try:
            project = form.cleaned_data["project"]
            row = notices.subscribe(form.document(), actor=actor_of(request), project_id=project.pk)
        except Invalid as error:
            for one in error.errors:
                name = one.field.partition(".")[0]
                form.add_error(name if name in form.fields else None, one.message)
            return False
        except JobHubError as error:
            form.add_error(None, error.message)
            return False
        messages.success(request, f"Added {row}")
        return True

    @admin.display(description="receiver")
    def receiver(self, row: Subscription) -> str:
        return str(row)

    @admin.display(description="of the job")
    def of_job(self, row: Subscription) -> SafeString:
        if row.job is None:
            return SafeString("all")
        return format_html('<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[row.job_id]), row.job.name)

    @admin.display(description="events")
    def when(self, row: Subscription) -> str:
        return ", ".join(row.words)

    @admin.display(description="state")
    def health(self, row: Subscription) -> SafeString:
        if not row.is_enabled:
            return SafeString('<span class="hub-state hub-paused">disabled</span>')
        if row.resting_until and row.resting_until > timezone.now():
            text = f"failed {row.n_failures} times, rests for {show.span(row.resting_until - timezone.now())}"
            return format_html('<span class="hub-state hub-failed">{}</span>', text)
        return SafeString("on")

    @admin.display(description="created")
    def created(self, row: Subscription) -> SafeString:
        return show.moment(row.created_at)

    @admin.display(description="log")
    def log(self, row: Subscription) -> SafeString:
        url = reverse("admin:jobs_delivery_changelist")
        return format_html('<a href="{}?subscription={}">what was sent to it</a>', url, row.pk)

    @admin.action(description="Enable the selected subscriptions", permissions=["add"])
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._change(request, queryset, {"enabled": True}, "Enabled")

    @admin.action(description="Disable the selected subscriptions", permissions=["add"])
    def disable_selected(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._change(request, queryset, {"enabled": False}, "Disabled")

    def _change(self, request: HttpRequest, rows: QuerySet[Subscription], changes: dict[str, bool], word: str) -> None:
        def deed(row: Subscription) -> str:
            notices.change(row, changes, actor=actor_of(request))
            return f"{word} {row}"

        perform(request, rows.order_by("pk")[:LIMIT], deed)

    @admin.action(description="Remove the selected subscriptions and their logs", permissions=["add"])
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        def deed(row: Subscription) -> str:
            notices.unsubscribe(row, actor=actor_of(request))
            return f"Removed {row}"

        perform(request, queryset.order_by("pk")[:LIMIT], deed)


class OutcomeFilter(Filter):
    title = "outcome"
    parameter_name = "outcome"

    def known(self, request: HttpRequest) -> Choices:
        return [(word, word) for word in deliveries.OUTCOMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = deliveries.OUTCOMES.get(self.value() or "")
        return queryset.filter(**wanted) if wanted else queryset.none() if self.value() else queryset


class ReceiverFilter(Filter):
    """Set by the links of a subscription's page; shown only while it is set."""

    title = "receiver"
    parameter_name = "subscription"

    def known(self, request: HttpRequest) -> Choices:
        chosen = request.GET.get(self.parameter_name, "")
        return [(chosen, f"subscription {chosen}")] if chosen else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(subscription=as_id(self.value())) if self.value() else queryset


@admin.register(Delivery)
class DeliveryAdmin(HubAdmin):
    ordering = ("-pk",)
    sortable_by = ()
    list_display = ("created", "run", "event", "receiver", "shown_outcome", "tries", "answer", "error")
    list_display_links = ("created",)
    list_select_related = ("execution", "subscription")
    list_filter = (OutcomeFilter, ProjectFilter, ReceiverFilter, BeforeFilter)
    actions = ("replay_selected",)
    fields = (
        *("created", "uuid", "run", "event", "receiver", "shown_outcome"),
        *("tries", "tried", "answer", "error", "duration_ms", "next_try"),
    )
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SeekChangeList]:
        return SeekChangeList

    def has_replay_permission(self, request: HttpRequest) -> bool:
        projects = projects_of(request, Right.EDIT)
        return projects is None or bool(projects)

    @admin.display(description="at")
    def created(self, row: Delivery) -> SafeString:
        return show.moment(row.created_at)

    @admin.display(description="execution")
    def run(self, row: Delivery) -> SafeString:
        return show.execution_link(row.execution)

    @admin.display(description="receiver")
    def receiver(self, row: Delivery) -> str:
        return str(row.subscription)

    @admin.display(description="outcome")
    def shown_outcome(self, row: Delivery) -> SafeString:
        look, sign = LOOKS[row.outcome]
        badge = '<span class="hub-state hub-{}"><span aria-hidden="true">{}</span> {}</span>'
        return format_html(badge, look, sign, row.outcome)

    @admin.display(description="tries")
    def tries(self, row: Delivery) -> int:
        return row.n_tries

    @admin.display(description="last try")
    def tried(self, row: Delivery) -> SafeString:
        return show.moment(row.tried_at)

    @admin.display(description="next try")
    def next_try(self, row: Delivery) -> SafeString:
        return show.moment(row.next_at)

    @admin.action(description="Send the selected notices again", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        def deed(row: Delivery) -> str:
            deliveries.replay(row, actor=actor_of(request))
            return f"Notice {row.pk} is sent again"

        perform(request, queryset.order_by("pk")[:LIMIT], deed)

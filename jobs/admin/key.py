"""API keys: made and revoked through the engine; the secret is on the page after the creation and nowhere else."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import HubAdmin, actor_of, projects_of
from jobs.admin.deeds import LIMIT, perform
from jobs.admin.execution_list import ProjectFilter
from jobs.admin.verb_forms import Later
from jobs.engine.keys import create_key, revoke_key
from jobs.engine.rights import Right
from jobs.errors import Invalid, JobHubError
from jobs.models import ApiKey, Level, Project, User

SOON = timedelta(days=14)


class KeyForm(forms.Form):
    """What a new key is made from."""

    user = forms.ModelChoiceField(User.objects.none(), help_text="Whose rights it carries")
    project = forms.ModelChoiceField(Project.objects.none())
    level = forms.ChoiceField(
        choices=Level.choices,
        initial=Level.NORMAL,
        help_text="At most this, and never more than the user's role. Restricted: see, trigger and follow.",
    )
    name = forms.CharField(required=False, max_length=100, help_text="What it is for")
    expires_at = Later(required=False, label="Expires", help_text="Empty: never")

    def __init__(self, *args: Any, projects: list[int] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users, rows = User.objects.filter(is_active=True).order_by("username"), Project.objects.all()
        if projects is not None:
            users, rows = users.filter(memberships__project__in=projects).distinct(), rows.filter(pk__in=projects)
        self.fields["user"].queryset = users  # type: ignore[attr-defined]
        self.fields["project"].queryset = rows  # type: ignore[attr-defined]


@admin.register(ApiKey)
class KeyAdmin(HubAdmin):
    right_to_see = Right.ADMIN
    ordering = ("-pk",)
    list_display = ("shown_name", "user", "project", "level", "health", "last_used", "created")
    list_select_related = ("user", "project")
    list_filter = (ProjectFilter, ("level", admin.AllValuesFieldListFilter))
    search_fields = ("name", "=key_id", "user__username")
    search_help_text = "A part of a name or of a user's name, or a key's whole id"
    sortable_by = ("user", "project", "level", "last_used", "created")
    actions = ("revoke_selected",)
    fields = ("shown_name", "key_id", "user", "project", "level", "health", "last_used", "created", "expires")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is None:
            return super().has_view_permission(request)
        assert isinstance(obj, ApiKey)
        return actor_of(request).right(obj.project_id) >= Right.ADMIN

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
        projects = projects_of(request, Right.ADMIN)
        form = KeyForm(request.POST or None, projects=projects)
        if request.method == "POST" and form.is_valid():
            try:
                key, text = create_key(actor=actor_of(request), **form.cleaned_data)
            except Invalid as error:
                for one in error.errors:
                    form.add_error(one.field if one.field in form.fields else None, one.message)
            except JobHubError as error:
                form.add_error(None, error.message)
            else:
                return self._shown_once(request, key, text)
        context = self._context(request, "New API key", form=form, button="Make the key")
        return TemplateResponse(request, "admin/jobs/form.html", context)

    def _shown_once(self, request: HttpRequest, key: ApiKey, text: str) -> HttpResponse:
        """The secret in the answer itself, which nobody may cache: no session and no message ever holds it."""
        context = self._context(request, "The new key", key=key, text=text)
        return TemplateResponse(request, "admin/jobs/apikey/shown.html", context)

    def _context(self, request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}

    @admin.display(description="key", ordering="name")
    def shown_name(self, key: ApiKey) -> SafeString:
        return format_html('{}<br><span class="hub-quiet">{}</span>', key.name or "without a name", key.key_id)

    @admin.display(description="validity")
    def health(self, key: ApiKey) -> SafeString:
        now = timezone.now()
        if key.revoked_at:
            return format_html('<span class="hub-state hub-aborted">revoked</span> {}', show.ago(key.revoked_at))
        if key.expires_at is None:
            return SafeString("does not expire")
        if key.expires_at <= now:
            return format_html('<span class="hub-state hub-failed">expired</span> {}', show.ago(key.expires_at))
        left = show.span(key.expires_at - now)
        if key.expires_at - now < SOON:
            return format_html('<span class="hub-state hub-paused">expires in {}</span>', left)
        return format_html("expires in {}", left)

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> SafeString:
        return show.ago(key.last_used_at) if key.last_used_at else SafeString("never")

    @admin.display(description="created", ordering="created_at")
    def created(self, key: ApiKey) -> SafeString:
        return show.moment(key.created_at)

    @admin.display(description="expires")
    def expires(self, key: ApiKey) -> SafeString:
        return show.moment(key.expires_at)

    @admin.action(description="Revoke the selected keys")
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        def deed(key: ApiKey) -> str:
            revoke_key(key, actor=actor_of(request))
            return f"Revoked {key}"

        perform(request, queryset.order_by("pk")[:LIMIT], deed)

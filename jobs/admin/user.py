"""Users: for superusers only, saved through the engine."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import Titled, actor_of
from jobs.admin.deeds import LIMIT, perform
from jobs.admin.saving import SavedByEngine
from jobs.engine.members import USER_FIELDS, create_user, set_user
from jobs.engine.rights import audit
from jobs.models import Membership, User


class Memberships(admin.TabularInline):
    """Where the user belongs; changed on the project's page."""

    model = Membership
    fields = readonly_fields = ("project", "role", "is_default")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("project", "user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actor_of(request).sees_all


@admin.register(User)
class HubUserAdmin(SavedByEngine, Titled, UserAdmin):
    """Nobody is deleted, for what they did keeps their name: they are deactivated."""

    list_display = ("username", "email", "full_name", "active", "staff", "superuser", "seen")
    list_filter = ("is_active", "is_staff", "is_superuser", "is_service")
    ordering = ("username",)
    actions = ("deactivate_selected",)
    filter_horizontal = ()
    inlines = (Memberships,)
    fieldsets = (
        (None, {"fields": ("username", "password", "uuid")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "is_service")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("uuid", "last_login", "date_joined")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).sees_all

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).sees_all

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).sees_all

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).sees_all

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "username") if obj else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        return self.inlines if obj else ()

    # -- saving --------------------------------------------------------------------------------------------------------
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:
            self._save(request, obj, form)
        else:
            password = form.cleaned_data["password1"] if form.cleaned_data.get("usable_password") != "false" else None
            user = create_user(obj.username, actor=actor_of(request), password=password)
            obj.pk, obj._state.adding = user.pk, False

    def _save(self, request: HttpRequest, obj: User, form: Any) -> None:
        """From a fresh row: the form's own has the new values already, and the engine compares the old ones."""
        fresh = User.objects.select_for_update().get(pk=obj.pk)
        given = {name: form.cleaned_data[name] for name in USER_FIELDS if name in form.changed_data}
        set_user(fresh, actor=actor_of(request), **given)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302:
                name = User.objects.values_list("username", flat=True).get(pk=id)
                audit(actor_of(request), "set password", name)
        return response

    @admin.action(description="Deactivate the selected users")
    def deactivate_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        def deed(user: User) -> str:
            set_user(user, actor=actor_of(request), is_active=False)
            return f"Deactivated {user}"

        perform(request, queryset.order_by("pk")[:LIMIT], deed)

    # -- the list ------------------------------------------------------------------------------------------------------
    @admin.display(description="name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="active", boolean=True, ordering="is_active")
    def active(self, user: User) -> bool:
        return user.is_active

    @admin.display(description="staff", boolean=True, ordering="is_staff")
    def staff(self, user: User) -> bool:
        return user.is_staff

    @admin.display(description="superuser", boolean=True, ordering="is_superuser")
    def superuser(self, user: User) -> bool:
        return user.is_superuser

    @admin.display(description="last login", ordering="last_login")
    def seen(self, user: User) -> SafeString:
        return show.moment(user.last_login)

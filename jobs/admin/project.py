"""Projects and their members."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Model, Q, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import HubAdmin, actor_of
from jobs.admin.deeds import LIMIT, perform
from jobs.admin.execution_list import ProjectFilter
from jobs.admin.saving import PlainChoices, SavedByEngine
from jobs.engine.forms import check_name
from jobs.engine.members import create_project, delete_project, has_history, remove_member, set_member, set_project
from jobs.engine.rights import Right
from jobs.models import Membership, Project, User


class ProjectForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ("name", "description")

    def clean_name(self) -> str:
        try:
            return check_name(self.cleaned_data["name"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class MemberFormSet(BaseInlineFormSet):
    """The users are asked for once, not once a row; a member that is there keeps its user."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["user"].choices = self._users()
        form.fields["user"].disabled = form.instance.pk is not None
        for name, field in form.fields.items():
            field.widget.attrs.setdefault("aria-label", field.label or name)

    def _users(self) -> list[Any]:
        if not hasattr(self, "_known"):
            members = Membership.objects.filter(project=self.instance.pk).values("user")
            users = User.objects.filter(Q(is_active=True) | Q(pk__in=members)).order_by("username")
            self._known = [("", "---------"), *users.values_list("pk", "username")]
        return self._known


class Members(PlainChoices, admin.TabularInline):
    model = Membership
    formset = MemberFormSet
    fields = ("user", "role")
    extra = 1
    verbose_name = "member"
    verbose_name_plural = "members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user").order_by("user__username")

    def _may(self, request: HttpRequest, project: Any) -> bool:
        return project is None or actor_of(request).right(project.pk) >= Right.ADMIN

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)


@admin.register(Project)
class ProjectAdmin(SavedByEngine, HubAdmin):
    """A project with history cannot be deleted; an empty one by a superuser."""

    project_path = "pk"
    form = ProjectForm
    inlines = (Members,)
    list_display = ("name", "description", "n_members", "n_jobs", "created")
    search_fields = ("name", "description")
    sortable_by = ("name",)
    fields = ("name", "description", "uuid", "created")
    readonly_fields = ("uuid", "created")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        rows = super().get_queryset(request)
        return rows.annotate(
            member_count=Count("memberships", distinct=True),
            job_count=Count("jobs", distinct=True),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).sees_all

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is not None and actor_of(request).right(obj.pk) >= Right.ADMIN

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if not isinstance(obj, Project) or not actor_of(request).sees_all:
            return False
        return not has_history(obj)

    @admin.display(description="members")
    def n_members(self, project: Any) -> int:
        return int(project.member_count)

    @admin.display(description="jobs")
    def n_jobs(self, project: Any) -> int:
        return int(project.job_count)

    @admin.display(description="created")
    def created(self, project: Project) -> SafeString:
        return show.moment(project.created_at)

    # -- saving --------------------------------------------------------------------------------------------------------
    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        actor = actor_of(request)
        if change:
            given = {name: form.cleaned_data[name] for name in form.changed_data}
            if given:
                set_project(obj, actor=actor, **given)
            return
        made = create_project(obj.name, actor=actor, description=obj.description)
        obj.pk, obj.uuid, obj._state.adding = made.pk, made.uuid, False

    def delete_model(self, request: HttpRequest, obj: Project) -> None:
        delete_project(obj, actor=actor_of(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        actor, project = actor_of(request), form.instance
        for gone in formset.deleted_forms:
            if gone.instance.pk:
                remove_member(gone.instance.user, project, actor=actor)
        for given in formset.forms:
            if given.has_changed() and given not in formset.deleted_forms:
                set_member(given.cleaned_data["user"], project, given.cleaned_data["role"], actor=actor)
        formset.new_objects = formset.changed_objects = formset.deleted_objects = []


@admin.register(Membership)
class MembershipAdmin(PlainChoices, SavedByEngine, HubAdmin):
    right_to_see = Right.ADMIN
    list_display = ("user", "project", "role", "is_default")
    list_select_related = ("user", "project")
    list_filter = (ProjectFilter, "role")
    search_fields = ("user__username", "project__name")
    ordering = ("project__name", "user__username")
    fields = ("user", "project", "role")
    actions = ("make_default",)

    def _may(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return self.has_view_permission(request)
        return actor_of(request).right(obj.project_id) >= Right.ADMIN

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("user", "project") if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Only the projects that the person rules."""
        visible = actor_of(request).visible_projects
        if db_field.name == "project" and visible is not None:
            ruled = [project for project in visible if actor_of(request).right(project) >= Right.ADMIN]
            kwargs["queryset"] = Project.objects.filter(pk__in=ruled)
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(is_active=True).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        made = set_member(obj.user, obj.project, obj.role, actor=actor_of(request))
        obj.pk, obj._state.adding = made.pk, False

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(obj.user, obj.project, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for member in queryset:
            self.delete_model(request, member)

    @admin.action(description="Make it the project in which the user acts")
    def make_default(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        def deed(member: Membership) -> str:
            set_member(member.user, member.project, member.role, actor=actor_of(request), is_default=True)
            return f"From now on {member.user} acts in {member.project}"

        perform(request, queryset.select_related("user", "project")[:LIMIT], deed)

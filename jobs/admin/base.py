"""What all pages have in common: who looks, and what they may see."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from jobs.engine.rights import Actor, Right, actor_for

FACE = "admin"


def actor_of(request: HttpRequest) -> Actor:
    """Who asks, looked up once a request; somebody without rights for a visitor or a user who is no staff."""
    known: Actor | None = getattr(request, "hub_actor", None)
    if known is None:
        user: Any = getattr(request, "user", AnonymousUser())
        is_known = user.is_active and user.is_staff
        address = request.META.get("REMOTE_ADDR", "")
        nobody = Actor(name="nobody", face=FACE, address=address)
        known = actor_for(user, face=FACE, address=address) if is_known else nobody
        request.hub_actor = known  # type: ignore[attr-defined]
    return known


def projects_of(request: HttpRequest, right: Right) -> list[int] | None:
    """The projects in which the person has at least that right, `None` for all."""
    actor = actor_of(request)
    if actor.sees_all:
        return None
    return [project for project, mine in actor.rights.items() if mine >= right]


class Titled(admin.ModelAdmin):
    """Lists that say what they list, not what to do with it."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class HubAdmin(Titled):
    """Shows the rows of the person's own projects and lets nobody add, change or delete any.

    Django's model permissions are not asked: rights come from memberships, as on every face. A class that lets
    something be changed says how, and does it through the engine.
    """

    project_path = "project"
    """The lookup of a row's project, empty for what belongs to no project."""
    right_to_see = Right.SEE
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    empty_value_display = "-"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        projects = projects_of(request, self.right_to_see)
        if projects is None or not self.project_path:
            return rows
        return rows.filter(**{f"{self.project_path}__in": projects})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        projects = projects_of(request, self.right_to_see)
        return projects is None or bool(projects)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

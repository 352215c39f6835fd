"""The admin site itself: its name, and what other apps put on it that must not be there."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from jobs.admin.logins import OwnPasswordChange

site = admin.site


def password_change(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    """Django's page for one's own password, audited."""
    context = {**site.each_context(request), **(extra_context or {})}
    request.current_app = site.name
    done = reverse("admin:password_change_done", current_app=site.name)
    return OwnPasswordChange.as_view(success_url=done, extra_context=context)(request)


def set_up() -> None:
    """Name the site and leave only JobHub's own pages on it.

    Groups would grant what nothing asks for: rights come from memberships. django-q2's pages could queue any function
    by its name, around the engine.
    """
    site.site_title = site.site_header = "JobHub"
    site.index_title = "Overview"
    site.index_template = "admin/overview.html"
    site.site_url = None
    site.password_change = password_change  # type: ignore[method-assign, assignment]
    strangers: list[type[Model]] = [Group, *apps.get_app_config("django_q").get_models()]
    site.unregister([model for model in strangers if site.is_registered(model)])

"""Audit events: who did what. Nobody adds, changes or removes one here."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import HubAdmin
from jobs.admin.execution_list import Filter, ProjectFilter
from jobs.admin.seek import BeforeFilter, SeekChangeList
from jobs.engine.rights import Right
from jobs.models import AuditEvent

DEEDS = (
    "refuse login",
    "refuse deed",
    "log in",
    "set password",
    "create",
    "edit",
    "trigger",
    "abort",
    "delete",
    "create key",
    "revoke key",
    "set member",
    "remove member",
    "create secret",
    "edit secret",
    "delete secret",
)
"""What is looked for most; others are found by their word in the address."""


class DeedFilter(Filter):
    title = "deed"
    parameter_name = "deed"

    def known(self, request: HttpRequest) -> list[tuple[str, str]]:
        return [(deed, deed) for deed in DEEDS]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        return queryset.of_deed(self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditAdmin(HubAdmin):
    right_to_see = Right.ADMIN
    ordering = ("-pk",)
    sortable_by = ()
    list_display = ("when", "username", "deed", "subject", "times", "project", "face", "key_id", "address")
    list_display_links = ("when",)
    list_select_related = ("project",)
    list_filter = (ProjectFilter, DeedFilter, BeforeFilter)
    search_fields = ("username",)
    search_help_text = "The whole name of a user, a job, an execution or a key"
    fields = ("when", "username", "deed", "subject", "times", "project", "face", "key_id", "address", "details")
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SeekChangeList]:
        return SeekChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the whole name: both columns have an index."""
        name = search_term.strip()
        return (queryset.filter(Q(username=name) | Q(subject=name)) if name else queryset), False

    @admin.display(description="when")
    def when(self, event: AuditEvent) -> SafeString:
        return show.moment(event.at)

    @admin.display(description="times")
    def times(self, event: AuditEvent) -> int | str:
        return event.count if event.count > 1 else ""

    @admin.display(description="details")
    def details(self, event: AuditEvent) -> SafeString:
        return format_html('<pre class="hub-json">{}</pre>', json.dumps(event.detail, indent=2, ensure_ascii=False))

"""Nodes: the machines whose workers take executions."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import HubAdmin
from jobs.models import Node


@admin.register(Node)
class NodeAdmin(HubAdmin):
    """Nodes belong to no project: whoever may see anything may see them."""

    project_path = ""
    list_display = ("name", "health", "workers", "seen", "first_seen", "work")
    fields = ("name", "health", "workers", "seen", "first_seen", "work", "uuid")
    readonly_fields = fields
    sortable_by = ("name", "workers")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request)

    @admin.display(description="health")
    def health(self, node: Node) -> SafeString:
        return show.health(node)

    @admin.display(description="heard of", ordering="seen_at")
    def seen(self, node: Node) -> SafeString:
        return show.ago(node.seen_at)

    @admin.display(description="first seen")
    def first_seen(self, node: Node) -> SafeString:
        return show.moment(node.first_seen_at)

    @admin.display(description="work")
    def work(self, node: Node) -> SafeString:
        url = reverse("admin:jobs_jobexecution_changelist", query={"node": node.name})
        return format_html('<a href="{}">its executions</a>', url)

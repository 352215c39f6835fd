"""Archives: what backups made. Looked at here, made and removed by runners."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString

from jobs.admin import show
from jobs.admin.base import HubAdmin
from jobs.admin.execution_list import ProjectFilter
from jobs.admin.seek import BeforeFilter, SeekChangeList
from jobs.models import Archive


@admin.register(Archive)
class ArchiveAdmin(HubAdmin):
    ordering = ("-pk",)
    sortable_by = ()
    list_display = ("name", "level", "size", "project", "job_name", "node", "container", "created")
    list_select_related = ("project",)
    list_filter = (ProjectFilter, BeforeFilter)
    search_fields = ("name",)
    search_help_text = "The whole name of a backup"
    fields = (
        "name",
        "level",
        "parent",
        "project",
        "made_by",
        "job_name",
        "node",
        "container",
        "path",
        "size",
        "sha256",
        "created",
    )
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SeekChangeList]:
        return SeekChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (queryset.filter(name=search_term.strip()) if search_term.strip() else queryset), False

    @admin.display(description="size")
    def size(self, archive: Archive) -> str:
        return filesizeformat(archive.size_bytes)

    @admin.display(description="created")
    def created(self, archive: Archive) -> SafeString:
        return show.moment(archive.created_at)

    @admin.display(description="made by")
    def made_by(self, archive: Archive) -> SafeString:
        return show.execution_link(archive.execution) if archive.execution else show.NOTHING

"""Lists over tables of millions of rows: newest first, page after page, without counting or skipping any."""

from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

BEFORE = "before"


class SeekChangeList(ChangeList):
    """One page of the newest rows; `older` is the query string of the next one.

    Asks twice: for the ids, which an index answers alone, then for the rows of these ids.
    """

    is_seek = True
    older = ""
    newest = ""

    def get_results(self, request: HttpRequest) -> None:
        ids = list(self.queryset.values_list("pk", flat=True)[: self.list_per_page + 1])
        shown = ids[: self.list_per_page]
        self.result_list = self.rows_of(shown)
        self.result_count = len(shown)
        self.full_result_count = len(shown)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.paginator = Paginator(shown, self.list_per_page)
        if len(ids) > len(shown):
            self.older = self.get_query_string({BEFORE: str(shown[-1])})
        if BEFORE in self.params:
            self.newest = self.get_query_string(remove=[BEFORE])

    def rows_of(self, ids: list[int]) -> Any:
        rows: QuerySet[Any] = self.root_queryset.filter(pk__in=ids).order_by("-pk")
        return self.apply_select_related(rows) if self.list_select_related else rows


class BeforeFilter(SimpleListFilter):
    """The place in the list: rows older than this id. Shown by the pager only."""

    title = "place in the list"
    parameter_name = BEFORE
    template = "admin/jobs/no_filter.html"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("", "newest")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(pk__lt=as_id(self.value()))


def as_id(value: str | None) -> int:
    """The id of a query string; Django answers a wrong one with the plain list."""
    try:
        number = int(value or "")
    except ValueError as error:
        raise IncorrectLookupParameters(error) from error
    if not 0 <= number < 2**63:
        raise IncorrectLookupParameters
    return number

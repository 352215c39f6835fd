"""Nodes: the machines whose workers take executions, how they are, and what an operator makes of them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from jobs.admin import show
from jobs.admin.base import HubAdmin, actor_of
from jobs.admin.deeds import perform
from jobs.admin.saving import SavedByEngine
from jobs.engine import nodes
from jobs.models import Node
from jobs.texts import check_label


class NodeForm(forms.ModelForm):
    labels = forms.CharField(
        required=False, help_text="Words such as gpu, ssd; jobs are pinned to one of them by label:gpu"
    )

    class Meta:
        model = Node
        fields = ("labels", "max_running")
        help_texts = {"max_running": "So many executions side by side at most; empty: as many as there are workers"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["labels"] = ", ".join(self.instance.labels)

    def clean_labels(self) -> list[str]:
        words = self.cleaned_data["labels"].replace(",", " ").split()
        try:
            return [check_label(word) for word in dict.fromkeys(words)]
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class NodeChangeList(ChangeList):
    """Each node of the page knows how many executions it has."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        running = nodes.running_on(node.name for node in self.result_list)
        for node in self.result_list:
            node.n_running = running.get(node.name, 0)


@admin.register(Node)
class NodeAdmin(SavedByEngine, HubAdmin):
    """Nodes belong to no project: whoever may see anything may see them, and superusers change them."""

    project_path = ""
    form = NodeForm
    change_form_template = "admin/jobs/node/page.html"
    list_display = ("name", "health", "running", "workers", "labelled", "seen", "work")
    readonly_fields = ("name", "health", "running", "workers", "said", "seen", "first_seen", "work", "uuid")
    fields = (*readonly_fields, "labels", "max_running")
    sortable_by = ("name", "workers")
    actions = ("drain_selected", "undrain_selected")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).sees_all

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NodeChangeList

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in ("labels", "max_running")}
        nodes.change_node(Node.objects.get(pk=obj.pk), given, actor=actor_of(request))

    # -- what is shown -------------------------------------------------------------------------------------------------
    @admin.display(description="state")
    def health(self, node: Any) -> SafeString:
        badge = show.health(node, self._n_running(node))
        if node.drained_at is None:
            return badge
        return format_html('{} <span class="hub-quiet">{}</span>', badge, node.drain_reason or f"by {node.drained_by}")

    @admin.display(description="running")
    def running(self, node: Any) -> str:
        limit = "" if node.max_running is None else f" of {node.max_running}"
        return f"{self._n_running(node)}{limit}"

    @staticmethod
    def _n_running(node: Any) -> int:
        if not hasattr(node, "n_running"):
            node.n_running = nodes.running_on([node.name]).get(node.name, 0)
        found: int = node.n_running
        return found

    @admin.display(description="labels")
    def labelled(self, node: Node) -> str:
        return ", ".join(node.all_labels)

    @admin.display(description="labels of its own")
    def said(self, node: Node) -> str:
        return ", ".join(node.own_labels)

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

    # -- drained and undrained -----------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<path:object_id>/drain/", wrap(require_POST(self.drain_view)), name="jobs_node_drain"),
            path("<path:object_id>/undrain/", wrap(require_POST(self.undrain_view)), name="jobs_node_undrain"),
        ]
        return [*own, *super().get_urls()]

    def drain_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, lambda node: self._drained(request, node))

    def undrain_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, lambda node: self._undrained(request, node))

    def _ask(self, request: HttpRequest, object_id: str, deed: Any) -> HttpResponse:
        node = self.get_object(request, unquote(object_id))
        if node is None:
            raise Http404(f"there is no node {object_id}")
        perform(request, [node], deed)
        return HttpResponseRedirect(reverse("admin:jobs_node_change", args=[node.pk]))

    def _drained(self, request: HttpRequest, node: Node) -> str:
        nodes.drain(node, actor=actor_of(request), reason=request.POST.get("reason", ""))
        return f"{node} takes no new work"

    def _undrained(self, request: HttpRequest, node: Node) -> str:
        nodes.undrain(node, actor=actor_of(request))
        return f"{node} takes work"

    @admin.action(description="Drain the selected nodes")
    def drain_selected(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        perform(request, queryset, lambda node: self._drained(request, node))

    @admin.action(description="Undrain the selected nodes")
    def undrain_selected(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        perform(request, queryset, lambda node: self._undrained(request, node))

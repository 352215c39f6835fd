"""Where the cluster answers, below its mounts."""

from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern
from django.views.decorators.gzip import gzip_page

from vendors.ontap import views

app_name = "ontap"


class Tidy(RoutePattern):
    """A route to which a slash at the end means nothing. A redirect would make a PATCH a GET."""

    def match(self, path: str) -> Any:
        return super().match(path.rstrip("/"))


def at(route: str, view: Any, name: str) -> URLPattern:
    return URLPattern(Tidy(route, name=name, is_endpoint=True), view.as_view(), name=name)


def many(route: str, view: Any, name: str) -> URLPattern:
    """A list: it is compressed for those who take it so."""
    return URLPattern(Tidy(route, name=name, is_endpoint=True), gzip_page(view.as_view()), name=name)


urlpatterns = [
    at("api/cluster/jobs/<str:uuid>", views.JobView, "job"),
    many("api/cluster/jobs", views.JobsView, "jobs"),
    at("api/cluster/jobs/<str:uuid>/<path:surplus>", views.ElsewhereView, "below-a-job"),
    at("api/cluster", views.ClusterView, "cluster"),
    many("api/cluster/nodes", views.NodesView, "nodes"),
    at("api/cluster/nodes/<str:uuid>", views.NodeView, "node"),
    many("api/svm/svms", views.SvmsView, "svms"),
    at("api/svm/svms/<str:uuid>", views.SvmView, "svm"),
    at("api/jobhub/jobs/<path:ref>/trigger", views.TriggerView, "trigger"),
    at("api", views.ElsewhereView, "api"),
    at("api/<path:rest>", views.ElsewhereView, "elsewhere"),
]

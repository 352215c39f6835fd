"""Where the connector answers, below its mounts. A slash at the end changes nothing."""

from typing import Any

from django.urls import URLPattern, re_path

from vendors.siren import views

app_name = "siren"

# A job's name may hold slashes: WSGI does not show whether they were encoded. So the verbs come before the job itself.
TYPE, JOB, ID = r"(?P<type>[^/_][^/]*)", r"(?P<id>.+?)", r"(?P<id>[^/_].*?)"


def route(path: str, view: Any, name: str) -> URLPattern:
    return re_path(f"^{path}/?$", view.as_view(), name=name)


urlpatterns = [
    re_path("^$", views.InfoView.as_view(), name="info"),
    route("_siren/connector/jobs/_search", views.LogView, "log"),
    route(f"_siren/connector/jobs/{TYPE}", views.RunningView, "running"),
    route(f"_siren/connector/jobs/{TYPE}/{JOB}/_abort", views.AbortView, "abort"),
    route(f"_siren/connector/jobs/{TYPE}/{JOB}", views.JobView, "job"),
]

"""Where the connector answers, below its mounts. A slash at the end changes nothing."""

from typing import Any

from django.urls import URLPattern, re_path

from vendors.siren import views

app_name = "siren"

# A job's name may hold slashes: WSGI does not show whether they were encoded. So the verbs come before the job itself.
TYPE, JOB, ID = r"(?P<type>[^/_][^/]*)", r"(?P<id>.+?)", r"(?P<id>[^/_].*?)"


PLACE = "_siren/connector"
DATASOURCE = "datasources?"
"""The vendor's pages write it once in the plural."""


def route(path: str, view: Any, name: str) -> URLPattern:
    return re_path(f"^{PLACE}/{path}/?$", view.as_view(), name=name)


urlpatterns = [
    re_path("^$", views.InfoView.as_view(), name="info"),
    route("jobs/_search", views.LogView, "log"),
    route(f"jobs/{TYPE}", views.RunningView, "running"),
    route(f"jobs/{TYPE}/{JOB}/_abort", views.AbortView, "abort"),
    route(f"jobs/{TYPE}/{JOB}", views.JobView, "job"),
    route("ingestion/_search", views.IngestionsView, "ingestions"),
    route(f"ingestion/{ID}/_run", views.RunView, "run"),
    route(f"ingestion/{ID}", views.IngestionView, "ingestion"),
    route(f"{DATASOURCE}/_search", views.DatasourcesView, "datasources"),
    route(f"{DATASOURCE}/{ID}/_validate", views.ValidateView, "validate"),
    route(f"{DATASOURCE}/{ID}", views.DatasourceView, "datasource"),
    route("index/_search", views.IndicesView, "indices"),
    route(f"index/{ID}", views.IndexView, "index"),
]

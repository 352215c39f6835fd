"""The views of the connector."""

from vendors.siren.views.base import InfoView
from vendors.siren.views.documents import (
    DatasourcesView,
    DatasourceView,
    IndexView,
    IndicesView,
    IngestionsView,
    IngestionView,
    RunView,
    ValidateView,
)
from vendors.siren.views.jobs import AbortView, JobView, LogView, RunningView

__all__ = [
    "AbortView",
    "DatasourceView",
    "DatasourcesView",
    "IndexView",
    "IndicesView",
    "InfoView",
    "IngestionView",
    "IngestionsView",
    "JobView",
    "LogView",
    "RunView",
    "RunningView",
    "ValidateView",
]

"""The views of the Datameer face."""

from vendors.datameer.views.commands import (
    FileRunView,
    FileStatusView,
    RunDataView,
    SequentialView,
    StopView,
    TriggerView,
)
from vendors.datameer.views.reading import (
    JobDetailsView,
    JobHistoryView,
    JobStatusView,
    ListRunningView,
    VolumeReportView,
)

__all__ = [
    "FileRunView",
    "FileStatusView",
    "JobDetailsView",
    "JobHistoryView",
    "JobStatusView",
    "ListRunningView",
    "RunDataView",
    "SequentialView",
    "StopView",
    "TriggerView",
    "VolumeReportView",
]

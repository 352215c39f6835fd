"""The views of the Datameer face."""

from vendors.datameer.views.commands import (
    FileRunView,
    FileStatusView,
    RunDataView,
    SequentialView,
    StopView,
    TriggerView,
)
from vendors.datameer.views.configurations import (
    ExportJobsView,
    ExportJobView,
    ImportJobsView,
    ImportJobView,
    WorkbooksV2View,
    WorkbooksView,
    WorkbookV2View,
    WorkbookView,
)
from vendors.datameer.views.connections import ConnectionsView, ConnectionView
from vendors.datameer.views.data import EmptyView, ImportDataView, LicenseView, WorkbookDataView
from vendors.datameer.views.reading import (
    JobDetailsView,
    JobHistoryView,
    JobStatusView,
    ListRunningView,
    VolumeReportView,
)

__all__ = [
    "ConnectionView",
    "ConnectionsView",
    "EmptyView",
    "ExportJobView",
    "ExportJobsView",
    "FileRunView",
    "FileStatusView",
    "ImportDataView",
    "ImportJobView",
    "ImportJobsView",
    "JobDetailsView",
    "JobHistoryView",
    "JobStatusView",
    "LicenseView",
    "ListRunningView",
    "RunDataView",
    "SequentialView",
    "StopView",
    "TriggerView",
    "VolumeReportView",
    "WorkbookDataView",
    "WorkbookV2View",
    "WorkbookView",
    "WorkbooksV2View",
    "WorkbooksView",
]

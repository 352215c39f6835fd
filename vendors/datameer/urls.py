"""Where Datameer answers, below its mounts."""

from django.urls import path

from vendors.datameer import views

app_name = "datameer"

# A file's path holds slashes, encoded or not: WSGI shows no difference. So `…/status` comes first; a job whose name
# ends in it is started and stopped by its id or uuid.
urlpatterns = [
    path("rest/job-configuration/job-status/<str:configuration>", views.JobStatusView.as_view(), name="job-status"),
    path("rest/job-configuration/job-history/<str:configuration>", views.JobHistoryView.as_view(), name="job-history"),
    path(
        "rest/job-configuration/volume-report/<str:configuration>",
        views.VolumeReportView.as_view(),
        name="volume-report",
    ),
    path("rest/jobs/list-running", views.ListRunningView.as_view(), name="list-running"),
    path("rest/job-execution", views.TriggerView.as_view(), name="trigger"),
    path("rest/job-execution/sequential", views.SequentialView.as_view(), name="sequential"),
    path("rest/job-execution/job-details/<str:execution>", views.JobDetailsView.as_view(), name="job-details"),
    path("rest/job-execution/job-kill/<str:execution>", views.StopView.as_view(), name="job-kill"),
    path("rest/data/import-job/<str:configuration>", views.ImportDataView.as_view(), name="import-data"),
    path("rest/data/workbook/<str:configuration>", views.WorkbookDataView.as_view(), name="workbook-data"),
    path("rest/data/<str:execution>", views.RunDataView.as_view(), name="run-data"),
    path("rest/license-details", views.LicenseView.as_view(), name="license-details"),
    path("rest/import-job", views.ImportJobsView.as_view(), name="import-jobs"),
    path("rest/import-job/<str:configuration>", views.ImportJobView.as_view(), name="import-job"),
    path("rest/export-job", views.ExportJobsView.as_view(), name="export-jobs"),
    path("rest/export-job/<str:configuration>", views.ExportJobView.as_view(), name="export-job"),
    path("rest/export-jobs", views.ExportJobsView.as_view(), name="export-jobs-s"),
    path("rest/export-jobs/<str:configuration>", views.ExportJobView.as_view(), name="export-job-s"),
    path("rest/workbook", views.WorkbooksView.as_view(), name="workbooks"),
    path("rest/workbook/<str:configuration>", views.WorkbookView.as_view(), name="workbook"),
    path("rest/connections", views.ConnectionsView.as_view(), name="connections"),
    path("rest/connections/<str:connection>", views.ConnectionView.as_view(), name="connection"),
    path("rest/dashboard", views.EmptyView.as_view(), name="dashboards"),
    path("rest/infographics", views.EmptyView.as_view(), name="infographics"),
    path("api/workbooks", views.WorkbooksV2View.as_view(), name="workbooks-v2"),
    path("api/workbooks/<path:file>", views.WorkbookV2View.as_view(), name="workbook-v2"),
    path("api/job-execution/<path:file>/status", views.FileStatusView.as_view(), name="file-status"),
    path("api/job-execution/<path:file>", views.FileRunView.as_view(), name="file-run"),
]

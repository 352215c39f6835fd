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
    path("rest/job-execution/", views.TriggerView.as_view(), name="trigger-slash"),
    path("rest/job-execution/sequential", views.SequentialView.as_view(), name="sequential"),
    path("rest/job-execution/job-details/<str:execution>", views.JobDetailsView.as_view(), name="job-details"),
    path("rest/job-execution/job-kill/<str:execution>", views.StopView.as_view(), name="job-kill"),
    path("rest/data/<str:execution>", views.RunDataView.as_view(), name="run-data"),
    path("api/job-execution/<path:file>/status", views.FileStatusView.as_view(), name="file-status"),
    path("api/job-execution/<path:file>", views.FileRunView.as_view(), name="file-run"),
]

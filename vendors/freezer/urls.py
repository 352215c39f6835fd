"""Where Freezer's API answers, below each of its mounts; `scope` is `v1` or `v2/<project>`."""

from django.urls import path, register_converter

from vendors.freezer import views
from vendors.freezer.scope import ScopeConverter

app_name = "freezer"
register_converter(ScopeConverter, "scope")

urlpatterns = [
    path("", views.VersionsView.as_view(), name="versions"),
    path("v1", views.HomeView.as_view(), name="v1", kwargs={"version": "v1"}),
    path("v2", views.HomeView.as_view(), name="v2", kwargs={"version": "v2"}),
    path("healthcheck", views.HealthView.as_view(), name="health"),
    path("<scope:scope>/jobs", views.JobsView.as_view(), name="jobs"),
    path("<scope:scope>/jobs/<str:job_id>", views.JobView.as_view(), name="job"),
    path("<scope:scope>/jobs/<str:job_id>/event", views.EventView.as_view(), name="event"),
    path("<scope:scope>/clients", views.ClientsView.as_view(), name="clients"),
    path("<scope:scope>/clients/<str:client_id>", views.ClientView.as_view(), name="client"),
    path("<scope:scope>/actions", views.ActionsView.as_view(), name="actions"),
    path("<scope:scope>/actions/<str:action_id>", views.ActionView.as_view(), name="action"),
    path("<scope:scope>/sessions", views.SessionsView.as_view(), name="sessions"),
    path("<scope:scope>/sessions/<str:session_id>", views.SessionView.as_view(), name="session"),
    path("<scope:scope>/sessions/<str:session_id>/action", views.SessionActionView.as_view(), name="session-action"),
    path(
        "<scope:scope>/sessions/<str:session_id>/jobs/<str:job_id>",
        views.SessionJobView.as_view(),
        name="session-job",
    ),
    path("<scope:scope>/backups", views.BackupsView.as_view(), name="backups"),
    path("<scope:scope>/backups/<str:backup_id>", views.BackupView.as_view(), name="backup"),
]

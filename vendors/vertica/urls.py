"""Where the agent answers, below its mounts."""

from django.urls import path

from vendors.vertica import views

app_name = "vertica"

# A backup's name is a job's name and may hold slashes.
urlpatterns = [
    path("", views.RootView.as_view(), name="root"),
    path("jobs", views.JobViewSet.as_view({"get": "list"}), name="jobs"),
    path("jobs/<str:ref>", views.JobViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="job"),
    path("databases", views.DatabaseViewSet.as_view({"get": "list", "post": "create"}), name="databases"),
    path(
        "databases/<str:db>",
        views.DatabaseViewSet.as_view({"get": "retrieve", "put": "act", "delete": "drop"}),
        name="database",
    ),
    path(
        "databases/<str:db>/process",
        views.DatabaseViewSet.as_view({"get": "process", "post": "start_database", "delete": "stop"}),
        name="database-process",
    ),
    path(
        "databases/<str:db>/rebalance/process",
        views.DatabaseViewSet.as_view({"post": "rebalance"}),
        name="database-rebalance",
    ),
    path(
        "databases/<str:db>/Workload analyzer/process",
        views.DatabaseViewSet.as_view({"post": "analyze"}),
        name="database-analyze",
    ),
    path("databases/<str:db>/hosts", views.DatabaseViewSet.as_view({"post": "add_host"}), name="database-hosts"),
    path(
        "databases/<str:db>/hosts/<str:host_id>",
        views.DatabaseViewSet.as_view({"delete": "remove_host"}),
        name="database-host",
    ),
    path(
        "databases/<str:db>/hosts/<str:host_id>/process",
        views.DatabaseViewSet.as_view({"post": "start_host", "delete": "stop_host"}),
        name="database-host-process",
    ),
    path(
        "databases/<str:db>/hosts/<str:host_id>/replace_with/<str:host_id_new>",
        views.DatabaseViewSet.as_view({"post": "replace_host"}),
        name="database-host-replace",
    ),
    path("backups", views.BackupViewSet.as_view({"get": "list"}), name="backups"),
    path("backups/<path:config>", views.BackupViewSet.as_view({"get": "retrieve", "post": "create"}), name="backup"),
    path("restore/<str:archive_id>", views.RestoreView.as_view(), name="restore"),
    path("webhooks", views.WebhookViewSet.as_view({"get": "list"}), name="webhooks"),
    path("webhooks/subscribe", views.WebhookViewSet.as_view({"post": "subscribe"}), name="webhook-subscribe"),
    path("webhooks/<str:subscriber_id>", views.WebhookViewSet.as_view({"delete": "destroy"}), name="webhook"),
]

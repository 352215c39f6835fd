"""Where the native face answers, below its mount."""

from typing import Any

from django.urls import path

from vendors.native import views

app_name = "native"

JOB: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
SUBSCRIPTION: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

# A job's name may hold slashes, encoded or not: WSGI shows no difference. So the verbs come before the job itself;
# a job whose name ends like a verb is reached by its id or uuid.
urlpatterns = [
    path("", views.RootView.as_view(), name="root"),
    path("schema", views.SchemaView.as_view(), name="schema"),
    path("me", views.MeView.as_view(), name="me"),
    path("jobs", views.JobViewSet.as_view({"get": "list", "post": "create"}), name="jobs"),
    path("jobs/<path:ref>/schedules", views.ScheduleViewSet.as_view({"get": "list"}), name="job-schedules"),
    *(
        path(
            f"jobs/<path:ref>/schedules/<str:name>/{verb}",
            views.ScheduleViewSet.as_view({"post": verb}),
            name=f"job-schedule-{verb}",
        )
        for verb in ("pause", "release", "skip", "move", "run", "reinstate")
    ),
    path("jobs/<path:ref>/trigger", views.JobViewSet.as_view({"post": "trigger"}), name="job-trigger"),
    path("jobs/<path:ref>/hold", views.JobViewSet.as_view({"post": "hold"}), name="job-hold"),
    path("jobs/<path:ref>/release", views.JobViewSet.as_view({"post": "release"}), name="job-release"),
    path("jobs/<path:ref>", views.JobViewSet.as_view(JOB), name="job"),
    path("executions", views.ExecutionViewSet.as_view({"get": "list"}), name="executions"),
    path("executions/abort", views.BulkAbortView.as_view(), name="executions-abort"),
    path("executions/retry", views.BulkRetryView.as_view(), name="executions-retry"),
    path(
        "executions/<str:ref>",
        views.ExecutionViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="execution",
    ),
    path("executions/<str:ref>/output", views.OutputView.as_view(), name="execution-output"),
    path("executions/<str:ref>/faces", views.FacesView.as_view(), name="execution-faces"),
    path("executions/<str:ref>/actions", views.StepViewSet.as_view({"get": "list"}), name="execution-actions"),
    path("executions/<str:ref>/abort", views.ExecutionViewSet.as_view({"post": "abort"}), name="execution-abort"),
    path("executions/<str:ref>/pause", views.ExecutionViewSet.as_view({"post": "pause"}), name="execution-pause"),
    path("executions/<str:ref>/resume", views.ExecutionViewSet.as_view({"post": "resume"}), name="execution-resume"),
    path("executions/<str:ref>/retry", views.ExecutionViewSet.as_view({"post": "retry"}), name="execution-retry"),
    path("planned", views.PlannedView.as_view(), name="planned"),
    path("executions/<str:ref>/keep", views.ExecutionViewSet.as_view({"post": "keep"}), name="execution-keep"),
    path("executions/<str:ref>/unkeep", views.ExecutionViewSet.as_view({"post": "unkeep"}), name="execution-unkeep"),
    path("projects", views.ProjectViewSet.as_view({"get": "list"}), name="projects"),
    path("projects/<str:ref>", views.ProjectViewSet.as_view({"get": "retrieve"}), name="project"),
    path("nodes", views.NodeViewSet.as_view({"get": "list"}), name="nodes"),
    path("nodes/<str:ref>", views.NodeViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="node"),
    path("nodes/<str:ref>/drain", views.NodeViewSet.as_view({"post": "drain"}), name="node-drain"),
    path("nodes/<str:ref>/undrain", views.NodeViewSet.as_view({"post": "undrain"}), name="node-undrain"),
    path("subscriptions", views.SubscriptionViewSet.as_view({"get": "list", "post": "create"}), name="subscriptions"),
    path("subscriptions/<str:ref>", views.SubscriptionViewSet.as_view(SUBSCRIPTION), name="subscription"),
    path("deliveries", views.DeliveryViewSet.as_view({"get": "list"}), name="deliveries"),
    path("deliveries/<str:ref>", views.DeliveryViewSet.as_view({"get": "retrieve"}), name="delivery"),
    path("deliveries/<str:ref>/replay", views.DeliveryViewSet.as_view({"post": "replay"}), name="delivery-replay"),
    path("audit", views.AuditViewSet.as_view({"get": "list"}), name="audit"),
    path("archives", views.ArchiveViewSet.as_view({"get": "list"}), name="archives"),
]

"""The views of the agent's face."""

from vendors.vertica.views.backups import BackupViewSet, RestoreView
from vendors.vertica.views.databases import DatabaseViewSet
from vendors.vertica.views.jobs import JobViewSet
from vendors.vertica.views.root import RootView
from vendors.vertica.views.webhooks import WebhookViewSet

__all__ = ["BackupViewSet", "DatabaseViewSet", "JobViewSet", "RestoreView", "RootView", "WebhookViewSet"]

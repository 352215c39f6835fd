"""The views of Freezer's API."""

from vendors.freezer.views.clients import ClientsView, ClientView
from vendors.freezer.views.home import HealthView, HomeView, VersionsView
from vendors.freezer.views.jobs import EventView, JobsView, JobView

__all__ = [
    "ClientView",
    "ClientsView",
    "EventView",
    "HealthView",
    "HomeView",
    "JobView",
    "JobsView",
    "VersionsView",
]

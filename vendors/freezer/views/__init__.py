"""The views of Freezer's API."""

from vendors.freezer.views.actions import ActionsView, ActionView
from vendors.freezer.views.backups import BackupsView, BackupView
from vendors.freezer.views.clients import ClientsView, ClientView
from vendors.freezer.views.home import HealthView, HomeView, VersionsView
from vendors.freezer.views.jobs import EventView, JobsView, JobView
from vendors.freezer.views.sessions import SessionActionView, SessionJobView, SessionsView, SessionView

__all__ = [
    "ActionView",
    "ActionsView",
    "BackupView",
    "BackupsView",
    "ClientView",
    "ClientsView",
    "EventView",
    "HealthView",
    "HomeView",
    "JobView",
    "JobsView",
    "SessionActionView",
    "SessionJobView",
    "SessionView",
    "SessionsView",
    "VersionsView",
]

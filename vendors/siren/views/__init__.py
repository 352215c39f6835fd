"""The views of the connector."""

from vendors.siren.views.base import InfoView
from vendors.siren.views.jobs import AbortView, JobView, LogView, RunningView

__all__ = ["AbortView", "InfoView", "JobView", "LogView", "RunningView"]

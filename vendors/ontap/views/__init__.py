"""ONTAP's calls."""

from vendors.ontap.views.elsewhere import ElsewhereView
from vendors.ontap.views.hub import ClusterView, NodesView, NodeView, SvmsView, SvmView
from vendors.ontap.views.jobs import JobsView, JobView
from vendors.ontap.views.trigger import TriggerView

__all__ = [
    "ClusterView",
    "ElsewhereView",
    "JobView",
    "JobsView",
    "NodeView",
    "NodesView",
    "SvmView",
    "SvmsView",
    "TriggerView",
]

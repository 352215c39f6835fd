"""The views of the native face."""

from vendors.native.views.audit import AuditViewSet
from vendors.native.views.bulk import BulkAbortView, BulkRetryView
from vendors.native.views.executions import ExecutionViewSet
from vendors.native.views.faces import FacesView
from vendors.native.views.hub import ArchiveViewSet, MeView, ProjectViewSet, RootView
from vendors.native.views.jobs import JobViewSet
from vendors.native.views.nodes import NodeViewSet
from vendors.native.views.notices import DeliveryViewSet, SubscriptionViewSet
from vendors.native.views.output import OutputView
from vendors.native.views.schedules import PlannedView, ScheduleViewSet
from vendors.native.views.schema import SchemaView
from vendors.native.views.steps import StepViewSet

__all__ = [
    "ArchiveViewSet",
    "AuditViewSet",
    "BulkAbortView",
    "BulkRetryView",
    "DeliveryViewSet",
    "ExecutionViewSet",
    "FacesView",
    "JobViewSet",
    "MeView",
    "NodeViewSet",
    "OutputView",
    "PlannedView",
    "ProjectViewSet",
    "RootView",
    "ScheduleViewSet",
    "SchemaView",
    "StepViewSet",
    "SubscriptionViewSet",
]

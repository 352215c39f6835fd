"""The hub as a cluster: `/api/cluster`, its nodes, and its projects as SVMs."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.models import Node, Project
from vendors.ontap.hub import CLUSTER, NODES, SVMS, cluster
from vendors.ontap.parameters import Condition, wished_of_one
from vendors.ontap.views.base import OntapView
from vendors.ontap.views.collections import CollectionView, InstanceView, filtered


class ClusterView(OntapView):
    """Retrieves the cluster: Ansible asks for its version before every task."""

    def get(self, request: Request) -> Response:
        wished = wished_of_one(self.query, CLUSTER)
        return Response(CLUSTER.record(cluster(), wished, self.prefix))


class NodesView(CollectionView):
    """Retrieves the nodes: the machines whose workers run jobs."""

    resource = NODES

    def branches(self, queries: list[Condition]) -> list[QuerySet[Any]]:
        return [filtered(Node.objects.order_by(), queries)]


class NodeView(InstanceView):
    """Retrieves a node."""

    resource = NODES

    def rows(self) -> QuerySet[Any]:
        return Node.objects.all()


class SvmsView(CollectionView):
    """Retrieves the SVMs: the projects that one may look into."""

    resource = SVMS

    def branches(self, queries: list[Condition]) -> list[QuerySet[Any]]:
        return [filtered(_projects(self), queries)]


class SvmView(InstanceView):
    """Retrieves an SVM."""

    resource = SVMS

    def rows(self) -> QuerySet[Any]:
        return _projects(self)


def _projects(view: OntapView) -> QuerySet[Any]:
    visible = view.actor.visible_projects
    rows = Project.objects.order_by()
    return rows if visible is None else rows.filter(pk__in=visible)

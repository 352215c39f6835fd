"""V1: what became of jobs and their runs."""

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.models import JobExecution
from jobs.models.execution import states
from jobs.states import ACTIVE
from vendors.datameer import rows, shapes
from vendors.datameer.views.base import DatameerView, window
from vendors.datameer.waiting import waiting_of_all, waiting_of_job

LISTED = 1000
"""So many active executions are listed, the oldest: this command has no pages."""


class JobStatusView(DatameerView):
    """The last run of a job, and how it stands."""

    def get(self, request: Request, configuration: str) -> Response:
        return Response(shapes.status_v1(rows.newest(configuration, self.actor)))


class JobHistoryView(DatameerView):
    """The runs of a job, newest first: `start` and `length` choose."""

    def get(self, request: Request, configuration: str) -> Response:
        found = rows.runs(configuration, self.actor, rows.STATUS, window(request))
        return Response(shapes.history(found, waiting_of_job(found)))


class VolumeReportView(DatameerView):
    """The same with the bytes that each import read."""

    def get(self, request: Request, configuration: str) -> Response:
        found = rows.runs(configuration, self.actor, rows.VOLUME, window(request))
        return Response(shapes.volume_report(found, waiting_of_job(found)))


class JobDetailsView(DatameerView):
    """One run, by its execution id, with its counters."""

    def get(self, request: Request, execution: str) -> Response:
        return Response(shapes.details(rows.details(execution, self.actor)))


class ListRunningView(DatameerView):
    """What is queued, waits or runs in the acting project, the oldest first."""

    def get(self, request: Request) -> Response:
        mine = JobExecution.objects.filter(project_id=self.actor.home).order_by("id").values(*rows.STATUS)
        found = list(mine.of_states(states(ACTIVE))[:LISTED])
        return Response(shapes.history(found, waiting_of_all(found)))

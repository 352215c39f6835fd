"""Start and stop runs, and delete what is left of them."""

import contextlib
from collections.abc import Iterator

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import aborts, verbs
from jobs.engine.rights import Right
from jobs.engine.trigger import trigger
from jobs.errors import IllegalMove, Invalid
from jobs.models import Job, JobExecution
from vendors.datameer import rows, shapes
from vendors.datameer.views.base import DatameerView, success

PARAMETER = "configuration"
LONGEST_SEQUENCE = 100
AT_ONCE = 1000


class TriggerView(DatameerView):
    """Start a job: `?configuration=` and its id. One that is active already is queued once more, and waits."""

    def post(self, request: Request) -> Response:
        job = rows.find_configuration(request.query_params.get(PARAMETER, ""), self.actor)
        return Response(shapes.triggered(trigger(job, actor=self.actor)[0]))


class SequentialView(DatameerView):
    """Start jobs one after the other: `?configuration=1&configuration=2`, or `?configuration=1,2`.

    Each waits for the success of the one before; after the first that fails or is stopped the rest is cancelled.
    """

    def post(self, request: Request) -> Response:
        jobs = list(self._jobs(request))
        if not 1 <= len(jobs) <= LONGEST_SEQUENCE:
            raise Invalid.field(PARAMETER, f"wanted 1 to {LONGEST_SEQUENCE} ids of job configurations")
        started = list[JobExecution]()
        with transaction.atomic():
            for job in jobs:
                started.append(trigger(job, actor=self.actor, after=started[-1:])[0])
        head = shapes.triggered(started[0])
        return Response({**head, "job-execution-ids": [execution.pk for execution in started]})

    def _jobs(self, request: Request) -> Iterator[Job]:
        given = ",".join(request.query_params.getlist(PARAMETER)).split(",")
        for configuration in given[: LONGEST_SEQUENCE + 1]:
            yield rows.find_configuration(configuration.strip(), self.actor)


class StopView(DatameerView):
    """Stop a run, by its execution id. There is no body when that was done, nor when it had ended already."""

    def post(self, request: Request, execution: str) -> Response:
        with contextlib.suppress(IllegalMove):
            aborts.abort(rows.find_run(execution, self.actor), actor=self.actor)
        return Response()


class RunDataView(DatameerView):
    """Delete what is kept of an ended run: its place in the history, and what it printed."""

    def delete(self, request: Request, execution: str) -> Response:
        verbs.delete_execution(rows.find_run(execution, self.actor), actor=self.actor)
        return success()


class FileStatusView(DatameerView):
    """V2: the last run of a file, by its id, its uuid or its path."""

    def get(self, request: Request, file: str) -> Response:
        if file.isdigit():
            return Response(shapes.status_v2(rows.newest(file, self.actor)))
        return Response(shapes.status_v2(rows.newest_of(rows.find_file(file, self.actor))))


class FileRunView(DatameerView):
    """V2: start a file's job, and stop all of its runs."""

    def post(self, request: Request, file: str) -> Response:
        return Response(shapes.triggered(trigger(rows.find_file(file, self.actor), actor=self.actor)[0]))

    put = post

    def delete(self, request: Request, file: str) -> Response:
        """The newest first, so that none starts in the place of another."""
        job = rows.find_file(file, self.actor)
        self.actor.require(Right.EDIT, job.project_id, "stopping a job")
        active = JobExecution.objects.active().filter(job=job).order_by("-id")[:AT_ONCE]
        aborts.abort_all(active, actor=self.actor)
        return Response()

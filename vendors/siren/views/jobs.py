"""Jobs of every type: what runs, one by its id, its end, and the log."""

import contextlib
import time

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import aborts
from jobs.engine.find import find_execution
from jobs.engine.rights import Right
from jobs.errors import IllegalMove
from jobs.states import State
from vendors.siren import log
from vendors.siren.current import check_type, find_current, list_current
from vendors.siren.filters import LOG, LogFilters, Window
from vendors.siren.shapes import STATUS, Row, hits, job_json, log_json, no_job, running_json
from vendors.siren.views.base import SirenView
from vendors.wire.lookups import ExecutionRows

ROWS = ExecutionRows(*STATUS)
ABORT_WAIT_S = 1.0
"""So long an abort waits for the worker; the vendor's own answer says `aborted` already."""
LOOK_S = 0.05


class RunningView(SirenView):
    """The jobs of a type that run."""

    def get(self, request: Request, type: str) -> Response:
        found = [running_json(row) for row in list_current(type, self.actor)]
        return Response(hits(len(found), found))


class JobView(SirenView):
    """A job by its current run, else by its last."""

    def get(self, request: Request, type: str, id: str) -> Response:
        row = find_current(type, id, self.actor)
        return Response(job_json(row)) if row else Response(no_job(type, id), status=404)


class AbortView(SirenView):
    """End a job's current run; harmless when it has ended."""

    def post(self, request: Request, type: str, id: str) -> Response:
        row = find_current(type, id, self.actor)
        if row is None:
            return Response(no_job(type, id), status=404)
        self.actor.require(Right.EDIT, row["project_id"], "aborting")
        if row["finished_at"] is None:
            with contextlib.suppress(IllegalMove):  # it has just ended
                aborts.abort(find_execution(str(row["id"]), actor=self.actor), actor=self.actor)
            row = _settled(row)
        return Response(job_json(row))


def _settled(before: Row) -> Row:
    """The run as it is now, or when its worker has heard of the abort; who asks again does not wait again."""
    until = time.monotonic() + (ABORT_WAIT_S if before["state"] == State.RUNNING else 0)
    row = ROWS.read(before["id"])
    while row["finished_at"] is None and time.monotonic() < until:
        time.sleep(LOOK_S)
        row = ROWS.read(before["id"])
    return row


class LogView(SirenView):
    """The job log: what has ended."""

    params = LOG

    def get(self, request: Request) -> Response:
        window = Window.of(request)
        rows = log.of_project(self.actor.home)
        filters = LogFilters(request.query_params, queryset=rows, request=request)
        filters.checked()
        if type := request.query_params.get("type"):
            check_type(type, self.actor)
        return Response(hits(log.total(filters), [log_json(row) for row in log.page(filters, window)]))

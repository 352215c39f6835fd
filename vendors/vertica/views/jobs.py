"""Jobs: `GET /jobs`, `GET /jobs/:id`, `DELETE /jobs/:id`."""

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine import aborts
from jobs.engine.find import find_execution
from jobs.engine.rights import Right
from jobs.models import JobExecution
from vendors.vertica.shapes import JOB, WITH_OUTPUT, job_json, with_output
from vendors.vertica.vendor import TRACKED, VENDOR, enveloped
from vendors.vertica.views.base import AgentViewSet, job_reply
from vendors.wire.hiding import hide, is_hidden
from vendors.wire.lookups import ExecutionRows
from vendors.wire.vendor import Page

ROWS = ExecutionRows(*WITH_OUTPUT, hidden_in=VENDOR.name)


class JobViewSet(AgentViewSet):
    """The executions of the acting project as the agent's jobs."""

    queryset = JobExecution.objects.all()

    def list(self, request: Request) -> Response:
        """The newest `TRACKED`, oldest first."""
        rows = JobExecution.objects.filter(~is_hidden(VENDOR.name), project_id=self.actor.home)
        newest = rows.order_by("-id").values(*JOB)[:TRACKED]
        return Response(VENDOR.envelope(Page([job_json(row) for row in reversed(newest)], None, None)))

    def retrieve(self, request: Request, ref: str) -> Response:
        """With the saved output."""
        row = ROWS.find(ref, self.actor)
        return Response(enveloped(with_output(row), f"/jobs/{row['handle']}", kind="job"))

    def destroy(self, request: Request, ref: str) -> Response:
        """Cancels what is left of it, and forgets it here; the other faces go on showing it."""
        pk = ROWS.find(ref, self.actor)["id"]
        execution = find_execution(str(pk), actor=self.actor)
        self.actor.require(Right.EDIT, execution.project_id, "deleting a job")
        with transaction.atomic():
            hide(execution, actor=self.actor)
            if not execution.is_final:
                aborts.abort(execution, actor=self.actor)
        return job_reply(execution)

"""What the agent's views have in common."""

from collections.abc import Mapping
from typing import Any

from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine.find import find_job
from jobs.engine.trigger import trigger
from jobs.errors import Invalid
from jobs.models import Job, JobExecution
from vendors.vertica.calls import NEVER_PASSED, Call
from vendors.vertica.vendor import VENDOR
from vendors.wire.parsers import JsonParser
from vendors.wire.views import FaceView, FaceViewSet


class AgentView(FaceView):
    vendor = VENDOR
    parser_classes = [FormParser, JsonParser]

    def given(self, request: Request) -> dict[str, Any]:
        """The parameters: of the query for every method, else of a form or a JSON object."""
        body = request.data
        if not isinstance(body, Mapping):
            raise Invalid.field("", "wanted an object of parameters")
        return {**{name: body[name] for name in body}, **request.query_params.dict()}

    def started(self, request: Request, job: Job, verb: str = "", **params: Any) -> JobExecution:
        """An execution of the job, with the parameters of the request that are no passwords."""
        given = {name: value for name, value in self.given(request).items() if name.lower() not in NEVER_PASSED}
        return trigger(job, actor=self.actor, params={**given, **params}, verb=verb)[0]

    def start(self, request: Request, call: Call, db: str, **params: Any) -> JobExecution:
        """What a call starts. Raises `Forbidden` below its level, `NotFound` when the database has no such job."""
        given = self.given(request)
        missing = [name for name in call.required if not given.get(name)]
        if missing:
            raise Invalid.field(missing[0], "this parameter is required")
        job = find_job(f"{db}/{call.job}", actor=self.actor)
        self.actor.require(call.need, job.project_id, f"the call {call.verb}")
        return self.started(request, job, call.verb, **params)


class AgentViewSet(AgentView, FaceViewSet):
    """A viewset of the agent; none of its lists has pages."""


def job_reply(execution: JobExecution) -> Response:
    """The usual answer of a call that started a job. The address is as raw as the vendor's."""
    return Response({"id": execution.handle, "url": f"/jobs/{execution.handle}"})

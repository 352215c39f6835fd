"""What ONTAP has no call for: starting a job. The answer is its own for everything that takes time."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine.find import find_job
from jobs.engine.trigger import trigger
from jobs.errors import Invalid, NotFound
from vendors.ontap.jobs import JOBS
from vendors.ontap.parameters import LONGEST_TIMEOUT_S, Parameters
from vendors.ontap.problems import no_entry, unexpected
from vendors.ontap.resources import link
from vendors.ontap.views.base import OntapView
from vendors.wire.auth import header_text

KNOWN = frozenset({"return_timeout", "return_records", "ignore_unknown_fields"})
PARAMS = "params"


class TriggerView(OntapView):
    """Starts a job of the acting project, by its name, uuid or id."""

    def post(self, request: Request, ref: str) -> Response:
        """202 with the link that `wait_on_job` and `NetAppResponse.poll` follow; it waits for nothing itself."""
        parameters = Parameters(self.query)
        parameters.number("return_timeout", default=0, low=0, high=LONGEST_TIMEOUT_S)
        parameters.refuse_others(KNOWN)
        given = self._params()
        try:
            job = find_job(ref, actor=self.actor)
        except NotFound:
            raise no_entry("name") from None
        key = header_text(request, "HTTP_IDEMPOTENCY_KEY")
        execution, _ = trigger(job, actor=self.actor, params=given, idempotency_key=key)
        uuid = str(execution.uuid)
        return Response({"job": {"uuid": uuid, "_links": link(f"{self.mount}{JOBS.path}/{uuid}")}}, status=202)

    def _params(self) -> dict[str, Any]:
        body = self.body()
        for name in body:
            if name != PARAMS:
                raise unexpected(name)
        params: Any = body.get(PARAMS, {})
        if not isinstance(params, dict):
            raise Invalid.field(PARAMS, "wanted an object of names and values")
        return params

    def example(self, method: str, data: Any) -> Any:
        return {PARAMS: {}}

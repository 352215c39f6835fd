"""Databases: the first segments of job names, and the calls that start their jobs."""

from typing import Any

from django.db.models import Max, Q
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.errors import Invalid, NotFound
from jobs.models import Job, JobExecution
from jobs.states import State
from vendors.vertica import calls
from vendors.vertica.vendor import enveloped
from vendors.vertica.views.base import AgentViewSet, job_reply

PORT = "5433"
UP, DOWN = "UP", "DOWN"
STARTS, ENDS = (calls.START.job, calls.CREATE.job), (calls.STOP.job, calls.DROP.job)
OF_DATABASES = Q()
for one in calls.ALL:
    OF_DATABASES |= Q(name__endswith=f"/{one.job}")


class DatabaseViewSet(AgentViewSet):
    """The databases that have jobs in the acting project."""

    queryset = Job.objects.all()

    def list(self, request: Request) -> Response:
        found = _databases(self.actor.home)
        body = [_item(name, found[name]) for name in sorted(found)]
        return Response(enveloped(body, "/databases", links=("/:database_name",), kind="databases"))

    def retrieve(self, request: Request, db: str) -> Response:
        item = _item(db, _state(db, self.actor.home))
        body = {"database_id": db, **{name: item[name] for name in ("href", "name", "port", "status")}}
        return Response(enveloped(body, f"/databases/{db}", links=("/process", "/hosts"), kind="database"))

    def process(self, request: Request, db: str) -> Response:
        body = {"database_id": db, "status": _state(db, self.actor.home)}
        return Response(enveloped(body, f"/databases/{db}/process", kind="database"))

    def create(self, request: Request) -> Response:
        name = str(self.given(request).get("name") or "")
        execution = self.start(request, calls.CREATE, name)
        handle = execution.handle
        return Response({"jobid": handle, "resource": f"/jobs/{handle}", "userid": self.actor.name})

    def act(self, request: Request, db: str) -> Response:
        action = str(self.given(request).get("action") or "").lower()
        call = calls.ACTIONS.get(action)
        if call is None:
            raise Invalid.field("action", f"wanted one of {', '.join(calls.ACTIONS)}")
        return job_reply(self.start(request, call, db))

    def drop(self, request: Request, db: str) -> Response:
        return job_reply(self.start(request, calls.DROP, db))

    def start_database(self, request: Request, db: str) -> Response:
        return job_reply(self.start(request, calls.START, db))

    def stop(self, request: Request, db: str) -> Response:
        return job_reply(self.start(request, calls.STOP, db))

    def rebalance(self, request: Request, db: str) -> Response:
        return job_reply(self.start(request, calls.REBALANCE, db))

    def analyze(self, request: Request, db: str) -> Response:
        return job_reply(self.start(request, calls.ANALYZE, db))

    def add_host(self, request: Request, db: str) -> Response:
        return job_reply(self.start(request, calls.ADD_HOST, db))

    def remove_host(self, request: Request, db: str, host_id: str) -> Response:
        return job_reply(self.start(request, calls.REMOVE_HOST, db, host_id=host_id))

    def start_host(self, request: Request, db: str, host_id: str) -> Response:
        return job_reply(self.start(request, calls.START_HOST, db, host_id=host_id))

    def stop_host(self, request: Request, db: str, host_id: str) -> Response:
        return job_reply(self.start(request, calls.STOP_HOST, db, host_id=host_id))

    def replace_host(self, request: Request, db: str, host_id: str, host_id_new: str) -> Response:
        return job_reply(self.start(request, calls.REPLACE_HOST, db, host_id=host_id, host_id_new=host_id_new))


def _item(name: str, status: str) -> dict[str, Any]:
    return {
        "href": f"/databases/{name}",
        "mime-type": ["application/vertica.database.json-v2"],
        "name": name,
        "port": PORT,
        "status": status,
    }


def _state(db: str, project_id: int) -> str:
    found = _databases(project_id, db)
    if db not in found:
        raise NotFound(f"there is no database {db!r}")
    return found[db]


def _databases(project_id: int, db: str = "") -> dict[str, str]:
    """Whether each is up: by which of its start and stop jobs did its work last. Two queries."""
    rows = Job.objects.filter(OF_DATABASES, project_id=project_id)
    if db:
        rows = Job.objects.none() if "\0" in db else rows.filter(name__startswith=f"{db}/")
    names = dict(rows.values_list("id", "name"))
    deciding = {pk: name for pk, name in names.items() if name.partition("/")[2] in (*STARTS, *ENDS)}
    done = JobExecution.objects.filter(job__in=deciding, state=State.SUCCEEDED).order_by()
    last: dict[str, tuple[int, str]] = {}
    for pk, newest in done.values_list("job").annotate(newest=Max("id")):
        family, _, what = deciding[pk].partition("/")
        last[family] = max(last.get(family, (0, "")), (newest, what))
    families = {name.partition("/")[0] for name in names.values()}
    return {family: DOWN if last.get(family, (0, ""))[1] in ENDS else UP for family in families}

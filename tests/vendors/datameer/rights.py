"""Who may do what through the Datameer face."""

from typing import Any

from jobs.states import State
from tests.vendors.rights import EDIT, LOGGED_IN, SEE, TRIGGER, Need, Row


def datameer(method: str, route: str, need: Need, status: int = 200, query: str = "", **more: Any) -> Row:
    path = route.replace("<str:configuration>", "{job.pk}").replace("<path:file>", "{job.uuid}")
    path = "/" + path.replace("<str:execution>", "{execution.pk}") + query
    return Row(method=method, route=route, need=need, path=path, status=status, **more)


ONE = "?configuration={job.pk}"
ROWS = [
    datameer("get", "rest/job-configuration/job-status/<str:configuration>", SEE),
    datameer("get", "rest/job-configuration/job-history/<str:configuration>", SEE),
    datameer("get", "rest/job-configuration/volume-report/<str:configuration>", SEE),
    datameer("get", "rest/jobs/list-running", LOGGED_IN),
    datameer("post", "rest/job-execution", TRIGGER, query=ONE),
    datameer("post", "rest/job-execution/", TRIGGER, query=ONE),
    datameer("post", "rest/job-execution/sequential", TRIGGER, query=ONE),
    datameer("get", "rest/job-execution/job-details/<str:execution>", SEE),
    datameer("post", "rest/job-execution/job-kill/<str:execution>", EDIT),
    datameer("delete", "rest/data/<str:execution>", EDIT, state=State.FAILED),
    datameer("get", "api/job-execution/<path:file>/status", SEE),
    datameer("post", "api/job-execution/<path:file>", TRIGGER),
    datameer("put", "api/job-execution/<path:file>", TRIGGER),
    datameer("delete", "api/job-execution/<path:file>", EDIT),
]

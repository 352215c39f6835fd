"""Who may do what through the Datameer face."""

from typing import Any

from jobs.models import JobExecution
from jobs.states import State
from tests.vendors.rights import EDIT, LOGGED_IN, SEE, TRIGGER, Need, Row
from vendors.models import VendorDocument


def datameer(method: str, route: str, need: Need, status: int = 200, query: str = "", **more: Any) -> Row:
    path = route.replace("<str:configuration>", "{job.pk}").replace("<path:file>", "{job.uuid}")
    path = "/" + path.replace("<str:execution>", "{execution.pk}").replace("<str:connection>", "7") + query
    return Row(method=method, route=route, need=need, path=path, status=status, **more)


NOTHING = {"runner": "fail", "spec": {"message": "there is nothing to do"}}
DOCUMENT = {"file": {"path": "/Data/made"}}
CONNECTION = {
    "file": {"path": "/Data/made.dst"},
    "properties": {"key.connectionUrl": ["jdbc:postgresql://db.example/x"]},
}


def of_kind(kind: str) -> dict[str, Any]:
    return {"kind": kind, "actions": [NOTHING]}


def connection(execution: JobExecution) -> None:
    """A connection with the id 7."""
    body = {"document": "{}", "description": "", "uuid": "", "url": "", "user": None, "secret": "", "reason": "none"}
    VendorDocument.objects.create(
        pk=7, face="datameer", kind="connection", project=execution.project, key="/Data/made.dst", body=body
    )


def configurations(word: str, kind: str) -> list[Row]:
    one = f"rest/{word}/<str:configuration>"
    return [
        datameer("get", f"rest/{word}", LOGGED_IN),
        datameer("post", f"rest/{word}", EDIT, body=DOCUMENT),
        datameer("get", one, SEE, job=of_kind(kind)),
        datameer("put", one, EDIT, job=of_kind(kind), body=DOCUMENT),
        datameer("delete", one, EDIT, job=of_kind(kind)),
    ]


def of_connection(method: str, need: Need, **more: Any) -> Row:
    """Connections are looked up in one's own project: there is none for a stranger."""
    route = "rest/connections/<str:connection>"
    return datameer(method, route, need, prepare=connection, stranger=404, **more)


ONE = "?configuration={job.pk}"
ROWS = [
    datameer("get", "rest/job-configuration/job-status/<str:configuration>", SEE),
    datameer("get", "rest/job-configuration/job-history/<str:configuration>", SEE),
    datameer("get", "rest/job-configuration/volume-report/<str:configuration>", SEE),
    datameer("get", "rest/jobs/list-running", LOGGED_IN),
    datameer("post", "rest/job-execution", TRIGGER, query=ONE),
    datameer("post", "rest/job-execution/sequential", TRIGGER, query=ONE),
    datameer("get", "rest/job-execution/job-details/<str:execution>", SEE),
    datameer("post", "rest/job-execution/job-kill/<str:execution>", EDIT),
    datameer("delete", "rest/data/<str:execution>", EDIT, state=State.FAILED),
    datameer("get", "rest/data/import-job/<str:configuration>", SEE, job=of_kind("ingestion")),
    datameer("get", "rest/data/workbook/<str:configuration>", SEE),
    datameer("get", "rest/license-details", LOGGED_IN),
    datameer("get", "rest/dashboard", LOGGED_IN),
    datameer("get", "rest/infographics", LOGGED_IN),
    *configurations("import-job", "ingestion"),
    *configurations("export-job", "export"),
    *configurations("export-jobs", "export"),
    *configurations("workbook", "workbook"),
    datameer("get", "rest/connections", LOGGED_IN),
    datameer("post", "rest/connections", EDIT, body=CONNECTION),
    of_connection("get", SEE),
    of_connection("put", EDIT, body=CONNECTION),
    of_connection("delete", EDIT),
    datameer("post", "api/workbooks", EDIT, body=DOCUMENT),
    datameer("get", "api/workbooks/<path:file>", SEE),
    datameer("get", "api/job-execution/<path:file>/status", SEE),
    datameer("post", "api/job-execution/<path:file>", TRIGGER),
    datameer("put", "api/job-execution/<path:file>", TRIGGER),
    datameer("delete", "api/job-execution/<path:file>", EDIT),
]

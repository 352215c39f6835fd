"""Who may do what through the Freezer face. Somebody else's project is forbidden, whether it is there or not.

The jobs here use a privileged runner: changing them needs an admin.
"""

from typing import Any

from tests.vendors.freezer.making import BACKUP, shown_here
from tests.vendors.rights import ADMIN, ANYBODY, EDIT, LOGGED_IN, SEE, TRIGGER, Need, Row

ROUTE = "<scope:scope>/{}"
JOB = {"client_id": "shop", "job_actions": [{"freezer_action": BACKUP}]}


def freezer(method: str, route: str, need: Need, status: int = 200, path: str = "", **more: Any) -> Row:
    path = f"/v2/{{project.uuid.hex}}/{path or route}"
    more = {"prepare": shown_here, "stranger": 403, **more}
    return Row(method=method, route=ROUTE.format(route), need=need, path=path, status=status, **more)


def job(method: str, route: str, need: Need, status: int = 200, **more: Any) -> Row:
    path = route.replace("<str:job_id>", "{job.key}")
    return freezer(method, route, need, status, path=path, **more)


ONE = "jobs/<str:job_id>"
ROWS = [
    Row(method="get", route="", path="/freezer/", need=ANYBODY, status=300),
    Row(method="get", route="v1", path="/v1", need=LOGGED_IN),
    Row(method="get", route="v2", path="/v2", need=LOGGED_IN),
    Row(method="get", route="healthcheck", path="/healthcheck", need=ANYBODY),
    freezer("get", "jobs", SEE),
    freezer("post", "jobs", EDIT, 201, body=JOB),
    job("get", ONE, SEE),
    job("patch", ONE, ADMIN, body={"description": "new"}),
    job("post", ONE, ADMIN, 201, body=JOB),
    job("delete", ONE, EDIT, 204),
    job("post", f"{ONE}/event", TRIGGER, 202, body={"start": None}),
    freezer("get", "clients", SEE),
    freezer("post", "clients", EDIT, 201, body={"client_id": "mill"}),
    freezer("get", "clients/<str:client_id>", SEE, path="clients/shop"),
    freezer("delete", "clients/<str:client_id>", EDIT, 204, path="clients/shop"),
]

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
ACTION = "actions/<str:action_id>"
SESSION = {"schedule": {}}
ONE_SESSION = "sessions/<str:session_id>"
OF_SESSION = f"{ONE_SESSION}/jobs/<str:job_id>"
STARTS = {"start": {"job_id": "{job.key}", "current_tag": 0}}
MADE = {"backup_name": "bk", "container": "/srv/store", "hostname": "shop"}
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
    freezer("get", "actions", SEE),
    freezer("post", "actions", EDIT, 201, body={"freezer_action": BACKUP}),
    freezer("get", ACTION, SEE, path="actions/wash"),
    freezer("patch", ACTION, EDIT, path="actions/wash", body={"freezer_action": {"action": "restore"}}),
    freezer("post", ACTION, EDIT, 201, path="actions/wash", body={"freezer_action": BACKUP}),
    freezer("delete", ACTION, EDIT, 204, path="actions/wash"),
    freezer("get", "sessions", SEE),
    freezer("post", "sessions", EDIT, 201, body=SESSION),
    freezer("get", ONE_SESSION, SEE, path="sessions/night"),
    freezer("patch", ONE_SESSION, EDIT, path="sessions/night", body={"description": "new"}),
    freezer("post", ONE_SESSION, EDIT, 201, path="sessions/night", body=SESSION),
    freezer("delete", ONE_SESSION, EDIT, 204, path="sessions/night"),
    freezer("put", OF_SESSION, EDIT, 204, path="sessions/night/jobs/{job.key}"),
    freezer("delete", OF_SESSION, EDIT, 204, path="sessions/night/jobs/{job.key}"),
    freezer("post", f"{ONE_SESSION}/action", TRIGGER, 202, path="sessions/night/action", body=STARTS),
    freezer("get", "backups", SEE),
    freezer("post", "backups", TRIGGER, 201, body=MADE),
    freezer("get", "backups/<str:backup_id>", SEE, path="backups/one"),
    freezer("patch", "backups/<str:backup_id>", TRIGGER, path="backups/one", body={"status": "deleting"}),
    freezer("delete", "backups/<str:backup_id>", TRIGGER, 204, path="backups/one"),
]

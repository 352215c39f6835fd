"""Who may do what through the native face. The jobs here use a privileged runner: defining them needs an admin."""

from typing import Any

from jobs.states import State
from tests.conftest import NOOP
from tests.vendors.rights import ADMIN, EDIT, LOGGED_IN, SEE, TRIGGER, Need, Row


def native(method: str, route: str, need: Need, status: int = 200, **more: Any) -> Row:
    path = route.replace("<path:ref>", "{job.pk}").replace("projects/<str:ref>", "projects/alpha")
    path = "/hub/v1/" + path.replace("<str:ref>", "{execution.pk}")
    return Row(method=method, route=route, need=need, path=path, status=status, **more)


DOCUMENT = {"name": "made", "actions": [NOOP]}
ONE = "executions/<str:ref>"
ROWS = [
    native("get", "", LOGGED_IN),
    native("get", "schema", LOGGED_IN),
    native("get", "me", LOGGED_IN),
    native("get", "nodes", LOGGED_IN),
    native("get", "projects", LOGGED_IN),
    native("get", "projects/<str:ref>", SEE),
    native("get", "archives", LOGGED_IN),
    native("get", "audit", ADMIN),
    native("get", "jobs", LOGGED_IN),
    native("post", "jobs", ADMIN, 201, body=DOCUMENT),
    native("get", "jobs/<path:ref>", SEE),
    native("put", "jobs/<path:ref>", ADMIN, body=DOCUMENT),
    native("patch", "jobs/<path:ref>", ADMIN, body={"description": "new"}),
    native("delete", "jobs/<path:ref>", EDIT, 204),
    native("post", "jobs/<path:ref>/trigger", TRIGGER, 202),
    native("post", "jobs/<path:ref>/hold", EDIT),
    native("post", "jobs/<path:ref>/release", EDIT),
    native("get", "executions", LOGGED_IN),
    native("post", "executions/abort", EDIT, body={"all": True, "project": "alpha"}),
    native("get", ONE, SEE),
    native("delete", ONE, EDIT, 204, state=State.FAILED),
    native("get", f"{ONE}/output", SEE),
    native("get", f"{ONE}/actions", SEE),
    native("get", f"{ONE}/faces", SEE),
    native("post", f"{ONE}/abort", EDIT),
    native("post", f"{ONE}/pause", EDIT, 409, state=State.RUNNING),
    native("post", f"{ONE}/resume", EDIT, state=State.PAUSED),
    native("post", f"{ONE}/retry", EDIT, 202, state=State.FAILED),
]

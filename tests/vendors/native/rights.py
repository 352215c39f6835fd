"""Who may do what through the native face. The jobs here use a privileged runner: defining them needs an admin."""

from typing import Any

from jobs.models import Delivery, Node, Subscription
from jobs.states import State
from tests.conftest import NOOP
from tests.vendors.rights import ADMIN, EDIT, LOGGED_IN, ROOT, SEE, TRIGGER, Need, Row


def native(method: str, route: str, need: Need, status: int = 200, **more: Any) -> Row:
    path = route.replace("<path:ref>", "{job.pk}").replace("projects/<str:ref>", "projects/alpha")
    path = path.replace("<str:name>", "1")
    path = "/hub/v1/" + path.replace("<str:ref>", "{execution.pk}")
    return Row(method=method, route=route, need=need, path=path, status=status, **more)


def of_north(method: str, route: str, need: Need, **more: Any) -> Row:
    """Of a node, which belongs to no project."""
    path = f"/hub/v1/{route.replace('<str:ref>', 'north')}"
    return Row(method=method, route=route, need=need, path=path, prepare=_add_north, **more)


def _add_north(_execution: Any) -> None:
    Node.objects.create(name="north", workers=2)


def told(method: str, route: str, need: Need, status: int = 200, **more: Any) -> Row:
    """Of a subscription of `alpha`, or of the delivery to it."""
    ref = "{execution.hook.pk}" if route.startswith("subscriptions") else "{execution.told.pk}"
    path = f"/hub/v1/{route.replace('<str:ref>', ref)}"
    return Row(method=method, route=route, need=need, path=path, status=status, prepare=_tell, **more)


def _tell(execution: Any) -> None:
    whose = {"project": execution.project}
    hook = Subscription.objects.create(channel="webhook", target="https://x.example.org/", events="failed", **whose)
    told = Delivery.objects.create(execution=execution, subscription=hook, next_at=None, **whose)
    execution.hook, execution.told = hook, told


DOCUMENT = {"name": "made", "actions": [NOOP]}
ONE = "executions/<str:ref>"
SCHEDULE = "jobs/<path:ref>/schedules/<str:name>"
NIGHTLY = {"schedules": [{"cron": "0 0 * * *"}]}
SLOT = {"slot_at": "2098-01-01T00:00:00Z"}
ROWS = [
    native("get", "", LOGGED_IN),
    native("get", "schema", LOGGED_IN),
    native("get", "me", LOGGED_IN),
    native("get", "nodes", LOGGED_IN),
    of_north("get", "nodes/<str:ref>", LOGGED_IN),
    of_north("patch", "nodes/<str:ref>", ROOT, body={"labels": ["gpu"]}),
    of_north("post", "nodes/<str:ref>/drain", ROOT, body={"reason": "disk"}),
    of_north("post", "nodes/<str:ref>/undrain", ROOT),
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
    native("get", "jobs/<path:ref>/schedules", SEE),
    native("post", f"{SCHEDULE}/pause", EDIT, job=NIGHTLY),
    native("post", f"{SCHEDULE}/release", EDIT, job=NIGHTLY),
    native("post", f"{SCHEDULE}/skip", EDIT, job=NIGHTLY, body=SLOT),
    native("post", f"{SCHEDULE}/move", EDIT, job=NIGHTLY, body={**SLOT, "to": "2098-01-02T00:00:00Z"}),
    native("post", f"{SCHEDULE}/run", TRIGGER, 202, job=NIGHTLY, body=SLOT),
    native("post", f"{SCHEDULE}/reinstate", EDIT, job=NIGHTLY, body=SLOT),
    native("get", "planned", LOGGED_IN),
    native("get", "executions", LOGGED_IN),
    native("post", "executions/abort", EDIT, body={"all": True, "project": "alpha"}),
    native("post", "executions/retry", EDIT, body={"all": True, "project": "alpha"}),
    native("get", ONE, SEE),
    native("delete", ONE, EDIT, 204, state=State.FAILED),
    native("get", f"{ONE}/output", SEE),
    native("get", f"{ONE}/actions", SEE),
    native("get", f"{ONE}/faces", SEE),
    native("post", f"{ONE}/abort", EDIT),
    native("post", f"{ONE}/keep", EDIT),
    native("post", f"{ONE}/unkeep", EDIT),
    native("post", f"{ONE}/pause", EDIT, 409, state=State.RUNNING),
    native("post", f"{ONE}/resume", EDIT, state=State.PAUSED),
    native("get", "subscriptions", LOGGED_IN),
    native("post", "subscriptions", EDIT, 201, body={"webhook": "https://hooks.example.org/"}),
    told("get", "subscriptions/<str:ref>", SEE),
    told("patch", "subscriptions/<str:ref>", EDIT, body={"enabled": False}),
    told("delete", "subscriptions/<str:ref>", EDIT, 204),
    native("get", "deliveries", LOGGED_IN),
    told("get", "deliveries/<str:ref>", SEE),
    told("post", "deliveries/<str:ref>/replay", EDIT, 202),
    native("post", f"{ONE}/retry", EDIT, 202, state=State.FAILED),
]

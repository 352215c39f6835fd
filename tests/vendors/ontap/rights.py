"""Who may do what through the cluster's face."""

from typing import Any

from jobs.states import State
from tests.vendors.rights import EDIT, LOGGED_IN, SEE, TRIGGER, Need, Row

UNKNOWN = "00000000-0000-4000-8000-000000000000"
JOBS = "api/cluster/jobs"
ONE = f"{JOBS}/<str:uuid>"


def ontap(method: str, route: str, need: Need, path: str = "", **more: Any) -> Row:
    return Row(method=method, route=route, need=need, path=f"/{path or route}", **more)


ROWS = [
    ontap("get", "api/cluster", LOGGED_IN),
    ontap("get", "api/cluster/nodes", LOGGED_IN),
    ontap("get", "api/cluster/nodes/<str:uuid>", LOGGED_IN, f"api/cluster/nodes/{UNKNOWN}", status=404),
    ontap("get", "api/svm/svms", LOGGED_IN),
    ontap("get", "api/svm/svms/<str:uuid>", SEE, "api/svm/svms/{project.uuid}"),
    ontap("get", JOBS, LOGGED_IN),
    ontap("patch", JOBS, EDIT, JOBS + "?uuid={execution.uuid}&action=cancel", stranger=200),
    ontap("get", ONE, SEE, JOBS + "/{execution.uuid}"),
    ontap("patch", ONE, EDIT, JOBS + "/{execution.uuid}?action=cancel", state=State.RUNNING),
    ontap("get", f"{ONE}/<path:surplus>", LOGGED_IN, JOBS + f"/{UNKNOWN}/more", status=404),
    ontap(
        "post",
        "api/jobhub/jobs/<path:ref>/trigger",
        TRIGGER,
        "api/jobhub/jobs/{job.uuid}/trigger",
        status=202,
    ),
    ontap("get", "api", LOGGED_IN, status=404),
    ontap("get", "api/<path:rest>", LOGGED_IN, "api/storage/volumes", status=404),
]

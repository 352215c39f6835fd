"""An execution as the cluster's job."""

from jobs.models import JobExecution
from vendors.ontap.jobs import JOBS, ROWS
from vendors.ontap.window import is_shown
from vendors.wire.vendor import Seen


def seen(execution: JobExecution) -> Seen | None:
    if not is_shown(execution.finished_at):
        return None
    uuid = str(execution.uuid)
    body = JOBS.record(ROWS.read(execution.pk), JOBS.usual, "/")
    return Seen(id=uuid, path=f"{JOBS.path}/{uuid}", body=body)

"""An execution as the agent's job."""

from urllib.parse import quote

from jobs.models import JobExecution
from vendors.models import Hidden
from vendors.vertica.shapes import with_output
from vendors.vertica.vendor import VENDOR, enveloped
from vendors.wire.vendor import Seen


def seen(execution: JobExecution) -> Seen | None:
    if Hidden.objects.filter(face=VENDOR.name, execution=execution).exists():
        return None
    handle = execution.handle
    body = enveloped(with_output(vars(execution)), f"/jobs/{handle}", kind="job")
    return Seen(id=handle, path=f"jobs/{quote(handle)}", body=body)

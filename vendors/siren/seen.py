"""An execution as the connector shows it: its job's status while that is this run, else an entry of the log."""

from urllib.parse import quote, urlencode

from jobs.models import JobExecution
from vendors.siren.current import read_current
from vendors.siren.shapes import hits, job_json, log_json
from vendors.wire.times import epoch_millis
from vendors.wire.vendor import Seen

JOBS = "_siren/connector/jobs"


def seen(execution: JobExecution) -> Seen:
    row = vars(execution)
    name, kind = execution.job_name, execution.kind
    current = read_current(kind, name, execution.project_id)
    if current and current["id"] == execution.pk:
        return Seen(id=name, path=f"{JOBS}/{quote(kind)}/{quote(name)}", body=job_json(row))
    at = epoch_millis(execution.started_at or execution.queued_at)
    query = urlencode({"type": kind, "id": name, "start_time_from": at, "start_time_to": at})
    entry = log_json(row)
    return Seen(id=entry["_id"], path=f"{JOBS}/_search?{query}", body=hits(1, [entry]))

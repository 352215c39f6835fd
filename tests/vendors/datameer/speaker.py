"""How the contract suite speaks to the Datameer face."""

import re
from typing import Any

from jobs.states import ACTIVE
from tests.vendors.contract.speaker import Call, Speaker

MEDIUM = re.compile(r"[A-Z][a-z]{2} [1-9]\d?, \d{4} [1-9]\d?:\d\d:\d\d [AP]M", re.ASCII)


def is_time(value: Any) -> bool:
    return isinstance(value, str) and MEDIUM.fullmatch(value) is not None


SPEAKER = Speaker(
    one=lambda execution: f"/api/job-execution/{execution.job_id}/status",
    id_of=lambda execution: str(execution.pk),
    id_in=lambda body: str(body["job-execution-id"]),
    word_in=lambda body: body["job-status"],
    times_in=lambda body: [body["start-time"], body["stop-time"]],
    is_time=is_time,
    all=lambda: "/rest/jobs/list-running",
    ids_in=lambda body: [str(row["id"]) for row in body],
    listed=ACTIVE,
    unknown="/api/job-execution/999999/status",
    no_route=("/rest/nonsense", "/rest/job-configuration/nonsense/1", "/rest/data/nonsense/1"),
    wrong_method=Call("put", "/rest/jobs/list-running"),
    trigger=lambda job: Call("post", f"/rest/job-execution?configuration={job.pk}"),
    malformed=Call("post", "/rest/import-job"),
    abort=lambda execution: Call("post", f"/rest/job-execution/job-kill/{execution.pk}"),
)

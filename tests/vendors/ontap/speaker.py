"""How the contract suite speaks to the cluster's face."""

import re
from typing import Any

from tests.vendors.contract.speaker import Call, Speaker
from tests.vendors.ontap.rights import UNKNOWN

JOBS = "/api/cluster/jobs"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


def is_time(value: Any) -> bool:
    return isinstance(value, str) and TIME.fullmatch(value) is not None


SPEAKER = Speaker(
    one=lambda execution: f"{JOBS}/{execution.uuid}",
    id_of=lambda execution: str(execution.uuid),
    id_in=lambda body: body["uuid"],
    word_in=lambda body: body["state"],
    times_in=lambda body: [body["start_time"], body["end_time"]],
    is_time=is_time,
    all=lambda: f"{JOBS}?fields=*",
    ids_in=lambda body: [record["uuid"] for record in body["records"]],
    unknown=f"{JOBS}/{UNKNOWN}",
    no_route=("/api/storage/volumes", "/api", "/api/", "/ontap/api/nonsense", "/ontap/nonsense"),
    wrong_method=Call("post", JOBS),
    trigger=lambda job: Call("post", f"/api/jobhub/jobs/{job.name}/trigger", {}),
    triggered=202,
    abort=lambda execution: Call("patch", f"{JOBS}/{execution.uuid}?action=cancel", {}),
    abort_of_ended=409,
    malformed=Call("post", "/api/jobhub/jobs/nightly/db/trigger"),
)

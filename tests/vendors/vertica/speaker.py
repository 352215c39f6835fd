"""How the contract suite speaks to the agent's face."""

import re
from typing import Any
from urllib.parse import quote

from tests.vendors.contract.speaker import Call, Speaker
from vendors.vertica.vendor import COMPLETE, RUNNING


def is_time(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{10}\.\d\d", value) is not None


SPEAKER = Speaker(
    job={"kind": "backup"},
    one=lambda execution: f"/jobs/{quote(execution.handle)}",
    id_of=lambda execution: execution.handle,
    id_in=lambda body: body["body"]["id"],
    word_in=lambda body: RUNNING if body["body"]["is_running"] else COMPLETE,
    times_in=lambda body: [body["body"]["ts"]],
    is_time=is_time,
    all=lambda: "/jobs",
    ids_in=lambda body: [job["id"] for job in body["body"]],
    unknown="/jobs/CreateBackup-VMart-1405012447.75",
    no_route=("/jobs/a/b", "/nodes", "/vertica/nonsense"),
    wrong_method=Call("put", "/jobs"),
    trigger=lambda job: Call("post", f"/backups/{job.name}"),
    abort=lambda execution: Call("delete", f"/jobs/{quote(execution.handle)}"),
    malformed=Call("post", "/backups/nightly/db"),
)

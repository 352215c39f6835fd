"""How the contract suite speaks to the native face."""

from datetime import datetime
from typing import Any

from tests.vendors.contract.speaker import Call, Speaker

HUB = "/hub/v1"


def is_time(value: Any) -> bool:
    return isinstance(value, str) and value.endswith("Z") and datetime.fromisoformat(value).tzinfo is not None


SPEAKER = Speaker(
    one=lambda execution: f"{HUB}/executions/{execution.pk}",
    id_of=lambda execution: str(execution.pk),
    id_in=lambda body: str(body["id"]),
    word_in=lambda body: body["state"],
    times_in=lambda body: [body["queued_at"], body["started_at"], body["finished_at"]],
    is_time=is_time,
    all=lambda: f"{HUB}/executions",
    ids_in=lambda body: [str(row["id"]) for row in body["results"]],
    unknown=f"{HUB}/executions/999999",
    no_route=(f"{HUB}/nonsense", f"{HUB}/executions/1/nonsense"),
    wrong_method=Call("put", f"{HUB}/executions"),
    trigger=lambda job: Call("post", f"{HUB}/jobs/{job.pk}/trigger", {}),
    triggered=202,
    abort=lambda execution: Call("post", f"{HUB}/executions/{execution.pk}/abort"),
    abort_of_ended=409,
    malformed=Call("post", f"{HUB}/jobs"),
)

"""How the contract suite speaks to the connector."""

from typing import Any

from jobs.states import FINAL
from tests.vendors.contract.speaker import Call, Speaker

CONNECTOR = "/_siren/connector"
JOBS = f"{CONNECTOR}/jobs"


def is_time(value: Any) -> bool:
    return type(value) is int and len(str(value)) == 13


SPEAKER = Speaker(
    job={"kind": "ingestion"},
    one=lambda execution: f"{JOBS}/{execution.kind}/{execution.job_name}",
    id_of=lambda execution: execution.job_name,
    id_in=lambda body: body["_id"],
    word_in=lambda body: body["status"]["state"],
    times_in=lambda body: [body["status"]["start_time"], body["status"]["end_time"]],
    is_time=is_time,
    all=lambda: f"{JOBS}/_search",
    ids_in=lambda body: [status["id"] for hit in body["hits"]["hits"] for status in hit["_source"].values()],
    listed=FINAL,
    unknown=f"{JOBS}/ingestion/nonsense",
    no_route=(CONNECTOR, f"{JOBS}/_nonsense", "/_siren/x?a=1", "/siren/nonsense"),
    wrong_method=Call("put", f"{JOBS}/_search"),
    trigger=lambda job: Call("post", f"{CONNECTOR}/ingestion/{job.name}/_run"),
    abort=lambda execution: Call("post", f"{JOBS}/{execution.kind}/{execution.job_name}/_abort"),
    malformed=Call("put", f"{CONNECTOR}/ingestion/made"),
)

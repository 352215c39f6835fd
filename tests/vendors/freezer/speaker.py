"""How the contract suite speaks to the Freezer face."""

from typing import Any

from jobs.models import Job, JobExecution
from tests.vendors.contract.speaker import Call, Speaker
from tests.vendors.freezer.making import make_freezer, make_node
from vendors.wire.problems import Kind


def jobs(job: Job) -> str:
    return f"/v2/{job.project.uuid.hex}/jobs"


def job_of(execution: JobExecution) -> Job:
    assert execution.job is not None
    return execution.job


def one(execution: JobExecution) -> str:
    return f"{jobs(job_of(execution))}/{job_of(execution).key}"


def event(job: Job, word: str) -> Call:
    return Call("post", f"{jobs(job)}/{job.key}/event", {word: None})


def prepare(job: Job) -> None:
    make_node()
    make_freezer(job)


def is_time(value: Any) -> bool:
    return type(value) is int and (value == -1 or value > 1_700_000_000)


SPEAKER = Speaker(
    prepare=prepare,
    one=one,
    id_of=lambda execution: job_of(execution).key,
    id_in=lambda body: body["job_id"],
    word_in=lambda body: body["job_schedule"]["status"],
    times_in=lambda body: [body["job_schedule"][name] for name in ("time_started", "time_ended")],
    is_time=is_time,
    all=lambda: "/v2/alpha/jobs?limit=100",
    ids_in=lambda body: [row["job_id"] for row in body["jobs"]],
    unknown="/v2/alpha/jobs/999999",
    foreign=Kind.FORBIDDEN,
    no_route=("/v2/alpha/nope", "/v1/nope", "/v2/alpha/jobs/1/nope", "/freezer/nope"),
    wrong_method=Call("put", "/v2/alpha/jobs"),
    trigger=lambda job: event(job, "start"),
    triggered=202,
    abort=lambda execution: event(job_of(execution), "abort"),
    aborted=202,
    abort_of_ended=202,
    malformed=Call("post", "/v2/alpha/jobs"),
)

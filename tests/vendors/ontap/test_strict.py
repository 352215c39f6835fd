"""All that this face sends, and what was recorded, decoded by a consumer as strict as a Go client."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import Job
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.ontap import strict
from tests.vendors.ontap.conftest import JOBS
from tests.vendors.ontap.rights import UNKNOWN
from tests.vendors.ontap.test_golden import RECORDED_ERRORS, RECORDED_JOBS

QUERIES = [
    "",
    "fields=*",
    "fields=**",
    "fields=state",
    "fields=error",
    "fields=svm.name,code",
    "fields=message%2Cstate",
]
REFUSED = [
    ("get", f"{JOBS}/{UNKNOWN}"),
    ("get", f"{JOBS}/1"),
    ("get", f"{JOBS}?nonsense=1"),
    ("get", f"{JOBS}?fields=nonsense"),
    ("get", f"{JOBS}?state"),
    ("get", f"{JOBS}?max_records=x"),
    ("post", JOBS),
    ("patch", f"{JOBS}?action=cancel"),
    ("get", "/api/nonsense"),
]


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns", "Asia/Kathmandu"])
@pytest.mark.parametrize("state", State)
def test_every_job_is_decoded(
    state: State, zone: str, client: APIClient, make_execution: MakeExecution, settings: Any
) -> None:
    run = make_execution(state=state, exit_code=3 if state is State.FAILED else None)
    settings.TIME_ZONE = zone
    answers = [client.get(f"{JOBS}/{run.uuid}?{query}").json() for query in QUERIES]
    for answer in [*answers, *client.get(f"{JOBS}?fields=**").json()["records"]]:
        strict.job(answer)

    assert [answer["uuid"] for answer in answers] == [str(run.uuid)] * len(QUERIES)


def test_collections_are_decoded(client: APIClient, make_execution: MakeExecution) -> None:
    for state in State:
        make_execution(state=state)
    first = client.get(f"{JOBS}?max_records=3&fields=**&order_by=end_time").json()
    second = client.get(first["_links"]["next"]["href"]).json()
    for body in (first, second, client.get(f"{JOBS}?return_records=false").json()):
        strict.COLLECTION(body, "collection")

    assert (first["num_records"], second["num_records"]) == (3, 3)


def test_a_trigger_is_decoded(client: APIClient, make_job: MakeJob) -> None:
    job: Job = make_job()
    body = client.post(f"/api/jobhub/jobs/{job.uuid}/trigger").json()
    strict.ACCEPTED(body, "accepted")
    strict.job(client.get(body["job"]["_links"]["self"]["href"]).json())


@pytest.mark.parametrize(("method", "path"), REFUSED)
def test_refusals_are_decoded(method: str, path: str, client: APIClient) -> None:
    body = getattr(client, method)(path).json()
    strict.REFUSAL(body, "refusal")

    assert list(body["error"])[:2] == ["message", "code"]


def test_the_recorded_answers_are_decoded_as_well() -> None:
    for recorded in RECORDED_JOBS:
        strict.job(recorded["body"])
    for recorded in RECORDED_ERRORS:
        strict.REFUSAL(recorded["body"], "refusal")

    assert len(RECORDED_JOBS) + len(RECORDED_ERRORS) > 30


@pytest.mark.parametrize(
    "text",
    [
        '{"state": "cancelled"}',
        '{"code": "0"}',
        '{"code": 4.0}',
        '{"code": true}',
        '{"code": null}',
        '{"message": ""}',
        '{"start_time": "2026-11-22T08:00:00"}',
        '{"start_time": "2026-11-22 08:00:00+00:00"}',
        '{"start_time": "2026-11-22T08:00:00+0000"}',
        '{"state": "failure", "message": "no", "code": 0}',
        '{"message": "no", "code": 4, "error": {"message": "no", "code": 4}}',
        '{"message": "no", "code": 4, "error": {"message": "other", "code": "4"}}',
        '{"extra": 1}',
    ],
)
def test_the_consumer_is_strict(text: str) -> None:
    with pytest.raises(strict.Undecodable):
        strict.job(json.loads(text))

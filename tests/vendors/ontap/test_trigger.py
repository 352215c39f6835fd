"""`POST /api/jobhub/jobs/{name}/trigger`: JobHub's own call, answered as ONTAP answers what takes time."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.engine import verbs
from jobs.engine.rights import Actor
from jobs.models import Job, JobExecution, Level, User
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.ontap.conftest import JOBS, error


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("nightly/db", params={"level": 1})


def url(ref: object) -> str:
    return f"/api/jobhub/jobs/{ref}/trigger"


def start(client: APIClient, ref: object = "nightly/db", body: Any = None, **headers: str) -> Any:
    return client.post(url(ref), {} if body is None else body, format="json", headers=headers)


# -- it works ----------------------------------------------------------------------------------------------------------
def test_the_link_of_a_job(client: APIClient, job: Job) -> None:
    response = start(client)
    uuid = str(JobExecution.objects.get().uuid)

    assert response.status_code == 202
    assert response.json() == {"job": {"uuid": uuid, "_links": {"self": {"href": f"{JOBS}/{uuid}"}}}}


def test_the_link_is_there_in_plain_json_too(client: APIClient, job: Job) -> None:
    response = start(client, Accept="application/json")

    assert response.headers["Content-Type"] == "application/json"
    assert client.get(response.json()["job"]["_links"]["self"]["href"]).json()["state"] == "queued"


@pytest.mark.parametrize("ref", ["nightly/db", "nightly%2Fdb", "{job.uuid}", "{job.pk}"])
def test_a_job_by_any_of_its_names(ref: str, client: APIClient, job: Job) -> None:
    assert start(client, ref.format(job=job)).status_code == 202


def test_params_go_over_those_of_the_job(client: APIClient, job: Job) -> None:
    start(client, body={"params": {"target": "x"}})

    assert JobExecution.objects.get().params == {"level": 1, "target": "x"}


@pytest.mark.parametrize("query", ["return_timeout=0", "return_timeout=120", "return_records=true"])
def test_what_clients_ask_along(query: str, client: APIClient, job: Job) -> None:
    assert client.post(f"{url('nightly/db')}?{query}").status_code == 202


def test_no_body_is_needed(client: APIClient, job: Job) -> None:
    assert client.generic("POST", url("nightly/db"), b"", content_type="").status_code == 202


def test_the_same_idempotency_key_gives_the_same_job(client: APIClient, job: Job) -> None:
    first, second = (start(client, **{"Idempotency-Key": "tonight"}).json() for _ in range(2))

    assert first == second
    assert JobExecution.objects.count() == 1


def test_links_stay_below_the_mount_that_was_asked(client: APIClient, job: Job) -> None:
    href = client.post(f"/ontap{url('nightly/db')}").json()["job"]["_links"]["self"]["href"]

    assert href.startswith(f"/ontap{JOBS}/")


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_restricted_key_may(client_of: ClientOf, rita: User, job: Job) -> None:
    assert start(client_of(rita, Level.RESTRICTED)).status_code == 202


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ref", ["nothing", "00000000-0000-4000-8000-000000000000", "999999", "%00"])
def test_an_unknown_job(ref: str, client: APIClient, job: Job) -> None:
    wanted = {"message": "entry doesn't exist", "code": "4", "target": "name"}

    assert error(start(client, ref)) == (404, wanted)


def test_a_foreign_job(client_of: ClientOf, charlie: User, job: Job) -> None:
    assert error(start(client_of(charlie), job.uuid))[1]["code"] == "4"


@pytest.mark.parametrize(
    ("body", "code", "target"),
    [
        ({"nonsense": 1}, "262179", None),
        ({"params": 1}, "2", "params"),
        ({"params": None}, "2", "params"),
        ({"params": []}, "2", "params"),
        ({"params": {"a": []}}, "2", "params.a"),
        ({"params": {"a": "x" * 70000}}, "2", "params"),
        ([], "2", None),
    ],
)
def test_a_bad_body(body: Any, code: str, target: str | None, client: APIClient, job: Job) -> None:
    status, said = error(start(client, body=body))

    assert (status, said["code"], said.get("target")) == (400, code, target)
    assert not JobExecution.objects.exists()


@pytest.mark.parametrize(("query", "code"), [("nonsense=1", "262179"), ("return_timeout=121", "2"), ("x", "262248")])
def test_a_bad_parameter(query: str, code: str, client: APIClient, job: Job) -> None:
    assert error(client.post(f"{url('nightly/db')}?{query}"))[1]["code"] == code


def test_a_job_on_hold(client: APIClient, job: Job, op: Actor) -> None:
    verbs.hold(job, actor=op, reason="disk is being replaced")
    status, said = error(start(client))

    assert (status, said["code"]) == (409, "8")
    assert said["message"] == "the job 'nightly/db' is on hold: disk is being replaced"


def test_a_job_that_runs_already(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    make_execution(make_job("busy", when_active="refuse"))
    status, said = error(start(client, "busy"))

    assert (status, said["code"]) == (409, "8")


def test_a_key_of_idempotency_that_is_too_long(client: APIClient, job: Job) -> None:
    assert error(start(client, **{"Idempotency-Key": "x" * 201}))[1]["target"] == "idempotency_key"

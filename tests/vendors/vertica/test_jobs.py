"""`GET /jobs`, `GET /jobs/:id`, `DELETE /jobs/:id`."""

from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution, Level, Output, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.vertica.conftest import Agent
from vendors.models import Hidden


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("testDB/stop", concurrency_limit=0)


def shown(client: APIClient, execution: JobExecution) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/jobs/{quote(execution.handle)}").json()["body"]
    return body


# -- it works ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "state", "exit_code", "told"),
    [
        ("backup", State.SUCCEEDED, 0, 0),
        ("backup", State.SUCCEEDED, None, 0),
        ("command", State.SUCCEEDED, 0, -9),
        ("backup", State.FAILED, 2, 2),
        ("command", State.FAILED, 3, 3),
        ("command", State.FAILED, None, 1),
        ("command", State.FAILED, -9, 1),
        ("backup", State.FAILED, 0, 1),
        ("command", State.ABORTED, None, 1),
        ("command", State.RUNNING, None, -1),
        ("backup", State.QUEUED, None, -1),
    ],
)
def test_the_exit_code_depends_on_the_kind(
    agent: Agent,
    make_job: MakeJob,
    make_execution: MakeExecution,
    kind: str,
    state: State,
    exit_code: int | None,
    told: int,
) -> None:
    execution = make_execution(make_job("VMart/x", kind=kind), state, exit_code=exit_code)

    assert shown(agent(), execution)["exit_code"] == told


def test_one_job_comes_with_its_output(agent: Agent, job: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(job, State.FAILED, output_seq=2, errors=["node 2 is down", "no route to host"])
    for seq, text in enumerate(["stopping\n", "waiting\n"], start=1):
        Output.objects.create(execution=execution, seq=seq, stream="stdout", text=text)

    assert shown(agent(), execution)["output"] == "stopping\nwaiting\nnode 2 is down\nno route to host\n"


def test_ids_with_blanks_and_colons_are_decoded_once(agent: Agent, job: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(job, State.RUNNING)
    raw = agent().get(f"/jobs/{execution.handle.replace(' ', '%20')}")

    assert " " in execution.handle
    assert raw.json()["href"] == f"/jobs/{execution.handle}"
    assert agent().get(f"/jobs/{execution.handle.replace(' ', '+')}").status_code == 404


def test_the_oldest_comes_first(agent: Agent, job: Job, make_execution: MakeExecution) -> None:
    handles = [make_execution(job, state).handle for state in (State.FAILED, State.RUNNING, State.QUEUED)]

    assert [one["id"] for one in agent().get("/jobs").json()["body"]] == handles


def test_a_deleted_job_is_aborted_and_gone_from_here_only(
    agent: Agent, client_of: ClientOf, alice: User, job: Job, make_execution: MakeExecution
) -> None:
    execution = make_execution(job, State.RUNNING)
    response = agent("normal").delete(f"/jobs/{quote(execution.handle)}")
    execution.refresh_from_db()

    assert response.json() == {"id": execution.handle, "url": f"/jobs/{execution.handle}"}
    assert execution.state == State.ABORTING
    assert agent().get("/jobs").json()["body"] == []
    assert agent().get(f"/jobs/{quote(execution.handle)}").status_code == 404
    assert client_of(alice).get(f"/hub/v1/executions/{execution.pk}").json()["state"] == "aborting"


def test_an_ended_job_is_forgotten_too(agent: Agent, job: Job, make_execution: MakeExecution) -> None:
    path = f"/jobs/{quote(make_execution(job, State.SUCCEEDED).handle)}"

    assert [agent().delete(path).status_code, agent().delete(path).status_code] == [200, 404]
    assert Hidden.objects.count() == 1


def test_it_answers_below_its_own_mount(agent: Agent, job: Job, make_execution: MakeExecution) -> None:
    make_execution(job)

    assert agent().get("/vertica/jobs").content == agent().get("/jobs").content
    assert "/jobs" in agent().get("/vertica/").json()["links"]


def test_repeated_slashes_are_one_without_a_redirect(agent: Agent, job: Job) -> None:
    answers = [agent().get("/", PATH_INFO=path) for path in ("//jobs", "/vertica//jobs", "/hub//v1/me")]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert answers[0].content == answers[1].content == agent().get("/jobs").content


# -- who may -----------------------------------------------------------------------------------------------------------
def test_the_header_is_taken_in_any_case(key_of: Any, alice: User, job: Job) -> None:
    key = key_of(alice, Level.RESTRICTED)
    headers = [{name: key} for name in ("VerticaAPIKey", "VerticaApiKey", "verticaapikey")]

    assert [APIClient().get("/jobs", headers=one).status_code for one in headers] == [200, 200, 200]


@pytest.mark.parametrize("key", ["", "nonsense", "0123456789abcdef.wrong", "\u2603"])
def test_a_wrong_key_is_refused(job: Job, key: str) -> None:
    response = APIClient().get("/jobs", headers={"VerticaAPIKey": key})

    assert (response.status_code, list(response.json())) == (401, ["error"])
    assert response.headers["WWW-Authenticate"].startswith("VerticaAPIKey")


def test_a_restricted_key_deletes_nothing(agent: Agent, job: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(job, State.RUNNING)
    response = agent("restricted").delete(f"/jobs/{quote(execution.handle)}")
    execution.refresh_from_db()

    assert (response.status_code, execution.state) == (403, State.RUNNING)
    assert not Hidden.objects.exists()


# -- edges -------------------------------------------------------------------------------------------------------------
def test_no_more_than_the_newest_thousand_are_listed(
    agent: Agent, job: Job, make_execution: MakeExecution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendors.vertica.views.jobs.TRACKED", 2)
    handles = [make_execution(job, State.FAILED).handle for _ in range(3)]

    assert [one["id"] for one in agent().get("/jobs").json()["body"]] == handles[1:]

"""`GET /rest/job-configuration/job-history/<id>` and `…/volume-report/<id>`: the runs of a job, newest first."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.models import Job
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob

HISTORY = "/rest/job-configuration/job-history"
VOLUMES = "/rest/job-configuration/volume-report"


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("URLS.imp", kind="ingestion")


# -- it works ----------------------------------------------------------------------------------------------------------
def test_the_newest_run_comes_first(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    states = (State.SUCCEEDED, State.FAILED, State.RUNNING, State.QUEUED)
    ids = [make_execution(job, state).pk for state in states]
    make_execution()

    assert client.get(f"{HISTORY}/{job.pk}?start=0&length=10").json() == [
        {"id": ids[3], "jobStatus": "WAITING_FOR_OTHER_JOB"},
        {"id": ids[2], "jobStatus": "RUNNING"},
        {"id": ids[1], "jobStatus": "ERROR"},
        {"id": ids[0], "jobStatus": "COMPLETED"},
    ]


def test_no_run_is_an_empty_list(client: APIClient, job: Job) -> None:
    assert client.get(f"{HISTORY}/{job.pk}").content == b"[]"


def test_ten_runs_come_without_parameters(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    for _ in range(11):
        make_execution(job, State.SUCCEEDED)

    assert [len(client.get(f"{path}/{job.pk}").json()) for path in (HISTORY, VOLUMES)] == [10, 10]


@pytest.mark.parametrize(("query", "wanted"), [("start=1&length=2", [3, 2]), ("start=4", [0]), ("start=9", [])])
def test_a_part_of_them(
    client: APIClient, job: Job, make_execution: MakeExecution, query: str, wanted: list[int]
) -> None:
    ids = [make_execution(job, State.SUCCEEDED).pk for _ in range(5)]
    found = client.get(f"{HISTORY}/{job.pk}?{query}").json()

    assert [run["id"] for run in found] == [ids[number] for number in wanted]


def test_the_id_is_the_only_number_of_a_run(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(job, State.SUCCEEDED, records=77, volume_bytes=88)
    text = client.get(f"{HISTORY}/{job.pk}?start=0&length=1").content.decode()

    assert re.findall("[0-9]+", text) == [str(execution.pk)]


def test_a_volume_report_counts_the_bytes_of_imports(
    client: APIClient, job: Job, make_execution: MakeExecution
) -> None:
    execution = make_execution(job, State.SUCCEEDED, volume_bytes=56765)

    assert client.get(f"{VOLUMES}/{job.pk}").json() == [
        {"id": execution.pk, "jobStatus": "COMPLETED", "importedVolume": 56765, "type": "NORMAL"}
    ]


def test_a_workbook_has_no_imported_volume(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job()
    execution = make_execution(job, State.SUCCEEDED, volume_bytes=56765)

    assert client.get(f"{VOLUMES}/{job.pk}").json() == [
        {"id": execution.pk, "jobStatus": "COMPLETED", "type": "NORMAL"}
    ]


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("query", ["start=-1", "length=x", "length=10001", "start=1.5", "start=", "length=99999999999"])
def test_a_bad_part_is_refused(client: APIClient, job: Job, query: str) -> None:
    response = client.get(f"{HISTORY}/{job.pk}?{query}")

    assert response.status_code == 400
    assert response.json()["error"].startswith(f"{query.partition('=')[0]}: wanted a whole number from 0 to ")


@pytest.mark.parametrize("path", [HISTORY, VOLUMES])
def test_a_foreign_one_is_an_unknown_one(stranger: APIClient, job: Job, path: str) -> None:
    response = stranger.get(f"{path}/{job.pk}")

    assert (response.status_code, response.json()) == (404, {"error": f"there is no job configuration '{job.pk}'"})


# -- its cost ----------------------------------------------------------------------------------------------------------
def test_a_long_history_of_queued_runs_costs_what_a_short_one_does(
    client: APIClient, job: Job, make_execution: MakeExecution
) -> None:
    def n_queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(f"{HISTORY}/{job.pk}")
        return len(asked)

    make_execution(job, State.RUNNING)
    make_execution(job)
    n_queries()
    few = n_queries()
    for _ in range(7):
        make_execution(job)

    assert n_queries() == few <= 10

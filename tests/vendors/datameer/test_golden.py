"""The exchanges of the vendor's pages, compared as whole texts. Only the ids and the name of the user are set aside."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from jobs.models import Job
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob

GOLDEN: dict[str, dict[str, Any]] = {
    one["name"]: one for one in json.loads((Path(__file__).parent / "golden/pages.json").read_text())
}
BEGAN_AT, ENDED_AT = datetime(2018, 9, 28, 18, 44, 56, tzinfo=UTC), datetime(2018, 9, 28, 18, 44, 58, tzinfo=UTC)


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("Data/ImportJobs/URLS.imp", kind="ingestion")


def matches(response: Any, name: str, **own: Any) -> bool:
    """Whether it is the page's text, with these values instead of the page's own."""
    golden = GOLDEN[name]
    assert response.status_code == golden["status"], response.content
    assert not set(own) - set(golden["response"])
    assert response.content.decode() == as_text({**golden["response"], **own})
    return True


def as_text(value: Any) -> str:
    """Pretty, a key a line, as every one of its pages prints it and scripts cut it."""
    return json.dumps(value, indent=2)


# -- V1 ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "state", "n_warnings"),
    [
        ("v1 status running", State.RUNNING, 0),
        ("v1 status completed", State.SUCCEEDED, 0),
        ("v1 status completed with warnings", State.SUCCEEDED, 1),
        ("v1 status error", State.FAILED, 0),
        ("v1 status canceled", State.ABORTED, 0),
    ],
)
def test_a_status(
    client: APIClient, job: Job, make_execution: MakeExecution, name: str, state: State, n_warnings: int
) -> None:
    execution = make_execution(job, state, n_warnings=n_warnings)

    assert matches(client.get(f"/rest/job-configuration/job-status/{job.pk}"), name, id=execution.pk)


def test_the_status_of_a_job_that_was_never_triggered(client: APIClient, job: Job) -> None:
    assert matches(client.get(f"/rest/job-configuration/job-status/{job.pk}"), "v1 status never triggered")


def test_the_history(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    ids = [make_execution(job, State.SUCCEEDED).pk for _ in range(3)]
    wanted = [{**run, "id": pk} for run, pk in zip(GOLDEN["job history"]["response"], reversed(ids), strict=True)]
    response = client.get(f"/rest/job-configuration/job-history/{job.pk}?start=0&length=10")

    assert response.content.decode() == as_text(wanted)


def test_the_volume_report(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    ids = [make_execution(job, State.SUCCEEDED, volume_bytes=volume).pk for volume in (4098, 56765)]
    wanted = [{**run, "id": pk} for run, pk in zip(GOLDEN["volume report"]["response"], reversed(ids), strict=True)]
    response = client.get(f"/rest/job-configuration/volume-report/{job.pk}")

    assert response.content.decode() == as_text(wanted)


def test_the_details(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(
        job,
        State.SUCCEEDED,
        started_at=datetime(2012, 7, 6, 18, 19, 9, tzinfo=UTC),
        finished_at=datetime(2012, 7, 6, 18, 21, 7, tzinfo=UTC),
        records=494400,
        n_dropped=0,
        volume_bytes=23911522,
    )
    counters = {**GOLDEN["job details"]["response"]["counters"], "IMPORT_OUTPUT_BYTES": 23911522}
    response = client.get(f"/rest/job-execution/job-details/{execution.pk}")

    assert matches(response, "job details", counters=counters)


def test_a_trigger(client: APIClient, job: Job) -> None:
    response = client.post(f"/rest/job-execution?configuration={job.pk}")
    own = {"job-execution-id": job.executions.get().pk, "job-execution-user": "alice"}

    assert matches(response, "triggered job", **own)


def test_a_stop(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    response = client.post(f"/rest/job-execution/job-kill/{make_execution(job, State.RUNNING).pk}")

    assert (response.status_code, response.content.decode()) == (200, GOLDEN["stopped job"]["response"])


# -- V2 ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "state", "fields"),
    [
        ("v2 status completed", State.SUCCEEDED, {"started_at": BEGAN_AT, "finished_at": ENDED_AT}),
        (
            "v2 status completed with warnings",
            State.SUCCEEDED,
            {
                "n_warnings": 1,
                "started_at": datetime(2018, 9, 28, 10, 9, 47, tzinfo=UTC),
                "finished_at": datetime(2018, 9, 28, 10, 9, 52, tzinfo=UTC),
            },
        ),
        ("v2 status queued", State.QUEUED, {}),
        (
            "v2 status canceled before running",
            State.ABORTED,
            {"finished_at": datetime(2018, 9, 28, 18, 58, 41, tzinfo=UTC)},
        ),
    ],
)
def test_a_status_of_a_file(
    client: APIClient, job: Job, make_execution: MakeExecution, name: str, state: State, fields: dict[str, Any]
) -> None:
    execution = make_execution(job, state, **fields)
    own = {"file-id": job.pk, "job-execution-id": execution.pk}

    assert matches(client.get(f"/api/job-execution/{job.pk}/status"), name, **own)


def test_the_status_of_a_running_file(client: APIClient, job: Job, make_execution: MakeExecution) -> None:
    past = datetime(2018, 9, 1, tzinfo=UTC)
    make_execution(job, State.SUCCEEDED, started_at=past, finished_at=past.replace(second=11))
    execution = make_execution(job, State.RUNNING, started_at=BEGAN_AT)
    with time_machine.travel(BEGAN_AT, tick=False):
        response = client.get(f"/api/job-execution/{job.uuid}/status")

    assert matches(response, "v2 status running", **{"file-id": job.pk, "job-execution-id": execution.pk})


def test_the_status_of_a_file_that_never_ran(client: APIClient, job: Job) -> None:
    assert matches(client.get(f"/api/job-execution/{job.name}/status"), "v2 status never run")


def test_a_file_that_does_not_exist(client: APIClient) -> None:
    assert matches(client.get("/api/job-execution/Data/none.imp/status"), "v2 error")


# -- configurations ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("word", ["import job", "export job"])
def test_a_new_configuration(client: APIClient, word: str) -> None:
    response = client.post(f"/rest/{word.replace(' ', '-')}", {"file": {"path": "/Data/new"}}, format="json")

    assert matches(response, f"create {word}", **{"configuration-id": Job.objects.get().pk})


def test_a_replaced_configuration(client: APIClient, make_job: MakeJob) -> None:
    job = make_job(kind="export")
    response = client.put(f"/rest/export-job/{job.pk}", {"file": {"path": "/Data/new"}}, format="json")

    assert matches(response, "update export job")


def test_a_new_workbook_of_version_11(client: APIClient) -> None:
    response = client.post("/api/workbooks", {"file": {"path": "/Users/admin/NewWorkbook_wb"}}, format="json")
    job = Job.objects.get()

    assert matches(
        response,
        "create workbook v2 (11.x)",
        **{"configuration-id": job.pk, "file-id": job.pk, "file-uuid": str(job.uuid)},
    )


def test_a_deleted_workbook(client: APIClient, make_job: MakeJob) -> None:
    assert matches(client.delete(f"/rest/workbook/{make_job().pk}"), "delete workbook")


def test_the_metadata_of_a_workbook(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job("Data/ImportJobs/DatameerImport.imp")
    ended_at = datetime(2013, 3, 5, 10, 44, 59, tzinfo=UTC)
    execution = make_execution(job, State.SUCCEEDED, records=20, finished_at=ended_at)
    wanted = GOLDEN["workbook metadata"]["response"]
    wanted[0]["datas"][0]["id"] = execution.pk

    assert client.get(f"/rest/data/workbook/{job.pk}").content.decode() == as_text(wanted)


def test_the_licence_has_the_fields_of_the_page_in_their_types(client: APIClient) -> None:
    """Its values are the hub's own."""
    body, wanted = client.get("/rest/license-details").json(), GOLDEN["license details"]["response"]

    assert [(name, type(value)) for name, value in body.items()] == [
        (name, type(value)) for name, value in wanted.items()
    ]

"""`GET /rest/job-execution/job-details/<execution>`: one run and its counters."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from jobs.states import State
from tests.conftest import MakeExecution, MakeJob

DETAILS = "/rest/job-execution/job-details"
BEGAN_AT = datetime(2012, 7, 6, 18, 19, 9, 120999, tzinfo=UTC)
ENDED_AT = datetime(2012, 7, 6, 18, 21, 7, tzinfo=UTC)


# -- it works ----------------------------------------------------------------------------------------------------------
def test_a_running_one_has_no_end_yet(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(None, State.RUNNING, started_at=BEGAN_AT, records=12)
    body = client.get(f"{DETAILS}/{execution.pk}").json()

    assert list(body) == ["counters", "failureCount", "jobStatus", "startTime", "successCount"]
    assert (body["jobStatus"], body["startTime"], body["successCount"]) == ("RUNNING", "2012-07-06 18:19:09.12", 12)


def test_one_that_never_ran_has_no_times_of_a_run(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(None, State.ABORTED, finished_at=ENDED_AT)
    body = client.get(f"{DETAILS}/{execution.pk}").json()

    assert (body["jobStatus"], body.get("startTime"), body["stopTime"]) == ("CANCELED", None, "2012-07-06 18:21:07.0")


def test_what_was_dropped_is_a_failure(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution(None, State.SUCCEEDED, records=9, n_dropped=3, n_warnings=1)
    body = client.get(f"{DETAILS}/{execution.pk}").json()

    assert (body["jobStatus"], body["failureCount"], body["successCount"]) == ("COMPLETED_WITH_Warnings", 3, 9)
    assert body["counters"]["IMPORT_DROPPED_RECORDS"] == 3


def test_an_export_has_an_exports_counters(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    execution = make_execution(make_job(kind="export"), State.SUCCEEDED, records=9, volume_bytes=144)

    assert client.get(f"{DETAILS}/{execution.pk}").json()["counters"] == {
        "EXPORT_RECORDS": 9,
        "EXPORT_DROPPED_RECORDS": 0,
        "EXPORT_BYTES": 144,
    }


def test_every_other_has_all_counters_of_an_import(client: APIClient, make_execution: MakeExecution) -> None:
    counters = client.get(f"{DETAILS}/{make_execution().pk}").json()["counters"]

    assert len(counters) == 7
    assert set(counters.values()) == {0}


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["handle", "uuid"])
def test_a_run_is_known_by_its_id_only(client: APIClient, make_execution: MakeExecution, kind: str) -> None:
    execution = make_execution()
    response = client.get(f"{DETAILS}/{getattr(execution, kind)}")

    assert response.status_code == 404
    assert "there is no job execution" in response.json()["error"]


def test_a_foreign_one_is_an_unknown_one(stranger: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution()
    response = stranger.get(f"{DETAILS}/{execution.pk}")

    assert (response.status_code, response.json()) == (404, {"error": f"there is no execution '{execution.pk}'"})

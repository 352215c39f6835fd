"""`GET /rest/data/import-job/<id>`, `…/workbook/<id>` and `GET /rest/license-details`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import Job, Project
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.datameer.speaker import is_time


@pytest.fixture
def make_import(make_job: MakeJob, settings: Any) -> Any:
    def make(**spec: Any) -> Job:
        data = settings.HUB_DATA
        whole = {"source": f"sqlite:///{data}/a", "query": "SELECT 1", "target": {"jsonl": f"{data}/b"}, **spec}
        return make_job("Data/a.imp", actions=[{"runner": "ingestion", "spec": whole}])

    return make


# -- the data of a job -------------------------------------------------------------------------------------------------
def test_each_success_has_brought_data(client: APIClient, make_import: Any, make_execution: MakeExecution) -> None:
    job = make_import()
    at = datetime(2013, 3, 5, 10, 44, 59, tzinfo=UTC)
    old, new = (
        make_execution(job, State.SUCCEEDED, records=records, finished_at=at + timedelta(hours=records))
        for records in (20, 30)
    )
    make_execution(job, State.FAILED, records=7)

    assert client.get(f"/rest/data/import-job/{job.pk}").json() == [
        {
            "path": "/Data/a.imp",
            "record-count": 30,
            "datas": [
                {"timestamp": "Mar 6, 2013 4:44:59 PM", "record-count": 30, "id": new.pk},
                {"timestamp": "Mar 6, 2013 6:44:59 AM", "record-count": 20, "id": old.pk},
            ],
        }
    ]


def test_the_data_of_an_increment_add_up(client: APIClient, make_import: Any, make_execution: MakeExecution) -> None:
    query = "SELECT id FROM t {{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}} ORDER BY id"
    job = make_import(strategy="increment", pk_field="id", query=query)
    for records in (20, 30):
        make_execution(job, State.SUCCEEDED, records=records)

    assert client.get(f"/rest/data/import-job/{job.pk}").json()[0]["record-count"] == 50


def test_a_job_that_never_ran_has_no_data(client: APIClient, make_job: MakeJob) -> None:
    job = make_job("wb")

    assert client.get(f"/rest/data/workbook/{job.pk}").json() == [{"path": "/wb", "record-count": 0, "datas": []}]


def test_a_workbook_is_no_import(client: APIClient, make_job: MakeJob) -> None:
    assert client.get(f"/rest/data/import-job/{make_job().pk}").status_code == 404


# -- the licence -------------------------------------------------------------------------------------------------------
def test_the_licence_is_of_the_acting_project(client: APIClient, alpha: Project) -> None:
    body = client.get("/rest/license-details").json()

    assert (body["ProductId"], body["LicenseHolder"]) == (str(alpha.uuid), "CN=alpha,O=JobHub")
    assert is_time(body["LicenseStartDate"])
    assert is_time(body["LicenseExpirationDate"])


def test_the_imports_of_a_month_are_counted(
    client: APIClient, make_import: Any, make_job: MakeJob, make_execution: MakeExecution, beta: Project
) -> None:
    job, now = make_import(), timezone.now()
    make_execution(job, State.SUCCEEDED, volume_bytes=1, finished_at=now - timedelta(days=31))
    make_execution(job, State.SUCCEEDED, volume_bytes=20)
    make_execution(job, State.FAILED, volume_bytes=300)
    make_execution(job, State.SUCCEEDED, volume_bytes=None)
    make_execution(make_job(), State.SUCCEEDED, volume_bytes=4000)
    make_execution(make_job(kind="ingestion", project=beta), State.SUCCEEDED, volume_bytes=50000)

    assert client.get("/rest/license-details").json()["TotalVolumeConsumedInBytes"] == 320


def test_nothing_imported_is_nothing_consumed(client: APIClient) -> None:
    with time_machine.travel("2026-12-01T00:00:00Z", tick=False):
        assert client.get("/rest/license-details").json()["TotalVolumeConsumedInBytes"] == 0

"""`/backups` and `/restore`, with real archives."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from jobs import paths
from jobs.models import Archive, Job, JobExecution
from jobs.paths import PathGuard
from jobs.states import State
from jobs.worker.drain import drain
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.vertica.conftest import Agent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Jobs may use the test's own folder."""
    guard = PathGuard(allowed=(tmp_path,), refused=(), data=tmp_path / "data")
    monkeypatch.setattr(paths, "_guard", guard)
    return tmp_path


@pytest.fixture
def source(data: Path) -> Path:
    folder = data / "source"
    folder.mkdir()
    (folder / "a.txt").write_text("one")
    return folder


@pytest.fixture
def backup(make_job: MakeJob, source: Path) -> Job:
    spec = {"source": str(source), "container": "nights", "backup_name": "nightly", "max_level": 3}
    return make_job("VMart/backup", actions=[{"runner": "backup", "spec": spec}])


@pytest.fixture
def restore(make_job: MakeJob, data: Path) -> Job:
    spec = {"container": "nights", "backup_name": "nightly", "target": str(data / "back")}
    return make_job("VMart/restore", actions=[{"runner": "restore", "spec": spec}])


def start(client: APIClient, path: str) -> JobExecution:
    response = client.post(path)
    assert response.status_code == 200, response.content
    drain()
    execution = JobExecution.objects.get(handle=response.json()["id"])
    assert execution.state == State.SUCCEEDED, execution.errors
    return execution


def test_a_backup_runs_and_its_archive_is_listed(agent: Agent, backup: Job) -> None:
    execution = start(agent("restricted"), "/backups/VMart")
    body = agent().get("/backups").json()["body"]

    assert execution.handle.startswith("CreateBackup-VMart-")
    assert [(one["backup"], one["level"]) for one in body] == [("VMart/backup", 0)]
    assert agent().get(quote(body[0]["href"])).json()["body"] == body[0]


def test_the_archive_that_is_named_is_restored(agent: Agent, backup: Job, restore: Job, data: Path) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        start(agent(), "/backups/VMart/backup")
    archive_id = agent().get("/backups").json()["body"][0]["archive_id"]
    (data / "source/a.txt").write_text("two, and later")
    start(agent(), "/backups/VMart/backup")
    execution = start(agent(), f"/restore/{archive_id}")

    assert (data / "back/a.txt").read_text() == "one"
    assert Archive.objects.count() == 2
    assert execution.handle.startswith("RestoreBackup-VMart-")


@pytest.mark.parametrize(
    "path", ["/backups/nothing", "/restore/nothing", "/restore/nightly_20260230_000000", "/restore/%00_20260201_000000"]
)
def test_what_there_is_not(agent: Agent, backup: Job, path: str) -> None:
    assert agent().post(path).status_code == 404


def test_a_job_of_another_kind_is_no_backup(agent: Agent, make_job: MakeJob) -> None:
    make_job("VMart/stop")

    assert agent().post("/backups/VMart/stop").status_code == 404


def test_an_archive_without_a_job_that_restores_it(agent: Agent, backup: Job, make_execution: MakeExecution) -> None:
    start(agent(), "/backups/VMart")
    archive_id = agent().get("/backups").json()["body"][0]["archive_id"]
    response = agent().post(f"/restore/{archive_id}")

    assert response.status_code == 404
    assert "there is no restore job for the backup 'nightly'" in response.json()["error"]

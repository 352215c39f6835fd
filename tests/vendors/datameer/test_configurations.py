"""`/rest/import-job`, `/rest/export-job` (also `export-jobs`), `/rest/workbook` and `/api/workbooks`."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.engine.define import define, patch
from jobs.engine.documents import document_of
from jobs.engine.rights import operator
from jobs.models import Job, Project, User
from tests.conftest import MakeJob
from tests.vendors.datameer.documents import made, sent, steps, with_properties


# -- a new one ---------------------------------------------------------------------------------------------------------
def test_an_import_job_is_an_ingestion(client: APIClient, document: dict[str, Any], settings: Any) -> None:
    job = made(client, "/rest/import-job", document)

    assert (job.name, job.kind, job.description, job.owner.username) == (  # type: ignore[union-attr]
        "Data/ImportJobs/URLS.imp",
        "ingestion",
        "All URLs",
        "alice",
    )
    assert steps(job) == [
        {
            "runner": "ingestion",
            "spec": {
                "max_errors": 10**9,
                "query": "SELECT * FROM urls",
                "source": f"sqlite:///{settings.HUB_DATA}/urls.sqlite3",
                "target": {"jsonl": f"{settings.HUB_DATA}/urls.jsonl"},
            },
        }
    ]


@pytest.mark.parametrize(
    ("target", "more", "spec"),
    [
        ("/x.csv", {}, {"csv": {"path": "/x.csv"}}),
        (
            "/x.csv",
            {"delimiterString": ";", "includeHeader": False},
            {"csv": {"path": "/x.csv", "delimiter": ";", "header": False}},
        ),
        ("/x.parquet", {"delimiterString": ";"}, {"parquet": "/x.parquet"}),
        ("/x.jsonl", {}, {"jsonl": "/x.jsonl"}),
        ("/x", {}, {"jsonl": "/x"}),
        (
            '{"table": {"url": "postgresql://db.example/x", "table": "t"}}',
            {},
            {"table": {"url": "postgresql://db.example/x", "table": "t"}},
        ),
    ],
)
def test_an_export_job_goes_where_its_target_says(
    client: APIClient, document: dict[str, Any], settings: Any, target: str, more: Any, spec: Any
) -> None:
    data = str(settings.HUB_DATA)
    target = f"{data}{target}" if target.startswith("/") else target
    job = made(client, "/rest/export-job", {**with_properties(document, target=target), **more})

    assert job.kind == "export"
    assert steps(job)[0]["spec"]["target"] == json.loads(json.dumps(spec).replace('"/x', f'"{data}/x'))
    assert "max_errors" not in steps(job)[0]["spec"]


def test_an_import_has_all_that_an_ingestion_knows(client: APIClient, document: dict[str, Any]) -> None:
    query = "SELECT id FROM t {{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}} ORDER BY id"
    told = {"strategy": "increment", "pk_field": "id", "batch_size": "500", "max_errors": "3", "rename": '{"a": "b"}'}
    job = made(client, "/rest/import-job", with_properties(document, query=query, target="index:urls", **told))
    spec = steps(job)[0]["spec"]

    assert (spec["target"], spec["strategy"], spec["pk_field"]) == ({"index": "urls"}, "increment", "id")
    assert (spec["batch_size"], spec["max_errors"], spec["rename"]) == (500, 3, {"a": "b"})


def test_a_workbook_runs_its_actions_in_their_order(client: APIClient, document: dict[str, Any]) -> None:
    texts = [json.dumps({"runner": "fail", "spec": {"message": word}, "mandatory": True}) for word in ("one", "two")]
    body = {"file": {"path": "/wb.wbk"}, "properties": {"jobhub.actions": texts}}
    job = made(client, "/rest/workbook", body)

    assert job.kind == "workbook"
    assert [step["spec"]["message"] for step in steps(job)] == ["one", "two"]
    assert all(step["mandatory"] for step in document_of(job)["actions"])


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_workbook_of_a_newer_version(client: APIClient, wrapped: bool) -> None:
    file = {"name": "NewWorkbook_wb", "folder": ["/Users/admin", "8bbdb7a0-7ddc-4225-85fe-95d001caedb9"]}
    body = {"_version": "5.11.0", "file": file, "sheets": []}
    response = client.post("/api/workbooks", {"workbook": body} if wrapped else body, format="json")
    job = Job.objects.get()

    assert response.json() == {
        "status": "success",
        "configuration-id": job.pk,
        "file-id": job.pk,
        "file-uuid": str(job.uuid),
        "file-path": "/Users/admin/NewWorkbook_wb",
    }
    assert client.get(f"/api/workbooks/{job.pk}").json()["workbook"]["sheets"] == []


@pytest.mark.parametrize(
    ("word", "properties", "reason"),
    [
        ("import-job", {"query": None}, "no property jobhub.query:"),
        ("import-job", {"query": None, "target": None}, "no property jobhub.query and jobhub.target:"),
        ("import-job", {"source": None}, "names no dataStore and has no property jobhub.source"),
        ("export-job", {"source": "/Data/none.dst"}, "there is no connection '/Data/none.dst'"),
        ("workbook", {"query": None, "target": None, "source": None}, "no property jobhub.actions"),
    ],
)
def test_a_document_that_says_too_little_is_kept_and_its_run_fails(
    client: APIClient, document: dict[str, Any], word: str, properties: dict[str, Any], reason: str
) -> None:
    body = with_properties(document, **properties)
    job = made(client, f"/rest/{word}", body)
    shown = client.get(f"/rest/{word}/{job.pk}").json()

    assert [step["runner"] for step in steps(job)] == ["fail"]
    assert reason in steps(job)[0]["spec"]["message"]
    assert shown == {**body, "file": {**body["file"], "uuid": str(job.uuid)}}


# -- schedules ---------------------------------------------------------------------------------------------------------
SCHEDULES = ["0 30 2 * * ?", '{"interval": "15m", "catch_up": "skip"}']


def test_a_schedule_starts_the_job_by_itself(client: APIClient, document: dict[str, Any]) -> None:
    document["properties"]["jobhub.schedule"] = SCHEDULES
    job = made(client, "/rest/import-job", document)
    first, second = document_of(job)["schedules"]

    assert (first["quartz"], second["interval"], second["catch_up"]) == ("0 30 2 * * ?", "15m", "skip")
    assert all(schedule.next_at for schedule in job.schedules.all())
    assert client.get(f"/rest/import-job/{job.pk}").json()["properties"] == document["properties"]


def test_a_document_without_a_schedule_leaves_the_jobs_own_alone(client: APIClient, document: dict[str, Any]) -> None:
    job = made(client, "/rest/import-job", document)
    patch(job, {"schedules": [{"cron": "30 2 * * *"}]}, actor=operator("test"))
    before = document_of(job)["schedules"]
    sent(client, f"/rest/import-job/{job.pk}", document, "PUT")

    assert document_of(job)["schedules"] == before
    shown = client.get(f"/rest/import-job/{job.pk}").json()["properties"]
    assert [json.loads(text) for text in shown["jobhub.schedule"]] == before


def test_an_empty_list_of_schedules_takes_them_away(client: APIClient, document: dict[str, Any]) -> None:
    document["properties"]["jobhub.schedule"] = SCHEDULES
    job = made(client, "/rest/import-job", document)
    document["properties"]["jobhub.schedule"] = []
    sent(client, f"/rest/import-job/{job.pk}", document, "PUT")

    assert not job.schedules.exists()


# -- lists -------------------------------------------------------------------------------------------------------------
def test_the_id_is_the_last_line_of_each(client: APIClient, document: dict[str, Any]) -> None:
    job = made(client, "/rest/import-job", document)

    assert client.get("/rest/import-job").content.decode() == (
        "[\n  {\n"
        f'    "uuid": "{job.uuid}",\n'
        '    "owner": "alice",\n'
        '    "path": "/Data/ImportJobs/URLS.imp",\n'
        '    "description": "All URLs",\n'
        '    "name": "URLS",\n'
        f'    "id": {job.pk}\n'
        "  }\n]"
    )


def test_each_job_is_in_one_list(client: APIClient, make_job: MakeJob, beta: Project) -> None:
    make_job("import", kind="ingestion"), make_job("export", kind="export"), make_job("backup", kind="backup")
    make_job("noop"), make_job("theirs", project=beta)
    names = {
        word: [job["name"] for job in client.get(f"/rest/{word}").json()]
        for word in ("import-job", "export-job", "export-jobs", "workbook", "dashboard", "infographics")
    }

    assert names == {
        "import-job": ["import"],
        "export-job": ["export"],
        "export-jobs": ["export"],
        "workbook": ["backup", "noop"],
        "dashboard": [],
        "infographics": [],
    }


def test_a_long_list_costs_what_a_short_one_does(client: APIClient, make_job: MakeJob) -> None:
    def n_queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/rest/workbook?start=0&length=5")
        return len(asked)

    make_job()
    n_queries()
    few = n_queries()
    for _ in range(7):
        make_job()

    assert n_queries() == few <= 6


# -- reading -----------------------------------------------------------------------------------------------------------
def test_a_document_comes_back_as_it_was(client: APIClient, document: dict[str, Any]) -> None:
    job = made(client, "/rest/import-job", document)
    text = client.get(f"/rest/import-job/{job.pk}").content.decode()
    wanted = {**document, "file": {**document["file"], "uuid": str(job.uuid)}}

    assert text == json.dumps(
        {**wanted, "file": {name: wanted["file"][name] for name in json.loads(text)["file"]}}, indent=2
    )


def test_what_was_changed_elsewhere_is_shown(client: APIClient, document: dict[str, Any], alice: User) -> None:
    job = made(client, "/rest/import-job", document)
    spec = {**steps(job)[0]["spec"], "query": "SELECT 1", "target": {"index": "urls"}}
    patch(
        job,
        {"name": "moved/to.imp", "description": "new", "actions": [{"runner": "ingestion", "spec": spec}]},
        actor=operator("test"),
    )
    shown = client.get(f"/rest/import-job/{job.pk}").json()

    assert shown["file"] == {
        "uuid": str(job.uuid),
        "path": "/moved/to.imp",
        "description": "new",
        "name": "to",
        "fullDataPermission": 63,
    }
    assert shown["properties"] == {
        "fileType": ["CSV"],
        "jobhub.max_errors": ["1000000000"],
        "jobhub.query": ["SELECT 1"],
        "jobhub.source": document["properties"]["jobhub.source"],
        "jobhub.target": ['{"index": "urls"}'],
    }


@pytest.mark.parametrize("kind", ["ingestion", "export", "backup"])
def test_a_job_of_other_faces_has_a_document_that_makes_it(
    client: APIClient, make_job: MakeJob, settings: Any, kind: str
) -> None:
    """Reading, changing and sending back is how its users make payloads."""
    data = settings.HUB_DATA
    specs = {
        "ingestion": {
            "source": f"sqlite:///{data}/a",
            "query": "SELECT 1",
            "target": {"jsonl": f"{data}/b"},
            "max_errors": 2,
        },
        "export": {"source": f"sqlite:///{data}/a", "query": "SELECT 1", "target": {"csv": {"path": f"{data}/b.txt"}}},
        "backup": {"source": str(data), "container": "c", "backup_name": "b"},
    }
    job = make_job("nightly/one", actions=[{"runner": kind, "spec": specs[kind], "timeout_s": 60}], retries=3)
    word = {"ingestion": "import-job", "export": "export-job"}.get(kind, "workbook")
    shown = client.get(f"/rest/{word}/{job.pk}").json()
    other = made(client, f"/rest/{word}", {**shown, "file": {**shown["file"], "path": "/copy"}})

    assert steps(other) == steps(job)
    assert sent(client, f"/rest/{word}/{job.pk}", shown, "PUT").json() == {"status": "success"}
    after = Job.objects.get(pk=job.pk)
    assert {**document_of(after), "version": 0} == {**document_of(job), "version": 0}


def test_a_document_of_a_job_whose_kind_was_changed(client: APIClient, document: dict[str, Any]) -> None:
    job = made(client, "/rest/import-job", with_properties(document, pk_field="id"))
    patch(job, {"kind": "export"}, actor=operator("test"))
    shown = client.get(f"/rest/export-job/{job.pk}")

    assert (shown.status_code, client.get(f"/rest/import-job/{job.pk}").status_code) == (200, 404)
    assert json.loads(shown.json()["properties"]["jobhub.actions"][0])["runner"] == "ingestion"


# -- replacing and deleting --------------------------------------------------------------------------------------------
def test_a_replaced_one_keeps_what_the_document_does_not_say(client: APIClient, document: dict[str, Any]) -> None:
    job = made(client, "/rest/import-job", document)
    patch(job, {"priority": 7, "retries": 2}, actor=operator("test"))
    body = with_properties({**document, "file": {"path": "/Data/new.imp"}}, query="SELECT 2")
    response = sent(client, f"/rest/import-job/{job.pk}", body, "PUT")
    job = Job.objects.get()

    assert (response.status_code, response.content.decode()) == (200, '{\n  "status": "success"\n}')
    assert (job.name, job.priority, job.retries, job.kind) == ("Data/new.imp", 7, 2, "ingestion")
    assert steps(job)[0]["spec"]["query"] == "SELECT 2"


def test_other_faces_keep_their_part_of_a_job(client: APIClient, document: dict[str, Any], op: Any) -> None:
    job = define(
        {"name": "a", "kind": "ingestion", "actions": [{"runner": "fail", "spec": {"message": "x"}}]},
        actor=op,
        extras={"other": {"x": 1}},
    )[0]
    sent(client, f"/rest/import-job/{job.pk}", {**document, "file": {"path": "/a"}}, "PUT")
    job.refresh_from_db()

    assert (job.extras["other"], set(job.extras)) == ({"x": 1}, {"other", "datameer"})


def test_a_deleted_one_is_gone(client: APIClient, document: dict[str, Any]) -> None:
    job = made(client, "/rest/import-job", document)

    assert client.delete(f"/rest/import-job/{job.pk}").json() == {"status": "success"}
    assert client.get(f"/rest/import-job/{job.pk}").status_code == 404

"""Ingestion documents: put, got, listed, deleted; and the jobs that they are."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.engine import secrets
from jobs.engine.define import patch
from jobs.engine.documents import document_of
from jobs.engine.rights import Actor
from jobs.models import Job, JobExecution, Project, Secret
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.siren.conftest import EVENTS, INGESTION, NEXT, Put, reason_of

ONE = f"{INGESTION}/events"


def document(client: APIClient, path: str = ONE) -> dict[str, Any]:
    found: dict[str, Any] = client.get(path).json()["_source"]["ingest"]
    return found


def spec_of(name: str = "events") -> dict[str, Any]:
    spec: dict[str, Any] = Job.objects.get(name=name).actions.get().spec
    return spec


# -- put and got -------------------------------------------------------------------------------------------------------
def test_a_new_one_is_created_and_then_replaced(client: APIClient, put: Put) -> None:
    first, second = put("events"), put("events", description="better")

    assert (first.status_code, first.json()) == (
        201,
        {"_id": "events", "_version": 1, "result": "created", "created": True},
    )
    assert (second.status_code, second.json()) == (
        200,
        {"_id": "events", "_version": 2, "result": "updated", "created": False},
    )
    assert document(client)["description"] == "better"


def test_create_only_leaves_what_is_there(client: APIClient, put: Put, datasource: str) -> None:
    put("events")
    body = {"ingest": {"datasource": datasource, "query": EVENTS, "target": "other"}}
    response = client.put(f"{ONE}?op_type=create", body, format="json")

    assert response.status_code == 409
    assert response.json()["error"]["type"] == "version_conflict_engine_exception"
    assert reason_of(response) == "[events]: version conflict, document already exists (current version [1])"
    assert document(client)["target"] == "events"


def test_unknown_fields_and_the_order_come_back(client: APIClient, put: Put) -> None:
    put("events", unknown={"deep": [1, None]}, batch_size=7)

    assert document(client)["unknown"] == {"deep": [1, None]}
    assert list(document(client)) == ["datasource", "query", "target", "pk_field", "unknown", "batch_size"]


@pytest.mark.parametrize("name", ["enable_scheduler", "enable_schedule"])
def test_both_names_of_the_switch_are_one(client: APIClient, put: Put, name: str) -> None:
    put("events", schedule="0 0 * * * ?", **{name: True})

    assert document(client)["enable_scheduler"] is True
    assert "enable_schedule" not in document(client)


def test_its_schedule_is_the_jobs(client: APIClient, put: Put) -> None:
    put("events", schedule="0 30 2 ? * MON-FRI", enable_scheduler=True)
    [schedule] = Job.objects.get().schedules.all()

    assert (schedule.dialect, schedule.text, schedule.enabled) == ("quartz", "0 30 2 ? * MON-FRI", True)
    assert schedule.next_at is not None


def test_a_schedule_that_is_not_enabled_does_not_come(client: APIClient, put: Put) -> None:
    put("events", schedule="0 30 2 ? * MON-FRI")

    assert Job.objects.get().schedules.get().next_at is None
    assert document(client)["schedule"] == "0 30 2 ? * MON-FRI"
    assert "enable_scheduler" not in document(client)


def test_only_its_own_schedule_goes_with_it(put: Put, op: Actor) -> None:
    put("events", schedule="0 30 2 ? * MON-FRI")
    nightly = {"name": "nightly", "cron": "30 2 * * *"}
    schedules = [*document_of(Job.objects.get())["schedules"], nightly]
    patch(Job.objects.get(), {"schedules": schedules}, actor=op)
    put("events")

    assert [one.name for one in Job.objects.get().schedules.all()] == ["nightly"]


def test_a_schedule_changed_through_another_face_is_shown_as_it_is(client: APIClient, put: Put, op: Actor) -> None:
    put("events", schedule="0 30 2 ? * MON-FRI", enable_scheduler=True)
    changed = {"name": "siren", "quartz": "0 0 3 ? * *", "enabled": False}
    patch(Job.objects.get(), {"schedules": [changed]}, actor=op)

    found = document(client)
    assert (found["schedule"], found["enable_scheduler"]) == ("0 0 3 ? * *", False)


def test_it_is_a_job_with_one_step(put: Put, alpha: Project) -> None:
    put("events", description="of the shop")
    job = Job.objects.get()

    assert (job.name, job.kind, job.project_id, job.description) == ("events", "ingestion", alpha.pk, "of the shop")
    assert job.when_active == "refuse"


# -- what it means to the runner ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({}, {"strategy": "replace", "query": EVENTS, "pk_field": "id", "rename": {}, "warnings": []}),
        ({"strategy": "INCREMENT", "query": NEXT}, {"strategy": "increment"}),
        ({"strategy": "increment", "query": NEXT}, {"strategy": "increment"}),
        ({"batch_size": 7}, {"batch_size": 7}),
        (
            {"batch_size": 50_000},
            {"batch_size": 10_000, "warnings": ["batch_size is 10000: there is no larger one"]},
        ),
        ({"transforms": [{"input": [{"source": "name"}], "output": "title"}]}, {"rename": {"name": "title"}}),
        (
            {"transforms": [{"input": [{"source": "id"}], "output": "id", "mapping": {"type": "long"}}]},
            {"rename": {}, "warnings": []},
        ),
        (
            {"transforms": [{"input": [{"source": "a"}, {"source": "b"}], "output": "c", "transform": "geo_point"}]},
            {"rename": {}, "warnings": ["the transform geo_point of a, b to c is not applied"]},
        ),
        (
            {"transforms": [{"input": [{"source": "name"}], "output": one} for one in ("x", "y")]},
            {"rename": {"name": "x"}, "warnings": ["the transform copy of name to y is not applied"]},
        ),
        ({"mapping": {"properties": {}}}, {"warnings": ["the mapping is not applied: the target keeps its own"]}),
        ({"pipeline": {"processors": []}}, {"warnings": ["the pipeline is not applied"]}),
        (
            {"es_credentials": {"username": "jane", "password": "s3cret"}},
            {"warnings": ["es_credentials are not used: the target is a file"]},
        ),
    ],
)
def test_the_document_as_a_spec(put: Put, fields: dict[str, Any], meant: dict[str, Any]) -> None:
    response = put("events", **fields)

    assert response.status_code == 201, response.content
    spec = spec_of()
    assert {name: spec[name] for name in meant} == meant


def test_its_source_is_wherever_the_datasource_leads(put: Put) -> None:
    put("events")
    [secret] = Secret.objects.all()

    assert spec_of()["source"]["url"] == {"secret": secret.name}
    assert secret.name.startswith("siren:datasource-shop-")


def test_its_transforms_come_back_in_their_order(client: APIClient, put: Put) -> None:
    names = ["name", "id", "note", "a"]
    transforms = [{"input": [{"source": name}], "output": f"its_{name}"} for name in names]
    put("events", transforms=transforms)

    assert document(client)["transforms"] == transforms


def test_a_job_changed_through_another_face_is_shown_as_it_is(client: APIClient, put: Put, op: Actor) -> None:
    put("events", batch_size=7, mapping={"properties": {}})
    spec = {**spec_of(), "query": "SELECT id FROM events", "batch_size": 8}
    del spec["pk_field"]
    patch(Job.objects.get(), {"actions": [{"runner": "ingestion", "spec": spec}], "description": "new"}, actor=op)

    found = document(client)
    assert (found["query"], found["batch_size"], found["description"]) == ("SELECT id FROM events", 8, "new")
    assert found["mapping"] == {"properties": {}}
    assert "pk_field" not in found


def test_a_job_made_through_another_face_is_a_document_too(client: APIClient, shop: Any, make_job: MakeJob) -> None:
    spec = {
        "source": shop.url,
        "query": NEXT,
        "pk_field": "id",
        "strategy": "increment",
        "target": {"index": "events"},
        "rename": {"name": "title"},
    }
    make_job("events", actions=[{"runner": "ingestion", "spec": spec}])

    assert document(client) == {
        "datasource": shop.url,
        "query": NEXT,
        "target": "events",
        "strategy": "INCREMENT",
        "pk_field": "id",
        "transforms": [{"input": [{"source": "name"}], "output": "title"}],
    }


def test_what_a_put_does_not_speak_of_stays(put: Put, op: Actor) -> None:
    put("events")
    patch(Job.objects.get(), {"priority": 5, "retries": 3}, actor=op)
    put("events", description="new")

    assert [getattr(Job.objects.get(), name) for name in ("priority", "retries")] == [5, 3]


# -- credentials -------------------------------------------------------------------------------------------------------
def test_passwords_become_secrets_and_are_never_shown(client: APIClient, put: Put, alpha: Project) -> None:
    login = {"username": "jane", "password": "s3cret-of-jane"}
    put("events", ds_credentials=login)
    source = spec_of()["source"]

    assert (source["user"], secrets.reveal(source["password"]["secret"], alpha.pk)) == ("jane", "s3cret-of-jane")
    shown = b"".join(client.get(path).content for path in (ONE, f"{INGESTION}/_search"))
    assert b'"ds_credentials":{"username":"jane"}' in shown
    assert b"s3cret-of-jane" not in shown
    assert "s3cret-of-jane" not in str(list(Job.objects.values())) + str(list(Job.objects.get().actions.values()))


def test_a_put_without_the_password_keeps_it(put: Put, alpha: Project) -> None:
    put("events", ds_credentials={"username": "jane", "password": "s3cret-of-jane"})
    put("events", ds_credentials={"username": "joe"})
    source = spec_of()["source"]

    assert (source["user"], secrets.reveal(source["password"]["secret"], alpha.pk)) == ("joe", "s3cret-of-jane")


@pytest.mark.parametrize("then", [{}, {"ds_credentials": {"username": "jane", "password": ""}}])
def test_a_put_without_credentials_forgets_them(put: Put, then: dict[str, Any]) -> None:
    put("events", ds_credentials={"username": "jane", "password": "s3cret-of-jane"})
    put("events", **then)

    assert "password" not in spec_of()["source"]
    assert not Secret.objects.filter(name__contains="ingestion").exists()


def test_a_refused_put_leaves_the_old_password(put: Put, alpha: Project) -> None:
    put("events", ds_credentials={"username": "jane", "password": "s3cret-of-jane"})
    name = spec_of()["source"]["password"]["secret"]
    refused = put("events", query="DELETE", ds_credentials={"username": "jane", "password": "another one"})

    assert refused.status_code == 400
    assert secrets.reveal(name, alpha.pk) == "s3cret-of-jane"


def test_a_deleted_one_takes_its_passwords_along(client: APIClient, put: Put) -> None:
    put("events", ds_credentials={"password": "s3cret-of-jane"}, es_credentials={"password": "another one"})
    client.delete(ONE)

    assert [secret.name.partition("-")[0] for secret in Secret.objects.all()] == ["siren:datasource"]


# -- listed ------------------------------------------------------------------------------------------------------------
def test_they_are_listed_by_their_ids(client: APIClient, put: Put, make_job: MakeJob) -> None:
    for name in ("b", "a", "c"):
        put(name)
    make_job("d", kind="backup")
    body = client.get(f"{INGESTION}/_search?from=1&size=1").json()

    assert body["hits"]["total"] == 3
    assert body["hits"]["hits"] == [{"_id": "b", "_source": {"ingest": document(client, f"{INGESTION}/b")}}]


def test_the_list_costs_the_same_whatever_its_length(client: APIClient, put: Put) -> None:
    put("a")
    client.get(f"{INGESTION}/_search")
    before = _queries(client)
    for name in ("b", "c", "d"):
        put(name)

    assert _queries(client) == before <= 8


def _queries(client: APIClient) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get(f"{INGESTION}/_search")
    return len(asked)


# -- deleted -----------------------------------------------------------------------------------------------------------
def test_a_delete_aborts_what_runs_and_leaves_the_log(
    client: APIClient, put: Put, make_execution: MakeExecution
) -> None:
    put("events")
    make_execution(Job.objects.get(), State.QUEUED)

    assert client.delete(ONE).json() == {"_id": "events", "found": True, "result": "deleted"}
    assert JobExecution.objects.get().state == State.ABORTED
    assert client.get(f"{INGESTION.replace('ingestion', 'jobs/ingestion')}/events").status_code == 200


# -- not found ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("id", ["events", "%00", "other"])
def test_an_unknown_one(client: APIClient, make_job: MakeJob, id: str) -> None:
    make_job("other", kind="backup")
    path = f"{INGESTION}/{id}"
    shown = id.replace("%00", "\0")

    assert (client.get(path).status_code, client.get(path).json()) == (404, {"_id": shown, "found": False})
    deleted = client.delete(path)
    assert (deleted.status_code, deleted.json()["result"]) == (404, "not_found")
    assert Job.objects.count() == 1


def test_a_foreign_one_is_unknown(stranger: APIClient, put: Put) -> None:
    put("events")

    assert stranger.get(ONE).status_code == stranger.delete(ONE).status_code == 404
    assert Job.objects.count() == 1


# -- refused -----------------------------------------------------------------------------------------------------------
REFUSED = [
    ({"datasource": "none"}, "Datasource [none] does not exist."),
    ({"datasource": None}, "ingest.datasource: wanted a text"),
    ({"query": "DELETE FROM events"}, "ingest.query: wanted a query: it begins with SELECT, WITH, VALUES, TABLE"),
    ({"query": "SELECT 1; SELECT 2"}, "ingest.query: wanted one statement, and there is another one behind a ';'"),
    ({"query": "SELECT {{nonsense}}"}, "ingest.query: there is no variable 'nonsense'"),
    ({"query": "SELECT '\0'"}, "the body is not JSON that can be read: texts must not contain NUL characters"),
    ({"target": "Events"}, "ingest.target: String should match pattern"),
    ({"target": "../events"}, "ingest.target: String should match pattern"),
    ({"staging_prefix": "/x"}, "ingest.staging_prefix: String should match pattern"),
    ({"strategy": "MERGE"}, "ingest.strategy: wanted REPLACE or INCREMENT"),
    ({"strategy": "INCREMENT"}, "ingest.query: the strategy increment needs one of {{max_primary_key}}"),
    ({"strategy": "INCREMENT", "query": NEXT, "pk_field": None}, "ingest.pk_field: {{max_primary_key}} needs to know"),
    ({"batch_size": 0}, "ingest.batch_size: wanted at least 1"),
    ({"batch_size": 10**30}, ""),
    ({"schedule": "0 0 * * *"}, "ingest.schedule: wanted six or seven fields"),
    ({"schedule": "* * * * * *"}, "ingest.schedule: exactly one of day of the month and day of the week must be ?"),
    ({"transforms": [{"input": [], "output": "x"}]}, "ingest.transforms.0.input: wanted a length of at least 1"),
    ({"ds_credentials": {"password": "abc"}}, "ingest.ds_credentials.password: wanted at least 4 characters"),
    ({"ds_credentials": "jane"}, "ingest.ds_credentials: "),
    ({"mapping": "x" * 300_000}, ""),
    ({"unknown": "x" * 300_000}, "the document is longer than 262144 bytes"),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSED)
def test_what_cannot_be_is_refused_and_named(put: Put, fields: dict[str, Any], reason: str) -> None:
    response = put("events", **fields)

    assert response.status_code == 400, response.content
    assert reason_of(response).startswith(reason)
    assert not Job.objects.exists()


@pytest.mark.parametrize("body", [{}, {"ingest": []}, {"ingest": {}}, {"ingest": {}, "more": 1}, {"Ingest": {}}])
def test_a_body_of_another_shape(client: APIClient, db: None, body: dict[str, Any]) -> None:
    response = client.put(ONE, body, format="json")

    assert (response.status_code, response.json()["error"]["type"]) == (400, "illegal_argument_exception")


@pytest.mark.parametrize("id", ["12345", "2c6e3880-e8d5-11f1-a2c5-69bc0462352a", "x" * 201])
def test_an_id_that_no_job_can_have(put: Put, id: str) -> None:
    response = put(id)

    assert response.status_code == 400
    assert reason_of(response).startswith(f"Invalid id [{id[:100]}]: ")


def test_a_job_of_another_type_is_not_replaced(put: Put, make_job: MakeJob) -> None:
    make_job("events", kind="backup")
    response = put("events")

    assert response.status_code == 409
    assert reason_of(response) == "[events]: there is a job of the type [backup] with this name"
    assert Job.objects.get().kind == "backup"

"""`/rest/connections`: what says where data are, and what reads through it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs import secrets as key_module
from jobs.engine import secrets
from jobs.engine.define import patch
from jobs.engine.documents import document_of
from jobs.engine.rights import operator
from jobs.models import AuditEvent, Job, Project, Secret, User
from jobs.secrets import KeyFile
from tests.conftest import ClientOf
from vendors.models import VendorDocument

PASSWORD = "correct horse"
PATH = "/Data/Connections/MYSQL_QA1.dst"
UUID = "23905938-5bd0-42da-afff-f39bd4b11ac0"
CONNECTION: dict[str, Any] = {
    "version": "2.1",
    "className": "datameer.dap.common.entity.DataBaseConnection",
    "file": {"uuid": UUID, "path": PATH, "description": "MySQL Connection", "name": "MYSQL_QA1"},
    "typeId": "das.JdbcDataStoreType",
    "properties": {
        "user_name": ["extuser"],
        "password": [PASSWORD],
        "key.connectionUrl": ["jdbc:mysql://db.example.org:3306/world"],
        "dataStoreUsage": ["IMPORT_EXPORT"],
    },
    "dbType": {"name": "MySQL"},
}
"""As the vendor's page REST API Connections (10.0, November 2026) has one."""


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_module, "_keys", KeyFile(tmp_path / "secret.keys"))


@pytest.fixture
def make_connection(client: APIClient) -> Callable[..., VendorDocument]:
    def make(document: dict[str, Any] = CONNECTION) -> VendorDocument:
        response = client.post("/rest/connections", document, format="json")
        assert response.status_code == 200, response.content
        return VendorDocument.objects.get(pk=response.json()["configuration-id"])

    return make


@pytest.fixture
def make_import(client: APIClient, settings: Any) -> Callable[..., Job]:
    def make(**store: Any) -> Job:
        body = {
            "file": {"path": "/Data/world.imp"},
            "dataStore": store or {"path": PATH, "uuid": UUID},
            "properties": {"jobhub.query": ["SELECT 1"], "jobhub.target": [f"{settings.HUB_DATA}/world.jsonl"]},
        }
        response = client.post("/rest/import-job", body, format="json")
        return Job.objects.get(pk=response.json()["configuration-id"])

    return make


def with_properties(**properties: Any) -> dict[str, Any]:
    kept = {**CONNECTION["properties"], **properties}
    return {**CONNECTION, "properties": {name: value for name, value in kept.items() if value is not None}}


def secret_of(connection: VendorDocument) -> str:
    return secrets.reveal(connection.body["secret"], connection.project_id)


def step(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = document_of(job)["actions"][0]
    return found


# -- the document ------------------------------------------------------------------------------------------------------
def test_it_is_given_back_without_its_password(client: APIClient, make_connection: Callable[..., Any]) -> None:
    connection = make_connection()
    text = client.get(f"/rest/connections/{connection.pk}").content.decode()
    kept = {name: value for name, value in CONNECTION["properties"].items() if name != "password"}

    assert json.loads(text) == {**CONNECTION, "properties": kept}
    assert list(json.loads(text)) == list(CONNECTION)


def test_its_password_is_a_secret_and_nowhere_else(
    client: APIClient, make_connection: Callable[..., Any], make_import: Callable[..., Job]
) -> None:
    connection = make_connection()
    make_import()

    assert secret_of(connection) == PASSWORD
    stored = [
        *VendorDocument.objects.values_list("body", flat=True),
        *Job.objects.values_list("extras", flat=True),
        *Job.objects.values_list("actions__spec", flat=True),
        *AuditEvent.objects.values_list("subject", "detail"),
        *Secret.objects.values_list("ciphertext", flat=True),
    ]
    assert PASSWORD not in json.dumps(stored)


def test_a_password_in_the_url_is_taken_out_of_it(client: APIClient, make_connection: Callable[..., Any]) -> None:
    url = "jdbc:mysql://db.example.org/world?user=jane&password=correct%20horse"
    connection = make_connection(with_properties(password=None, user_name=None, **{"key.connectionUrl": [url]}))
    shown = client.get(f"/rest/connections/{connection.pk}").json()

    assert (secret_of(connection), connection.body["user"]) == (PASSWORD, "jane")
    assert shown["properties"]["key.connectionUrl"] == ["jdbc:mysql://db.example.org/world?user=jane"]


def test_the_id_is_the_last_line_of_each(client: APIClient, make_connection: Callable[..., Any]) -> None:
    connection = make_connection()

    assert client.get("/rest/connections").content.decode() == (
        "[\n  {\n"
        f'    "uuid": "{UUID}",\n'
        f'    "path": "{PATH}",\n'
        '    "description": "MySQL Connection",\n'
        '    "name": "MYSQL_QA1",\n'
        f'    "id": {connection.pk}\n'
        "  }\n]"
    )


def test_a_uuid_of_zeros_becomes_one_of_its_own(make_connection: Callable[..., Any]) -> None:
    file = {**CONNECTION["file"], "uuid": "00000000-0000-0000-0000-000000000000"}
    connection = make_connection({**CONNECTION, "file": file})

    assert connection.body["uuid"].replace("0", "").strip("-")


# -- what reads through it ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("store", [{"path": PATH}, {"uuid": UUID}, {"path": "/moved", "uuid": UUID}])
def test_an_import_reads_through_it(
    make_connection: Callable[..., Any], make_import: Callable[..., Job], store: dict[str, str]
) -> None:
    connection = make_connection()

    assert step(make_import(**store))["spec"]["source"] == {
        "url": "mysql://db.example.org:3306/world",
        "user": "extuser",
        "password": {"secret": connection.body["secret"]},
    }


def test_an_export_writes_into_a_table_through_it(
    client: APIClient, make_connection: Callable[..., Any], settings: Any
) -> None:
    connection = make_connection()
    target = json.dumps({"table": {"connection": PATH, "table": "copies"}})
    properties = {"jobhub.query": ["SELECT 1"], "jobhub.source": [PATH], "jobhub.target": [target]}
    client.post("/rest/export-jobs", {"file": {"path": "/e"}, "properties": properties}, format="json")
    spec = step(Job.objects.get())["spec"]

    assert spec["target"] == {"table": {**spec["source"], "table": "copies"}}
    assert spec["source"]["password"] == {"secret": connection.body["secret"]}


def test_imports_follow_a_connection_that_changes(
    client: APIClient, make_connection: Callable[..., Any], make_import: Callable[..., Job]
) -> None:
    connection, job = make_connection(), make_import()
    changed = with_properties(user_name=["other"], **{"key.connectionUrl": ["jdbc:mysql://db.example.org:3306/moon"]})
    response = client.put(f"/rest/connections/{connection.pk}", changed, format="json")

    assert (response.status_code, response.json()) == (200, {"status": "success"})
    assert step(job)["spec"]["source"]["url"] == "mysql://db.example.org:3306/moon"
    assert step(job)["spec"]["source"]["user"] == "other"


def test_an_import_that_waited_for_its_connection_gets_it(
    make_connection: Callable[..., Any], make_import: Callable[..., Job]
) -> None:
    job = make_import()
    before = step(job)
    make_connection()

    assert before["spec"] == {"message": f"there is no connection '{PATH}'"}
    assert (step(job)["runner"], step(job)["spec"]["source"]["user"]) == ("ingestion", "extuser")


def test_an_import_whose_connection_is_gone_fails_with_that_reason(
    client: APIClient, make_connection: Callable[..., Any], make_import: Callable[..., Job]
) -> None:
    connection, job = make_connection(), make_import()
    response = client.delete(f"/rest/connections/{connection.pk}")

    assert (response.status_code, response.json()) == (200, {"status": "success"})
    assert step(job)["spec"] == {"message": f"there is no connection '{PATH}'"}
    assert not Secret.objects.exists()


def test_an_import_that_was_changed_elsewhere_follows_no_longer(
    client: APIClient, make_connection: Callable[..., Any], make_import: Callable[..., Job]
) -> None:
    connection, job = make_connection(), make_import()
    spec = {**step(job)["spec"], "query": "SELECT 2"}
    patch(job, {"actions": [{"runner": "ingestion", "spec": spec}]}, actor=operator("test"))
    changed = with_properties(**{"key.connectionUrl": ["jdbc:mysql://db.example.org:3306/moon"]})
    client.put(f"/rest/connections/{connection.pk}", changed, format="json")

    assert step(job)["spec"] == spec


def test_a_connection_changes_no_schedule(
    client: APIClient, make_connection: Callable[..., Any], make_import: Callable[..., Job]
) -> None:
    connection, job = make_connection(), make_import()
    patch(job, {"schedules": [{"cron": "30 2 * * *"}]}, actor=operator("test"))
    changed = with_properties(**{"key.connectionUrl": ["jdbc:mysql://db.example.org:3306/moon"]})
    client.put(f"/rest/connections/{connection.pk}", changed, format="json")

    assert step(job)["spec"]["source"]["url"] == "mysql://db.example.org:3306/moon"
    assert [schedule["cron"] for schedule in document_of(job)["schedules"]] == ["30 2 * * *"]


def test_a_change_that_an_import_cannot_follow_is_none(
    client: APIClient, make_connection: Callable[..., Any], make_import: Callable[..., Job]
) -> None:
    connection, job = make_connection(), make_import()
    changed = with_properties(**{"key.connectionUrl": ["jdbc:mysql://127.0.0.1:3306/moon"]})
    response = client.put(f"/rest/connections/{connection.pk}", changed, format="json")
    connection.refresh_from_db()

    assert response.status_code == 400
    assert response.json()["reason"].startswith("/Data/world.imp.properties.jobhub.source")
    assert connection.body["url"] == "mysql://db.example.org:3306/world"
    assert step(job)["spec"]["source"]["url"] == "mysql://db.example.org:3306/world"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"key.connectionUrl": None, "password": None}, "it has no property key.connectionUrl"),
        ({"key.connectionUrl": ["jdbc:db2://h:50000/x"]}, "the hub has no driver for its database"),
        (
            {"key.connectionUrl": ["jdbc:mysql://h/x?tinyInt1isBit=false"]},
            "the property 'tinyInt1isBit' is not allowed",
        ),
        ({"password": ["SECURE:0:op8MeRJ6EyX7hkN2W3GtTg=="]}, "its password is encrypted by another server"),
    ],
)
def test_a_connection_that_cannot_be_used_is_kept(
    client: APIClient,
    make_connection: Callable[..., Any],
    make_import: Callable[..., Job],
    properties: dict[str, Any],
    reason: str,
) -> None:
    connection = make_connection(with_properties(**properties))

    assert reason in step(make_import())["spec"]["message"]
    assert client.get(f"/rest/connections/{connection.pk}").json()["dbType"] == {"name": "MySQL"}


# -- replacing ---------------------------------------------------------------------------------------------------------
def test_a_document_that_was_read_can_be_sent_back(client: APIClient, make_connection: Callable[..., Any]) -> None:
    connection = make_connection()
    shown = client.get(f"/rest/connections/{connection.pk}").json()
    response = client.put(f"/rest/connections/{connection.pk}", {**shown, "typeId": "new"}, format="json")
    connection.refresh_from_db()

    assert response.status_code == 200
    assert (secret_of(connection), connection.body["uuid"]) == (PASSWORD, UUID)
    assert client.get(f"/rest/connections/{connection.pk}").json()["typeId"] == "new"


def test_a_new_password_takes_the_place_of_the_old_one(client: APIClient, make_connection: Callable[..., Any]) -> None:
    connection = make_connection()
    client.put(f"/rest/connections/{connection.pk}", with_properties(password=["another one"]), format="json")
    connection.refresh_from_db()

    assert secret_of(connection) == "another one"
    assert Secret.objects.count() == 1


def test_a_kept_password_goes_to_no_other_server(client: APIClient, make_connection: Callable[..., Any]) -> None:
    connection = make_connection()
    url = "jdbc:mysql://evil.example.org:3306/world"
    changed = with_properties(password=None, **{"key.connectionUrl": [url]})
    response = client.put(f"/rest/connections/{connection.pk}", changed, format="json")

    assert (response.status_code, "another server" in response.json()["reason"]) == (400, True)


@pytest.mark.parametrize("path", ["/Data/late.dst", "Data/late.dst"])
@pytest.mark.parametrize("named", ["/Data/late.dst", "Data/late.dst"])
def test_the_first_slash_of_a_path_is_of_no_matter(
    make_connection: Callable[..., Any], make_import: Callable[..., Job], path: str, named: str
) -> None:
    job = make_import(path=named)
    make_connection({**CONNECTION, "file": {"path": path}})

    assert step(job)["runner"] == "ingestion"


def test_an_encrypted_password_keeps_the_old_one(client: APIClient, make_connection: Callable[..., Any]) -> None:
    connection = make_connection()
    changed = with_properties(password=["SECURE:0:op8MeRJ6EyX7hkN2W3GtTg=="])
    response = client.put(f"/rest/connections/{connection.pk}", changed, format="json")
    connection.refresh_from_db()

    assert (response.status_code, secret_of(connection)) == (200, PASSWORD)
    assert "encrypted" in connection.body["reason"]


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_a_path_that_is_taken(client: APIClient, make_connection: Callable[..., Any]) -> None:
    make_connection()
    response = client.post("/rest/connections", CONNECTION, format="json")

    assert (response.status_code, response.json()["reason"].endswith("already exists")) == (400, True)
    assert Secret.objects.count() == 1


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"password": ["abc"]}, "properties.password: wanted at least 4 characters"),
        ({"password": 7}, "properties.password: wanted a list of texts"),
        ({"key.connectionUrl": ["mysql://jane:secret@h/x"]}, "properties.key.connectionUrl: wanted a JDBC URL"),
        ({"key.connectionUrl": ["jdbc:mysql://h/x?trustCertificateKeyStoreUrl=file:/etc/x"]}, "is not allowed"),
    ],
)
def test_a_property_that_cannot_be(client: APIClient, properties: dict[str, Any], reason: str) -> None:
    response = client.post("/rest/connections", with_properties(**properties), format="json")

    assert response.status_code == 400
    assert reason in response.json()["reason"]
    assert "secret@" not in response.json()["reason"]
    assert not VendorDocument.objects.exists()
    assert not Secret.objects.exists()


def test_its_path_stays(client: APIClient, make_connection: Callable[..., Any]) -> None:
    connection = make_connection()
    changed = {**CONNECTION, "file": {"path": "/other.dst"}}
    response = client.put(f"/rest/connections/{connection.pk}", changed, format="json")

    assert (response.status_code, "file.path" in response.json()["reason"]) == (400, True)


@pytest.mark.parametrize("ref", ["999999", "x", "%00", "9" * 40, "²"])
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_unknown_one(client: APIClient, ref: str, method: str) -> None:
    response = getattr(client, method)(f"/rest/connections/{ref}", CONNECTION, format="json")

    assert response.status_code == 404


def test_a_foreign_one(make_connection: Callable[..., Any], stranger: APIClient, beta: Project) -> None:
    connection = make_connection()

    assert stranger.get(f"/rest/connections/{connection.pk}").status_code == 404
    assert stranger.get("/rest/connections").json() == []


def test_a_member_keeps_connections(client_of: ClientOf, bob: User) -> None:
    response = client_of(bob).post("/rest/connections", CONNECTION, format="json")

    assert response.status_code == 200

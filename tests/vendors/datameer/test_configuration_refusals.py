"""Documents of job configurations that are refused, and by what words."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, User
from tests.conftest import ClientOf, MakeJob
from tests.vendors.datameer.documents import PATH, made, sent, with_properties


def test_a_path_that_is_taken(client: APIClient, document: dict[str, Any], make_job: MakeJob) -> None:
    made(client, "/rest/import-job", document)
    job = made(client, "/rest/export-job", {**document, "file": {"path": "/other"}})
    answers = [
        sent(client, "/rest/import-job", document),
        sent(client, "/rest/workbook", {"file": {"path": PATH.removeprefix("/")}}),
        sent(client, f"/rest/export-job/{job.pk}", document, "PUT"),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert all(answer.json()["reason"].endswith("already exists") for answer in answers)
    assert all(answer.json()["status"] == "failure" for answer in answers)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "file: wanted an object"),
        ("{", "the body is not JSON"),
        ("[]", "wanted a JSON document"),
        ('"x"', "wanted a JSON document"),
        ("null", "wanted a JSON document"),
        ("{}", "file: wanted an object"),
        ('{"file": []}', "file: wanted an object"),
        ('{"file": {}}', "file.path: this field is required"),
        ('{"file": {"path": 7}}', "file.path: wanted a text"),
        ('{"file": {"path": "///"}}', "file.path: this field is required"),
        ('{"file": {"path": "/12"}}', "file.path: must not"),
        ('{"file": {"path": "/a", "description": 7}}', "file.description: wanted a text"),
        (json.dumps({"file": {"path": "/" + "a" * 300}}), "file.path: wanted a length of at most 200"),
        ('{"file": {"path": "/a\\u0000"}}', "the body is not JSON"),
        ('{"file": {"path": "/a"}, "properties": 7}', "properties: wanted an object"),
        (
            '{"file": {"path": "/a"}, "properties": {"jobhub.query": 7}}',
            "properties.jobhub.query: wanted a list of texts",
        ),
        (
            '{"file": {"path": "/a"}, "properties": {"jobhub.query": ["a", "b"]}}',
            "properties.jobhub.query: wanted one text",
        ),
        ('{"file": {"path": "/a"}, "properties": {"jobhub.nonsense": ["a"]}}', "properties.jobhub.nonsense: unknown"),
        ('{"file": {"path": "/a"}, "properties": {"jobhub.actions": ["{"]}}', "properties.jobhub.actions: wanted JSON"),
        ('{"file": {"path": "/a"}, "properties": {"jobhub.actions": ["7"]}}', "actions.0"),
        ('{"file": {"path": "/a"}, "properties": {"jobhub.actions": []}}', "actions"),
        ('{"file": {"path": "/a", "folder": [[]]}, "properties": []}', "properties"),
    ],
)
def test_a_document_that_cannot_be(client: APIClient, body: str, reason: str) -> None:
    response = client.generic("POST", "/rest/import-job", body, content_type="application/json")

    assert (response.status_code, response.json()["status"]) == (400, "failure")
    assert reason in response.json()["reason"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"query": "DELETE FROM t"}, "properties.jobhub.query: wanted a query"),
        ({"target": "relative/path"}, "properties.jobhub.target"),
        ({"target": "/etc/passwd"}, "outside the allowed paths"),
        ({"target": '{"table": 7}'}, "properties.jobhub.target.table"),
        ({"target": "{"}, "properties.jobhub.target: wanted JSON"),
        ({"source": "sqlite:////etc/x"}, "properties.jobhub.source"),
        ({"source": "postgresql://u:secret@db.example/x"}, "a password does not belong"),
        ({"source": "postgresql://127.0.0.1/x"}, "properties.jobhub.source"),
        ({"batch_size": "many"}, "properties.jobhub.batch_size: wanted JSON"),
        ({"batch_size": "0"}, "properties.jobhub.batch_size"),
        ({"schedule": "every day"}, "properties.jobhub.schedule.0.quartz"),
        ({"schedule": "{}"}, "properties.jobhub.schedule.0"),
        ({"strategy": "guess"}, "properties.jobhub.strategy"),
        ({"source": '{"secret": "nobody"}'}, "there is no secret 'nobody'"),
    ],
)
def test_a_property_that_cannot_be(
    client: APIClient, document: dict[str, Any], properties: dict[str, str], reason: str
) -> None:
    response = sent(client, "/rest/import-job", with_properties(document, **properties))

    assert response.status_code == 400, response.content
    assert reason in response.json()["reason"]
    assert not Job.objects.exists()


def test_a_workbook_with_a_privileged_action_needs_an_admin(client_of: ClientOf, bob: User) -> None:
    action = json.dumps({"runner": "command", "spec": {"argv": ["true"]}})
    body = {"file": {"path": "/a"}, "properties": {"jobhub.actions": [action]}}
    response = sent(client_of(bob), "/rest/workbook", body)

    assert (response.status_code, response.json()["status"]) == (403, "failure")
    assert not Job.objects.exists()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_one_of_another_kind_is_an_unknown_one(client: APIClient, document: dict[str, Any], method: str) -> None:
    job = made(client, "/rest/import-job", document)
    response = sent(client, f"/rest/export-job/{job.pk}", document, method)

    assert response.status_code == 404
    assert Job.objects.filter(pk=job.pk).exists()


def test_passwords_are_not_kept_with_a_document(client: APIClient, document: dict[str, Any]) -> None:
    names = ("password", "db.Password", "ssh-key", "api_secret")
    properties = {**document["properties"], **{name: ["hunter22"] for name in names}}
    job = made(client, "/rest/import-job", {**document, "properties": properties})
    job.refresh_from_db()

    assert "hunter22" not in json.dumps(job.extras)
    assert "hunter22" not in client.get(f"/rest/import-job/{job.pk}").content.decode()

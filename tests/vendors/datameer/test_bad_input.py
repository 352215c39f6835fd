"""Requests that nobody should send: refused in the vendor's words, whatever is wrong with them."""

from typing import Any

import pytest
from django.middleware.csrf import _get_new_csrf_string
from rest_framework.test import APIClient

from jobs.models import Job, User

TYPES = ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/xml", ""]
BODY = b'{"file": {"path": "/a"}}'


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("has_token", [True, False])
def test_a_browser_session_with_a_body_of_any_type(alice: User, content_type: str, has_token: bool) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    token = _get_new_csrf_string()
    client.cookies["csrftoken"] = token
    headers = {"X-CSRFToken": token} if has_token else {}
    response = client.generic("POST", "/rest/import-job", BODY, content_type=content_type, headers=headers)

    assert (response.status_code, Job.objects.exists()) == ((200, True) if has_token else (403, False)), (
        response.content
    )
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path", ["/rest", "/rest/", "/rest/job-execution/x/y", "/api/job-execution", "/datameer/", "/api/job-execution/"]
)
def test_an_unknown_path_is_this_faces(client: APIClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert set(response.json()) <= {"error", "status", "reason"}


def test_a_large_body(client: APIClient, settings: Any) -> None:
    body = b'{"file": {"path": "/a", "x": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}}'
    response = client.generic("POST", "/rest/import-job", body, content_type="application/json")

    assert (response.status_code, response.json()["status"]) == (413, "failure")


def test_a_foreign_page_changes_nothing(client: APIClient) -> None:
    response = client.generic("POST", "/rest/import-job", BODY, headers={"Origin": "https://evil.example"})

    assert (response.status_code, response.json()["status"], Job.objects.exists()) == (403, "failure", False)

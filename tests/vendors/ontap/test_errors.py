"""What is said where there is nothing to show: who may not, and paths that lead nowhere."""

import base64
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from jobs.models import User
from tests.conftest import PASSWORD, make_user
from tests.vendors.conftest import basic
from tests.vendors.ontap.conftest import HAL, JOBS, error
from tests.vendors.ontap.rights import UNKNOWN
from vendors.ontap.views.jobs import JobView

NOT_AUTHORIZED = {"message": "User is not authorized.", "code": "6691623"}
NOT_FOUND = {"message": "API not found", "code": "3"}
PATHS = [JOBS, f"{JOBS}/{UNKNOWN}", f"{JOBS}/1", "/api/cluster", "/api/storage/volumes", "/api", "/ontap/api/nonsense"]


# -- who asks ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("credentials", [{}, {"Authorization": basic("alice", "wrong")}, {"Authorization": "Nonsense"}])
def test_nobody_is_told_what_there_is(path: str, credentials: dict[str, str], alice: User, anybody: APIClient) -> None:
    response = anybody.get(path, headers=credentials)

    assert error(response) == (401, NOT_AUTHORIZED)
    assert response.headers["WWW-Authenticate"] == 'Basic realm="ONTAP"'
    assert response.headers["Content-Type"] == HAL
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_passwords_come_in_two_encodings(encoding: str, db: None, anybody: APIClient) -> None:
    user = make_user("jürgen")
    user.set_password("größer 7 Bäume")
    user.save()
    coded = base64.b64encode("jürgen:größer 7 Bäume".encode(encoding)).decode()

    assert anybody.get("/api/cluster", headers={"Authorization": f"Basic {coded}"}).status_code == 200


@pytest.mark.parametrize("coded", ["Basic", "Basic !", "Basic " + "A" * 4000, "Basic //8=", "basic"])
def test_credentials_that_cannot_be_read(coded: str, db: None, anybody: APIClient) -> None:
    assert error(anybody.get(JOBS, headers={"Authorization": coded}))[0] == 401


def test_the_scheme_in_any_case(alice: User, anybody: APIClient) -> None:
    header = basic("alice", PASSWORD).replace("Basic", "bASIC")

    assert anybody.get("/api/cluster", headers={"Authorization": header}).status_code == 200


def test_what_clients_send_along_is_overlooked(client: APIClient) -> None:
    headers = {"X-Dot-Client-App": "netapp-ontap-python", "Content-Type": "application/json", "If-None-Match": "*"}

    assert client.get("/api/cluster", headers=headers).status_code == 200


# -- paths that lead nowhere -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["/api/storage/volumes", "/api/cluster/jobss", "/api", "/api/", "/ontap/api/x"])
def test_nothing_is_there(path: str, method: str, client: APIClient) -> None:
    response = getattr(client, method)(path)

    assert error(response) == (404, NOT_FOUND)
    assert response.headers["Content-Type"] == HAL


def test_something_below_a_job(client: APIClient) -> None:
    wanted = {"message": 'Unexpected argument "more".', "code": "262179"}

    assert error(client.get(f"{JOBS}/{UNKNOWN}/more/and/more")) == (404, wanted)


def test_another_faces_paths_are_its_own(client: APIClient) -> None:
    response = client.get("/api/job-execution")

    assert response.status_code == 404
    assert b"API not found" not in response.content


@pytest.mark.parametrize("method", ["post", "put", "delete"])
@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/{UNKNOWN}"])
def test_a_method_that_jobs_do_not_have(path: str, method: str, client: APIClient) -> None:
    response = getattr(client, method)(path)

    assert error(response) == (405, {"message": "This operation is not supported.", "code": "3"})
    assert response.headers["Allow"] == "GET, PATCH, HEAD, OPTIONS"


@pytest.mark.parametrize("path", [f"{JOBS}?nonsense=1", f"{JOBS}/{UNKNOWN}", "/api/nonsense"])
def test_plain_json_is_refused_in_plain_json(path: str, client: APIClient) -> None:
    assert client.get(path, headers={"Accept": "application/json"}).headers["Content-Type"] == "application/json"


def test_a_browser_gets_a_page(client: APIClient) -> None:
    response = client.get(f"{JOBS}?nonsense=1", headers={"Accept": "text/html"})

    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("text/html")
    assert "Unexpected argument" in response.content.decode()


# -- what goes wrong inside --------------------------------------------------------------------------------------------
def test_the_database_is_away(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobView, "row", _fail(OperationalError("gone")))
    response = client.get(f"{JOBS}/{UNKNOWN}")

    assert error(response) == (503, {"message": "The Job Manager is not initialized.", "code": "458773"})
    assert response.headers["Retry-After"]


def test_a_mistake_of_ours_tells_nothing(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobView, "row", _fail(ZeroDivisionError("inside")))
    status, said = error(client.get(f"{JOBS}/{UNKNOWN}"))

    assert (status, said["code"]) == (500, "1")
    assert "inside" not in said["message"]


def _fail(error: Exception) -> Any:
    def raising(*_: Any) -> Any:
        raise error

    return raising


def test_a_body_above_the_limit(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = client.patch(f"{JOBS}/{UNKNOWN}", {"x": "y" * 2000}, format="json")

    assert error(response)[0] == 413
    assert response.headers["Content-Type"] == HAL

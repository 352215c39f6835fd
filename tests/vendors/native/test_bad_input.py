"""Whatever is sent, the answer is the face's own, and never a 5xx."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution
from tests.conftest import NOOP, MakeJob
from vendors.native.urls import urlpatterns
from vendors.native.views.jobs import JobViewSet

JOBS = "/hub/v1/jobs"
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"\xff", "UTF-8"),
        (b'{"name": "\\ud800"}', "surrogate"),
        (b'{"name": "\\u0000"}', "NUL"),
        (b'{"name": NaN}', "JSON"),
        (b'{"name": "a", "name": "b"}', "twice"),
        (b"[" * 100_000, "depth"),
        (b'{"priority": 1e999}', "infinity"),
        (b'{"priority": ' + b"9" * 50 + b"}", "out of range"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(body: bytes, said: str, client: APIClient) -> None:
    response = client.post(JOBS, body, content_type="application/json")

    assert (response.status_code, response.headers["Content-Type"]) == (400, PROBLEM)
    assert response.json()["type"] == "urn:jobhub:problem:malformed"
    assert said in response.json()["detail"]


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x" * 5000]
)
def test_another_media_type_is_415(media_type: str, client: APIClient) -> None:
    response = client.post(JOBS, b'{"name": "a"}', content_type=media_type)

    assert (response.status_code, response.headers["Content-Type"]) == (415, PROBLEM)


def test_json_may_name_its_charset(client: APIClient, make_job: MakeJob) -> None:
    make_job("a")
    response = client.post(f"{JOBS}/a/hold", b'{"reason": "\xc3\xa4"}', content_type="application/json; charset=utf-8")

    assert response.json()["hold"]["reason"] == "ä"


# -- size --------------------------------------------------------------------------------------------------------------
def test_a_body_above_the_limit_is_413(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answers = [client.post(JOBS, b" " * size, content_type="application/json") for size in (1000, 1001)]

    assert [(answer.status_code, answer.headers["Content-Type"]) for answer in answers] == [
        (400, PROBLEM),
        (413, PROBLEM),
    ]
    assert "JOBHUB_MAX_BODY" in answers[1].json()["detail"]


class Endless:
    """A body that never ends, and knows how much of it was read."""

    n_read = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "nobody reads an endless body to its end"
        self.n_read += size
        return b" " * size

    readline = read


def chunked(client: APIClient, body: object) -> Any:
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body}
    return client.generic("POST", JOBS, content_type="application/json", **environ)


def test_a_chunked_body_is_read(client: APIClient) -> None:
    response = chunked(client, BytesIO(json.dumps({"name": "a", "actions": [NOOP]}).encode()))

    assert (response.status_code, response.json()["name"]) == (201, "a")


def test_a_chunked_body_above_the_limit_is_413(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = Endless()
    response = chunked(client, body)

    assert (response.status_code, response.headers["Content-Type"]) == (413, PROBLEM)
    assert body.n_read == 1001


def test_an_announced_body_above_the_limit_is_not_read(client: APIClient) -> None:
    body = Endless()
    response = client.generic(
        "POST", JOBS, content_type="application/json", CONTENT_LENGTH="9" * 30, **{"wsgi.input": body}
    )

    assert (response.status_code, body.n_read) == (413, 0)


@pytest.mark.parametrize("length", ["-5", "abc", "1.5", "²"])
def test_a_length_that_is_none_is_400(length: str, client: APIClient) -> None:
    assert client.generic("POST", JOBS, CONTENT_LENGTH=length).status_code == 400


# -- paths and methods -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path",
    ["/hub/v1/nope", "/hub/v1/jobs/", "/hub/v1/executions/1/nope", "/hub/v1/executions/", "/hub/v1//jobs", "/hub/v1",
     "/hub/v1/\0", "/hub/v1/%00", "/hub/v1/é", "/hub/v1/" + "x" * 9000, "/nope", "/hub", "/hub/v2/jobs"],
)  # fmt: skip
def test_an_unknown_path_is_a_404_in_json(path: str, client: APIClient) -> None:
    response = client.get(path)

    assert (response.status_code, response.headers["Content-Type"]) == (404, PROBLEM)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/hub/v1/jobs", {"GET", "POST", "HEAD", "OPTIONS"}),
        ("DELETE", "/hub/v1/executions", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/hub/v1/jobs/a/trigger", {"POST", "OPTIONS"}),
        ("TRACE", "/hub/v1/jobs", {"GET", "POST", "HEAD", "OPTIONS"}),
        ("PROPFIND", "/hub/v1/jobs", {"GET", "POST", "HEAD", "OPTIONS"}),
        ("POST", "/hub/v1/me", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_another_method_is_405_and_says_which_are_known(
    method: str, path: str, allowed: set[str], client: APIClient
) -> None:
    response = client.generic(method, path)

    assert (response.status_code, response.headers["Content-Type"]) == (405, PROBLEM)
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_head_is_get_without_a_body(client: APIClient, make_job: MakeJob) -> None:
    job = make_job()
    head, get = client.head(f"{JOBS}/{job.pk}"), client.get(f"{JOBS}/{job.pk}")

    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", get.headers["ETag"])


@pytest.mark.parametrize("route", sorted({str(one.pattern) for one in urlpatterns}))
def test_options_say_what_can_be_done(route: str, client: APIClient) -> None:
    response = client.options(f"/hub/v1/{route.replace('<path:ref>', '1').replace('<str:ref>', '1')}")

    assert response.status_code == 200
    assert list(response.json()) == ["name", "description", "renders", "parses"]
    assert "OPTIONS" in response.headers["Allow"]


@pytest.mark.parametrize("accept", ["", "*/*", "image/png", "application/xml;q=0.9", "x" * 9000, ";;;", "text/*;q=x"])
def test_any_accept_gets_json(accept: str, client: APIClient) -> None:
    response = client.get(JOBS, headers={"Accept": accept})

    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("name", ["a\u202eb", "a\nb", "\u0000", " a", "a ", "🎉" * 201, "0" * 300, "../../etc"])
def test_strange_names_make_no_5xx(name: str, client: APIClient) -> None:
    made = client.post(JOBS, {"name": name, "actions": [NOOP]}, format="json")
    found = client.get(f"{JOBS}/{name}")

    assert (made.status_code, found.status_code) in {(201, 200), (400, 404)}


def test_a_wrong_host_is_400(client: APIClient) -> None:
    response = client.get(JOBS, headers={"Host": "evil.example"})

    assert (response.status_code, response.headers["Content-Type"]) == (400, PROBLEM)
    assert "JOBHUB_HOSTS" in response.json()["detail"]


# -- the hub's own trouble ---------------------------------------------------------------------------------------------
def test_a_bug_is_a_500_that_tells_nothing(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("the secret is 42")

    monkeypatch.setattr(JobViewSet, "get_queryset", fail)
    response = Client().get(JOBS, headers={"Authorization": client.defaults["HTTP_AUTHORIZATION"]})

    assert (response.status_code, response.headers["Content-Type"]) == (500, PROBLEM)
    assert "42" not in response.content.decode()
    assert "the secret is 42" in caplog.text


def test_a_database_that_is_away_is_a_503(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("could not connect to server at 10.0.0.7")

    monkeypatch.setattr(JobViewSet, "get_queryset", fail)
    response = client.get(JOBS)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "10.0.0.7" not in response.content.decode()


def test_an_answer_carries_whatever_the_database_holds(client: APIClient, make_job: MakeJob) -> None:
    job = make_job("a")
    Job.objects.filter(pk=job.pk).update(params={"big": 10**30})

    assert client.get(f"{JOBS}/{job.pk}").json()["params"] == {"big": 10**30}
    assert not JobExecution.objects.exists()

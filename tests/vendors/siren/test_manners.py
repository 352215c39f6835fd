"""Elasticsearch's manners: which server this is, slashes, HEAD, media types, errors; and who comes in."""

import base64
import json
from collections.abc import Callable

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from jobs.engine.keys import revoke_key
from jobs.engine.rights import Actor
from jobs.models import ApiKey, AuditEvent, Job, JobExecution, Level, User
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.conftest import basic
from tests.vendors.siren.conftest import CONNECTOR, DATASOURCE, INDEX, JOBS, reason_of

EVENTS = f"{JOBS}/ingestion/events"
CHALLENGE = 'Basic realm="security" charset="UTF-8"'
INDEX_BODY = '{"datasource": "shop", "resource": "events"}'
VENDORS_JSON = [
    "application/vnd.elasticsearch+json; compatible-with=8",
    "application/vnd.elasticsearch+json;compatible-with=9",
    "application/vnd.elasticsearch+x-ndjson",
    "application/yaml",
    "text/plain",
    "nonsense",
    "",
]
KeyOf = Callable[..., str]


@pytest.fixture
def events(make_job: MakeJob) -> Job:
    return make_job("events", kind="ingestion", concurrency_limit=0)


# -- which server this is ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/", "/siren/"])
def test_anybody_may_ask_which_elasticsearch_this_is(anybody: APIClient, path: str) -> None:
    response = anybody.get(path, headers={"Authorization": "Basic nonsense"})
    body = response.json()

    assert (response.status_code, response.headers["X-Elastic-Product"]) == (200, "Elasticsearch")
    assert body["version"]["number"].startswith("7.17.")
    assert (body["version"]["build_flavor"], body["tagline"]) == ("default", "You Know, for Search")


def test_below_its_own_mount_it_says_nothing_else(anybody: APIClient) -> None:
    body = anybody.get("/siren/").json()

    assert list(body) == ["name", "cluster_name", "cluster_uuid", "version", "tagline"]
    assert {**anybody.get("/").json(), **body} == anybody.get("/").json()


def test_a_ping_has_no_body(anybody: APIClient) -> None:
    assert [anybody.head(path).status_code for path in ("/", "/siren/")] == [200, 200]


# -- paths -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("mount", ["", "/siren"])
def test_a_slash_at_the_end_changes_nothing(
    client: APIClient, events: Job, make_execution: MakeExecution, mount: str, end: str
) -> None:
    make_execution(events, State.SUCCEEDED)
    paths = [EVENTS, f"{JOBS}/ingestion", f"{JOBS}/_search", f"{CONNECTOR}/ingestion/_search", f"{EVENTS}/_abort"]
    verbs = [client.get, client.get, client.get, client.get, client.post]

    assert [verb(f"{mount}{path}{end}").status_code for verb, path in zip(verbs, paths, strict=True)] == [200] * 5


def test_head_is_get_without_a_body(client: APIClient, events: Job, make_execution: MakeExecution) -> None:
    make_execution(events, State.SUCCEEDED)

    assert [client.head(path).status_code for path in (EVENTS, f"{EVENTS}-none")] == [200, 404]


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("path", ["/_siren/x?a=1", f"{CONNECTOR}/export/x", f"{DATASOURCE}/_x", "/siren/_cat/indices"])
def test_an_unknown_path_has_no_handler(client: APIClient, method: str, path: str) -> None:
    response = getattr(client, method)(path)

    assert response.status_code == 400
    assert response.json() == {"error": f"no handler found for uri [{path}] and method [{method.upper()}]"}


def test_a_method_that_a_path_does_not_take(client: APIClient, db: None) -> None:
    response = client.post(f"{DATASOURCE}/shop?pretty")

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, PUT, DELETE, HEAD, OPTIONS")
    assert response.json()["error"].endswith("and method [POST], allowed: [GET, PUT, DELETE]")


# -- bodies and answers ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("accept", VENDORS_JSON)
def test_every_answer_is_elasticsearchs_json(client: APIClient, events: Job, accept: str) -> None:
    for path in (f"{JOBS}/_search", EVENTS, f"{JOBS}/_nonsense"):
        response = client.get(path, headers={"Accept": accept})
        assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert response.headers["X-Elastic-Product"] == "Elasticsearch"


@pytest.mark.parametrize("content_type", [*VENDORS_JSON, "application/x-www-form-urlencoded"])
def test_a_body_is_json_whatever_it_is_called(client: APIClient, db: None, content_type: str) -> None:
    response = client.generic("PUT", f"{INDEX}/events", INDEX_BODY, content_type=content_type)

    assert response.status_code == 201, response.content


def test_a_put_wants_a_body(client: APIClient, db: None) -> None:
    response = client.put(f"{INDEX}/events")

    assert (response.status_code, response.json()["error"]["type"]) == (400, "parse_exception")
    assert reason_of(response) == "request body is required"


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "null", "not JSON", "{", '{"a": 1e999}'])
def test_a_body_that_is_no_object(client: APIClient, db: None, text: str) -> None:
    response = client.generic("PUT", f"{INDEX}/events", text, content_type="application/json")

    assert (response.status_code, response.json()["error"]["type"]) == (400, "parse_exception")


def test_pretty_is_for_eyes(client: APIClient, db: None) -> None:
    lines = client.get(f"{JOBS}/_search?pretty").content.decode().split("\n")

    assert lines[:3] == ["{", '  "hits" : {', '    "total" : 0,']
    assert lines[-1] == ""
    assert client.get(f"{JOBS}/_search?pretty=false").content == b'{"hits":{"total":0,"hits":[]}}'


def test_a_browser_gets_pages_with_forms(client: APIClient, db: None) -> None:
    pages = [f"{JOBS}/_search", f"{CONNECTOR}/ingestion/_search", f"{DATASOURCE}/none", "/siren/"]
    answers = [client.get(path, headers={"Accept": "text/html"}) for path in pages]

    assert [answer.headers["Content-Type"].partition(";")[0] for answer in answers] == ["text/html"] * 4


# -- who comes in ------------------------------------------------------------------------------------------------------
def test_who_brings_nothing_is_told_what_to_bring(anybody: APIClient) -> None:
    response = anybody.get(f"{JOBS}/_search?size=1")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith(CHALLENGE)
    assert response.json()["error"]["type"] == "security_exception"
    assert reason_of(response) == f"missing authentication credentials for REST request [{JOBS}/_search?size=1]"


def api_key(text: str) -> str:
    return "ApiKey " + base64.b64encode(text.encode()).decode()


def test_a_key_of_the_hub_is_an_api_key(anybody: APIClient, bob: User, key_of: KeyOf) -> None:
    key = key_of(bob)
    schemes = [api_key(key.replace(".", ":")), f"Bearer {key}", basic("bob")]

    assert [anybody.get(f"{JOBS}/_search", headers={"Authorization": one}).status_code for one in schemes] == [200] * 3


@pytest.mark.parametrize("text", ["", ":", "nonsense", "0123456789abcdef:wrong", "\0:\0", "ü:ü"])
def test_a_wrong_api_key(anybody: APIClient, bob: User, text: str) -> None:
    for header in (api_key(text), f"ApiKey {text}".encode().decode("latin-1"), "ApiKey", "Digest x"):
        assert anybody.get(f"{JOBS}/_search", headers={"Authorization": header}).status_code == 401


@pytest.fixture
def open_to(monkeypatch: pytest.MonkeyPatch, key_of: KeyOf) -> Callable[..., ApiKey]:
    """`open_to(user, level)`: whoever comes without credentials acts by that key."""

    def set_up(user: User, level: str) -> ApiKey:
        key_id = key_of(user, level).partition(".")[0]
        monkeypatch.setitem(settings.HUB, "SIREN_ANONYMOUS", key_id)
        return ApiKey.objects.get(key_id=key_id)

    return set_up


def test_who_brings_nothing_acts_by_the_key_that_the_operator_names(
    anybody: APIClient, bob: User, events: Job, open_to: Callable[..., ApiKey]
) -> None:
    key = open_to(bob, Level.RESTRICTED)
    started = anybody.post(f"{CONNECTOR}/ingestion/events/_run")
    aborted = anybody.post(f"{EVENTS}/_abort")

    assert (started.status_code, aborted.status_code) == (200, 403)
    assert (JobExecution.objects.get().requested_by, JobExecution.objects.get().requested_key) == ("bob", key.key_id)
    assert AuditEvent.objects.filter(deed="trigger", key_id=key.key_id, face="siren").exists()


def test_nobody_without_credentials_uses_privileged_runners(
    anybody: APIClient, alice: User, make_job: MakeJob, open_to: Callable[..., ApiKey]
) -> None:
    make_job("events", kind="ingestion")
    open_to(alice, Level.ADMIN)
    body = {"ingest": {"datasource": "shop", "query": "SELECT 1 AS id", "target": "events"}}
    anybody.put(f"{DATASOURCE}/shop", {"jdbc": {"url": "jdbc:db2://h/d"}}, format="json")

    assert anybody.put(f"{CONNECTOR}/ingestion/other", body, format="json").status_code == 201
    assert anybody.put(f"{CONNECTOR}/ingestion/events", body, format="json").status_code == 403


def test_wrong_credentials_are_not_as_good_as_none(
    anybody: APIClient, bob: User, open_to: Callable[..., ApiKey]
) -> None:
    open_to(bob, Level.NORMAL)

    assert anybody.get(f"{JOBS}/_search").status_code == 200
    assert anybody.get(f"{JOBS}/_search", headers={"Authorization": basic("bob", "wrong")}).status_code == 401


def test_a_key_that_has_ended_lets_nobody_in(
    anybody: APIClient, bob: User, op: Actor, open_to: Callable[..., ApiKey]
) -> None:
    revoke_key(open_to(bob, Level.NORMAL), actor=op)

    assert anybody.get(f"{JOBS}/_search").status_code == 401


def test_other_faces_stay_closed(anybody: APIClient, bob: User, open_to: Callable[..., ApiKey]) -> None:
    open_to(bob, Level.NORMAL)

    assert anybody.get("/hub/v1/jobs").status_code == 401
    assert json.loads(anybody.get("/hub/v1/me").content)["status"] == 401


# -- as seen by --------------------------------------------------------------------------------------------------------
def test_a_run_that_is_no_longer_the_last_is_an_entry_of_the_log(
    client: APIClient, events: Job, make_execution: MakeExecution
) -> None:
    old, new = make_execution(events, State.FAILED), make_execution(events, State.SUCCEEDED)
    seen = {}
    for execution in (old, new):
        faces = client.get(f"/hub/v1/executions/{execution.pk}/faces").json()["results"]
        seen[execution] = next(face for face in faces if face["face"] == "siren")

    assert (seen[new]["id"], seen[old]["id"]) == ("events", f"events{old.log_uuid}")
    for one in seen.values():
        assert client.get(one["url"].removeprefix("http://testserver")).json() == one["body"]

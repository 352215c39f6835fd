"""Scripts that use Siren's connector through elasticsearch-py 7, 8 and 9, unmodified but for the host."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.hub import ClientsHub
from tests.clients.siren.conftest import Client, call

QUERY = "SELECT id, name FROM events {{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}} ORDER BY id"
DONE = {"is_running": False, "infos": "The job is done.", "state": "successful", "count": 2500, "last_id": "2500"}


def ingest(name: str, **fields: Any) -> dict[str, Any]:
    return {"ingest": {"datasource": name, "query": QUERY, "target": name, "pk_field": "id", **fields}}


def bodies(answers: list[dict[str, Any]]) -> list[Any]:
    assert [answer["raised"] for answer in answers] == [""] * len(answers)
    return [answer["body"] for answer in answers]


# -- a life ------------------------------------------------------------------------------------------------------------
def test_from_the_datasource_to_the_log(client: Client, hub: ClientsHub, name: str, jdbc: str) -> None:
    *_, validated, _, started, job, log, stopped = bodies(
        client(
            {"typed": "info"},
            {"typed": "ping"},
            call("PUT", f"datasource/{name}", {"jdbc": {"driver": "org.sqlite.JDBC", "url": jdbc}}),
            call("POST", f"datasource/{name}/_validate"),
            call("PUT", f"ingestion/{name}", ingest(name, batch_size=500)),
            call("POST", f"ingestion/{name}/_run"),
            {"poll": f"/_siren/connector/jobs/ingestion/{name}"},
            call("GET", "jobs/_search", params={"type": "ingestion", "id": name, "state": "successful"}),
            call("POST", f"jobs/ingestion/{name}/_abort"),
        )
    )

    assert validated["valid"] is True
    assert (started["status"]["state"], started["status"]["count"]) == ("running", 0)
    assert job["status"].items() >= DONE.items()
    assert (log["hits"]["total"], log["hits"]["hits"][0]["_source"]) == (1, {"ingestion": job["status"]})
    assert stopped == job
    assert len((hub.data / "index" / f"{name}.jsonl").read_text().splitlines()) == 2500


def test_documents_are_got_listed_replaced_and_deleted(client: Client, name: str, jdbc: str) -> None:
    first, second, got, listed, gone = bodies(
        client(
            call("PUT", f"datasource/{name}", {"jdbc": {"url": jdbc, "password": "s3cret-of-all"}}),
            call("PUT", f"datasource/{name}", {"jdbc": {"url": jdbc, "username": "jane"}}),
            call("GET", f"datasource/{name}"),
            call("GET", "datasource/_search", params={"size": 1000}),
            call("DELETE", f"datasource/{name}"),
        )
    )

    assert ([one["result"] for one in (first, second, gone)], second["_version"]) == (
        ["created", "updated", "deleted"],
        2,
    )
    assert got["_source"] == {"jdbc": {"url": jdbc, "username": "jane"}}
    assert {"_id": name, "_source": got["_source"]} in listed["hits"]["hits"]


def test_a_job_that_another_api_made_is_ended(
    client: Client, hub: ClientsHub, name: str, apply: Callable[..., None]
) -> None:
    apply({"name": f"nightly/{name}", "actions": [{"runner": "command", "spec": {"argv": ["sleep", "60"]}}]})
    hub.ask("POST", f"jobs/nightly%2F{name}/trigger", {})
    path = f"jobs/command/nightly%2F{name}"
    _, running, job = bodies(
        client(call("POST", f"{path}/_abort"), call("GET", "jobs/command"), {"poll": f"/_siren/connector/{path}"})
    )

    assert f"nightly/{name}" not in [
        hit["_id"] for hit in running["hits"]["hits"] if hit["_source"]["command"]["state"] == "running"
    ]
    assert (job["status"]["state"], job["status"]["is_aborting"]) == ("aborted", True)
    assert hub.wait_for_end(f"nightly/{name}")["state"] == "aborted"


# -- the client's own exceptions ---------------------------------------------------------------------------------------
def test_what_goes_wrong_is_raised_as_the_client_does(client: Client, version: int, name: str, jdbc: str) -> None:
    answers = client(
        call("PUT", f"datasource/{name}", {"jdbc": {"url": jdbc}}),
        call("PUT", f"ingestion/{name}", ingest(name)),
        call("PUT", f"ingestion/{name}", ingest(name), params={"op_type": "create"}),
        call("GET", f"jobs/ingestion/{name}-none"),
        call("GET", "jobs/_search", params={"start_time_to": "abc"}),
        call("GET", "nonsense"),
        call("PUT", "jobs/_search", {}),
    )[2:]

    bad = "RequestError" if version == 7 else "BadRequestError"
    assert [(answer["raised"], answer["status"]) for answer in answers] == [
        ("ConflictError", 409),
        ("NotFoundError", 404),
        (bad, 400),
        (bad, 400),
        ("TransportError" if version == 7 else "ApiError", 405),
    ]
    assert answers[1]["body"] == {"_id": f"{name}-none", "type": "ingestion", "found": False}


def test_a_head_of_nothing_is_false(client: Client, name: str) -> None:
    [missing] = bodies(client(call("HEAD", f"jobs/ingestion/{name}")))

    assert missing is False


def test_wrong_passwords_are_authentication_errors(client: Client, version: int) -> None:
    basic = {"http_auth" if version == 7 else "basic_auth": ["admin", "wrong"]}
    [answer] = client(call("GET", "jobs/_search"), login=basic)

    assert (answer["raised"], answer["status"]) == ("AuthenticationException", 401)
    assert answer["body"]["error"]["type"] == "security_exception"


# -- ways in -----------------------------------------------------------------------------------------------------------
def test_a_key_of_the_hub_is_an_api_key(client: Client, hub: ClientsHub) -> None:
    key_id, _, secret = hub.key("restricted").partition(".")
    log, put = client(call("GET", "jobs/_search"), call("PUT", "index/events", {}), login={"api_key": [key_id, secret]})

    assert log["body"]["hits"]["total"] >= 0
    assert (put["raised"], put["status"]) == ("AuthorizationException", 403)


def test_a_client_may_be_given_the_faces_own_address(client: Client) -> None:
    info, log = bodies(client({"typed": "info"}, call("GET", "jobs/_search"), below="/siren"))

    assert "jobhub" not in info
    assert log["hits"]["total"] >= 0


def test_the_vendors_media_types_are_taken(client: Client, name: str) -> None:
    body = {"datasource": name, "resource": "events"}
    made = bodies(client(call("PUT", f"index/{name}", body), env={"ELASTIC_CLIENT_APIVERSIONING": "1"}))

    assert made[0]["result"] == "created"


# -- the transport -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", [8, 9], ids=lambda version: f"client {version}")
def test_the_transport_of_8_and_9_sends_no_credentials_and_raises_nothing(client: Client, hub: ClientsHub) -> None:
    refused, missing = bodies(
        client(
            call("GET", "jobs/_search"),
            call("GET", "jobs/ingestion/nothing", headers={"authorization": f"Bearer {hub.key()}"}),
            through="transport",
        )
    )

    assert (refused["status"], refused["error"]["type"]) == (401, "security_exception")
    assert missing == {"_id": "nothing", "type": "ingestion", "found": False}

"""Datasources: put, got, listed, deleted and validated."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.engine import secrets
from jobs.models import Project, Secret
from tests.databases import Database, MakeDatabase
from tests.vendors.siren.conftest import CONNECTOR, DATASOURCE, jdbc_of, reason_of
from vendors.models import VendorDocument

ONE = f"{DATASOURCE}/shop"
VALIDATE = f"{ONE}/_validate"
PASSWORD = "s3cret/of:jane@home"
JDBC = {
    "driver": "org.postgresql.Driver",
    "url": "jdbc:postgresql://203.0.113.7:5432/shop",
    "username": "jane",
    "password": PASSWORD,
}
URL = "postgresql://jane:s3cret%2Fof%3Ajane%40home@203.0.113.7:5432/shop"


def put(client: APIClient, path: str = ONE, **jdbc: Any) -> Any:
    return client.put(path, {"jdbc": jdbc}, format="json")


def kept(project: Project) -> str:
    return secrets.reveal(Secret.objects.get().name, project.pk)


# -- put and got -------------------------------------------------------------------------------------------------------
def test_a_new_one_is_created_and_then_replaced(client: APIClient, db: None) -> None:
    answers = [put(client, **JDBC) for _ in range(2)]

    assert [(one.status_code, one.json()["_version"], one.json()["result"]) for one in answers] == [
        (201, 1, "created"),
        (200, 2, "updated"),
    ]


def test_the_password_is_a_secret_and_never_shown(client: APIClient, alpha: Project) -> None:
    put(client, **JDBC, unknown=1)
    shown = {name: value for name, value in JDBC.items() if name != "password"}

    assert kept(alpha) == URL
    assert client.get(ONE).json()["_source"] == {"jdbc": {**shown, "unknown": 1}}
    assert client.get(f"{DATASOURCE}/_search").json()["hits"]["hits"] == [
        {"_id": "shop", "_source": {"jdbc": {**shown, "unknown": 1}}}
    ]
    assert "s3cret" not in str(VendorDocument.objects.values_list("body", flat=True))


@pytest.mark.parametrize(
    "given",
    [
        {"url": f"{JDBC['url']}?user=jane&password=s3cret%2Fof%3Ajane%40home"},
        {"url": JDBC["url"], "properties": {"user": "jane", "password": PASSWORD}},
        {"url": JDBC["url"], "properties": {"User": "jane", "PASSWORD": PASSWORD}, "Password": PASSWORD},
        {"url": "jdbc:postgresql://jane:s3cret%2Fof%3Ajane%40home@203.0.113.7:5432/shop"},
    ],
)
def test_a_password_elsewhere_is_a_secret_too(client: APIClient, alpha: Project, given: dict[str, Any]) -> None:
    assert put(client, **given).status_code == 201
    assert kept(alpha) == URL
    assert b"s3cret" not in client.get(ONE).content


@pytest.mark.parametrize("left_out", [{}, {"password": None}])
def test_a_put_without_the_password_keeps_it(client: APIClient, alpha: Project, left_out: dict[str, Any]) -> None:
    put(client, **JDBC)
    put(client, **{**JDBC, "username": "joe", "password": None, **left_out})

    assert kept(alpha) == URL.replace("jane:", "joe:")


def test_an_empty_password_is_none(client: APIClient, alpha: Project) -> None:
    put(client, **JDBC)
    put(client, **{**JDBC, "password": ""})

    assert kept(alpha) == "postgresql://jane:@203.0.113.7:5432/shop"


def test_the_password_of_a_deleted_one_is_gone(client: APIClient, alpha: Project) -> None:
    put(client, **JDBC)
    client.delete(ONE)
    assert not Secret.objects.exists()

    put(client, **{**JDBC, "password": None})
    assert kept(alpha) == "postgresql://jane:@203.0.113.7:5432/shop"


def test_properties_of_a_driver_become_the_hubs(client: APIClient, alpha: Project) -> None:
    put(client, **{**JDBC, "password": ""}, properties={"ssl": True})

    assert kept(alpha).endswith("/shop?sslmode=verify-full")
    assert client.get(ONE).json()["_source"]["jdbc"]["properties"] == {"ssl": True}


def test_another_elasticsearch_is_kept(client: APIClient, db: None) -> None:
    put(client, **JDBC)
    client.put(ONE, {"elastic": {"alias": "remotename"}}, format="json")

    assert client.get(ONE).json()["_source"] == {"elastic": {"alias": "remotename"}}
    assert not Secret.objects.exists()


def test_the_plural_of_the_vendors_page_is_the_same(client: APIClient, db: None) -> None:
    put(client, f"{CONNECTOR}/datasources/shop", **JDBC)

    assert client.get(f"{CONNECTOR}/datasources/shop").json() == client.get(ONE).json()
    assert client.get(f"{CONNECTOR}/datasources/_search").json()["hits"]["total"] == 1


def test_create_only_leaves_what_is_there(client: APIClient, alpha: Project) -> None:
    put(client, **JDBC)
    response = put(client, f"{ONE}?op_type=create", **{**JDBC, "password": "another one"})

    assert response.status_code == 409
    assert reason_of(response) == "[shop]: version conflict, document already exists (current version [1])"
    assert kept(alpha) == URL


def test_ids_that_read_alike_are_two(client: APIClient, db: None) -> None:
    for id in ("a b", "a-b", "ä" * 100):
        put(client, f"{DATASOURCE}/{id}", **JDBC)

    assert Secret.objects.count() == 3


# -- deleted, unknown, foreign -----------------------------------------------------------------------------------------
def test_a_deleted_one_is_gone(client: APIClient, db: None) -> None:
    put(client, **JDBC)

    assert client.delete(ONE).json() == {"_id": "shop", "found": True, "result": "deleted"}
    again = client.delete(ONE)
    assert (again.status_code, again.json()) == (404, {"_id": "shop", "found": False, "result": "not_found"})
    assert client.get(ONE).status_code == client.post(VALIDATE).status_code == 404


def test_a_foreign_one_is_unknown(client: APIClient, stranger: APIClient) -> None:
    put(client, **JDBC)

    assert stranger.get(ONE).json() == {"_id": "shop", "found": False}
    assert stranger.delete(ONE).status_code == stranger.post(VALIDATE).status_code == 404
    assert stranger.get(f"{DATASOURCE}/_search").json()["hits"]["total"] == 0


# -- refused -----------------------------------------------------------------------------------------------------------
REFUSED: list[tuple[Any, str]] = [
    ({}, "wanted either jdbc or elastic"),
    ({"jdbc": JDBC, "elastic": {"alias": "x"}}, "wanted either jdbc or elastic"),
    ({"jdbc": []}, "jdbc: "),
    ({"jdbc": {}}, "jdbc.url: this field is required"),
    ({"elastic": {}}, "elastic.alias: this field is required"),
    ({"mongo": {}}, "mongo: unknown field"),
    ({"jdbc": {**JDBC, "url": "postgresql://h/d"}}, "jdbc.url: wanted a JDBC URL"),
    ({"jdbc": {**JDBC, "url": "jdbc:postgresql://127.0.0.1/d"}}, "jdbc.url: "),
    ({"jdbc": {**JDBC, "url": "jdbc:sqlite:/etc/passwd"}}, "jdbc.url: '/etc/passwd' is outside the allowed paths"),
    ({"jdbc": {**JDBC, "properties": {"socketFactory": "x"}}}, "jdbc.url: the property 'socketFactory'"),
    ({"jdbc": {**JDBC, "url": "jdbc:oracle:thin:scott/tiger@//h/x"}}, "jdbc.url: the hub has no driver"),
    ({"jdbc": {**JDBC, "unknown": "x" * 300_000}}, "the document is longer than"),
]


@pytest.mark.parametrize(("body", "reason"), REFUSED)
def test_what_cannot_be_is_refused_and_named(client: APIClient, sql_guards: None, body: Any, reason: str) -> None:
    response = client.put(ONE, body, format="json")

    assert response.status_code == 400, response.content
    assert reason_of(response).startswith(reason)
    assert (VendorDocument.objects.count(), Secret.objects.count()) == (0, 0)


# -- validated ---------------------------------------------------------------------------------------------------------
def test_a_database_that_answers(client: APIClient, shop: Database) -> None:
    put(client, url=jdbc_of(shop))

    assert client.post(VALIDATE).json() == {"_id": "shop", "valid": True}


def test_the_one_in_the_body_is_tried_and_not_kept(client: APIClient, shop: Database) -> None:
    response = client.post(VALIDATE, {"jdbc": {"url": jdbc_of(shop)}}, format="json")

    assert (response.status_code, VendorDocument.objects.count()) == (200, 0)


def test_why_it_fails_is_told_in_the_databases_words(client: APIClient, shop: Database) -> None:
    response = client.post(VALIDATE, {"jdbc": {"url": f"{jdbc_of(shop)}-none"}}, format="json")

    assert response.status_code == 400
    assert reason_of(response).endswith("unable to open database file")


@pytest.fixture
def login(sql_guards: None, make_database: MakeDatabase) -> Iterator[dict[str, str]]:
    """Of a user with a password, on a server."""
    database = make_database("mysql")
    name = f"jobhub_{uuid.uuid4().hex[:8]}"
    database.run(f"CREATE USER {name} IDENTIFIED BY '{PASSWORD}'", f"GRANT SELECT ON *.* TO {name}")
    yield {"url": database.url.replace("mysql://root@", "jdbc:mysql://"), "username": name, "password": PASSWORD}
    database.run(f"DROP USER {name}")


@pytest.mark.mysql
def test_the_stored_password_is_tried_where_the_body_has_none(client: APIClient, login: dict[str, str]) -> None:
    body = {"jdbc": {name: login[name] for name in ("url", "username")}}
    before = client.post(VALIDATE, body, format="json")
    put(client, **login)

    assert "Access denied" in reason_of(before)
    assert client.post(VALIDATE, body, format="json").status_code == client.post(VALIDATE).status_code == 200


@pytest.mark.mysql
def test_a_wrong_password_is_not_told(client: APIClient, login: dict[str, str]) -> None:
    response = client.post(VALIDATE, {"jdbc": {**login, "password": "the-wrong-one"}}, format="json")

    assert "Access denied" in reason_of(response)
    assert b"the-wrong-one" not in response.content


def test_a_database_without_a_driver(client: APIClient, db: None) -> None:
    put(client, url="jdbc:db2://h:50000/d", username="jane", password=PASSWORD)

    assert reason_of(client.post(VALIDATE)) == "the hub has no driver for this datasource"

"""`/identity/v3/auth/tokens`: logins by password and by token, read and revoked."""

import re
from datetime import datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.engine import refusals
from jobs.engine.members import set_user
from jobs.engine.rights import Actor
from jobs.models import AuditEvent, Project, Token, User
from tests.conftest import PASSWORD

URL = "/identity/v3/auth/tokens"
REFUSED = {
    "error": {
        "code": 401,
        "message": "The request you have made requires authentication.",
        "title": "Unauthorized",
    }
}


def ask(client: APIClient, identity: Any, scope: Any = None) -> Any:
    auth = {"identity": identity, **({} if scope is None else {"scope": scope})}
    return client.post(URL, {"auth": auth}, format="json")


def password(name: str = "alice", word: str = PASSWORD, domain: str = "Default", **user: Any) -> dict[str, Any]:
    given = user or {"name": name, "domain": {"name": domain}}
    return {"methods": ["password"], "password": {"user": {**given, "password": word}}}


def in_alpha() -> dict[str, Any]:
    return {"project": {"name": "alpha", "domain": {"name": "Default"}}}


def token_of(answer: Any) -> str:
    assert answer.status_code == 201, answer.content
    return str(answer.headers["X-Subject-Token"])


# -- it works ----------------------------------------------------------------------------------------------------------
def test_a_password_gives_a_token_of_a_project(anybody: APIClient, alice: User, alpha: Project) -> None:
    answer = ask(anybody, password(), in_alpha())
    token = answer.json()["token"]

    assert answer.status_code == 201
    assert list(token) == [
        "methods",
        "user",
        "audit_ids",
        "expires_at",
        "issued_at",
        "project",
        "is_domain",
        "roles",
        "catalog",
    ]
    assert token["user"] == {
        "domain": {"id": "default", "name": "Default"},
        "id": alice.uuid.hex,
        "name": "alice",
        "password_expires_at": None,
    }
    assert token["project"] == {"domain": {"id": "default", "name": "Default"}, "id": alpha.uuid.hex, "name": "alpha"}
    assert [role["name"] for role in token["roles"]] == ["admin", "member", "reader"]


def test_times_have_microseconds_and_a_zone(anybody: APIClient, alice: User) -> None:
    token = ask(anybody, password(), in_alpha()).json()["token"]
    times = [token[name] for name in ("issued_at", "expires_at")]
    issued_at, expires_at = (datetime.fromisoformat(time) for time in times)

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time) for time in times)
    assert (expires_at - issued_at).total_seconds() == pytest.approx(3600, abs=1)


def test_the_catalog_leads_to_the_hub(anybody: APIClient, alice: User) -> None:
    catalog = ask(anybody, password(), in_alpha()).json()["token"]["catalog"]
    found = {one["type"]: {place["interface"]: place["url"] for place in one["endpoints"]} for one in catalog}

    assert found["backup"] == dict.fromkeys(("public", "internal", "admin"), "http://testserver")
    assert found["identity"]["public"] == "http://testserver/identity/v3"


def test_users_and_projects_are_named_by_id_as_well(anybody: APIClient, alice: User, alpha: Project) -> None:
    answer = ask(anybody, password(id=alice.uuid.hex), {"project": {"id": alpha.uuid.hex}})

    assert answer.json()["token"]["user"]["name"] == "alice"


def test_without_a_scope_it_is_of_the_default_project(anybody: APIClient, alice: User) -> None:
    assert ask(anybody, password()).json()["token"]["project"]["name"] == "alpha"


def test_an_unscoped_one_has_no_project_and_no_catalog(anybody: APIClient, alice: User) -> None:
    token = ask(anybody, password(), "unscoped").json()["token"]

    assert not {"project", "roles", "catalog"} & set(token)


def test_a_token_gives_another_that_lives_no_longer(anybody: APIClient, alice: User) -> None:
    first = ask(anybody, password(), "unscoped")
    again = ask(anybody, {"methods": ["token"], "token": {"id": token_of(first)}}, in_alpha())
    token = again.json()["token"]

    assert token["methods"] == ["token", "password"]
    assert token["expires_at"] == first.json()["token"]["expires_at"]
    assert token["project"]["name"] == "alpha"


def test_a_service_may_log_in_to_every_project(anybody: APIClient, charlie: User, alpha: Project, op: Actor) -> None:
    set_user(charlie, actor=op, is_service=True)
    token = ask(anybody, password("charlie"), in_alpha()).json()["token"]

    assert [role["name"] for role in token["roles"]] == ["service"]


def test_it_can_be_read(anybody: APIClient, alice: User) -> None:
    made = ask(anybody, password(), in_alpha())
    headers = {"X-Auth-Token": token_of(made), "X-Subject-Token": token_of(made)}
    read = anybody.get(URL, headers=headers)

    assert (read.status_code, read.json()) == (200, made.json())
    assert anybody.head(URL, headers=headers).status_code == 200
    assert "catalog" not in anybody.get(f"{URL}?nocatalog", headers=headers).json()["token"]


def test_it_can_be_revoked(anybody: APIClient, alice: User) -> None:
    text = token_of(ask(anybody, password(), in_alpha()))
    headers = {"X-Auth-Token": text, "X-Subject-Token": text}

    assert anybody.delete(URL, headers=headers).status_code == 204
    assert anybody.get(URL, headers=headers).status_code == 401
    assert AuditEvent.objects.filter(deed="revoke token", username="alice", face="identity").count() == 1


# -- who may -----------------------------------------------------------------------------------------------------------
def test_anothers_token_is_read_by_services_only(anybody: APIClient, alice: User, bob: User, op: Actor) -> None:
    subject, mine = (token_of(ask(anybody, password(name), in_alpha())) for name in ("alice", "bob"))
    headers = {"X-Auth-Token": mine, "X-Subject-Token": subject}
    before = anybody.get(URL, headers=headers).status_code
    set_user(bob, actor=op, is_service=True)

    assert (before, anybody.get(URL, headers=headers).status_code) == (403, 200)


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("identity", "scope"),
    [
        (password(word="wrong"), None),
        (password("nobody"), None),
        (password(domain="Elsewhere"), None),
        (password(id="0" * 32), None),
        (password(id="no uuid"), None),
        (password(), {"project": {"name": "beta", "domain": {"name": "Default"}}}),
        (password(), {"project": {"name": "nowhere", "domain": {"name": "Default"}}}),
        (password(), {"project": {"name": "alpha", "domain": {"name": "Elsewhere"}}}),
        (password(), {"domain": {"id": "default"}}),
        (password(), "elsewhere"),
        ({"methods": ["token"], "token": {"id": "0" * 32 + "." + "0" * 64}}, None),
        ({"methods": ["token"], "token": {"id": ""}}, None),
        ({"methods": ["totp"]}, None),
        ({"methods": []}, None),
        ({"methods": ["password"]}, None),
    ],
)
def test_a_login_that_is_wrong_in_any_way(
    anybody: APIClient, alice: User, beta: Project, identity: Any, scope: Any
) -> None:
    answer = ask(anybody, identity, scope)

    assert (answer.status_code, answer.json()) == (401, REFUSED)
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://testserver/identity/v3"'
    assert not Token.objects.exists()


def test_it_is_in_the_audit(anybody: APIClient, alice: User) -> None:
    ask(anybody, password(word="wrong"))
    refusals.flush()

    assert AuditEvent.objects.filter(deed="refuse login", subject="alice", face="identity").count() == 1


def test_the_eleventh_wrong_password_is_not_looked_at(anybody: APIClient, alice: User) -> None:
    statuses = [ask(anybody, password(word=f"wrong {n}")).status_code for n in range(11)]

    assert statuses == [401] * 10 + [429]


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "1", '"x"', "{}", '{"auth": null}', '{"auth": "\\u0000"}', '{"auth": "\\ud800"}'),
        *(
            '{"auth": {"identity": {}}}',
            '{"auth": {"identity": []}}',
            '{"auth": {"identity": {"methods": "password"}}}',
        ),
        '{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": 5, "password": "x"}}}}}',
        '{"auth": {"identity": {"methods": ["password"], "password": {"user": {"password": "x"}}}}}',
    ],
)
def test_what_is_no_login_at_all(anybody: APIClient, alice: User, body: str) -> None:
    answer = anybody.post(URL, body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["error"]["title"] == "Bad Request"


def test_it_says_nothing_of_what_was_sent(anybody: APIClient, alice: User) -> None:
    answer = ask(anybody, password(word={"my": "secret words"}))  # type: ignore[arg-type]

    assert answer.status_code == 400
    assert "secret words" not in answer.content.decode()


@pytest.mark.parametrize("subject", ["", "abc", "0" * 32 + "." + "0" * 64])
def test_a_token_that_there_is_not(anybody: APIClient, alice: User, subject: str) -> None:
    mine = token_of(ask(anybody, password(), in_alpha()))
    answer = anybody.get(URL, headers={"X-Auth-Token": mine, "X-Subject-Token": subject})

    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": 404, "message": "Could not find token.", "title": "Not Found"}}


# -- discovery ---------------------------------------------------------------------------------------------------------
def test_it_says_which_versions_there_are(anybody: APIClient) -> None:
    version = {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": "http://testserver/identity/v3"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }

    assert anybody.get("/identity/v3").json() == {"version": version}
    assert anybody.get("/identity/v3/").json() == {"version": version}
    assert anybody.get("/identity/").json() == {"versions": {"values": [version]}}
    assert [anybody.get(path).status_code for path in ("/identity", "/identity/", "/identity/v3/auth/tokens/")] == [
        300,
        300,
        401,
    ]


def test_an_unknown_path_is_answered_in_its_words(anybody: APIClient) -> None:
    answer = anybody.get("/identity/v3/users")

    assert answer.status_code == 404
    assert answer.json()["error"]["title"] == "Not Found"

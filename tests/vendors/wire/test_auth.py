"""Who asks: keys, passwords and sessions, at one route of the native face."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import hashers
from django.test import Client
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.test import APIClient

from jobs.engine import refusals
from jobs.models import ApiKey, AuditEvent, Membership, Project, Role, User
from tests.conftest import PASSWORD, ClientOf, MakeJob
from tests.vendors.conftest import basic
from vendors.wire import passwords

ME = "/hub/v1/me"
JOBS = "/hub/v1/jobs"


@pytest.fixture
def slow_hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes each slow hash that is computed."""
    seen: list[str] = []
    verify = hashers.verify_password

    def noted(password: str, encoded: str, *args: object, **kwargs: object) -> object:
        seen.append(password)
        return verify(password, encoded, *args, **kwargs)

    monkeypatch.setattr(hashers, "verify_password", noted)
    return seen


# -- it works ----------------------------------------------------------------------------------------------------------
def test_a_key_acts_for_its_user_in_its_project(client_of: ClientOf, alice: User) -> None:
    shown = client_of(alice, "normal").get(ME).json()

    assert (shown["user"], shown["project"]["name"], shown["project"]["right"]) == ("alice", "alpha", "edit")
    assert shown["key"]["level"] == "normal"


def test_a_password_acts_with_the_role(bob: User) -> None:
    shown = APIClient(HTTP_AUTHORIZATION=basic("bob")).get(ME).json()

    assert (shown["user"], shown["project"]["right"], shown["key"]) == ("bob", "edit", None)


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "Basic  "])
def test_the_scheme_is_read_in_any_case(scheme: str, bob: User) -> None:
    credentials = basic("bob").split(" ")[1]

    assert APIClient(HTTP_AUTHORIZATION=f"{scheme} {credentials}").get(ME).status_code == 200


def test_a_password_may_hold_colons_and_umlauts(bob: User) -> None:
    bob.set_password("a:b:ü")
    bob.save()

    assert APIClient(HTTP_AUTHORIZATION=basic("bob", "a:b:ü")).get(ME).status_code == 200


def test_a_session_acts_with_the_role(rita: User, anybody: APIClient) -> None:
    anybody.login(username="rita", password=PASSWORD)

    assert anybody.get(ME).json()["project"]["right"] == "see"


def test_the_header_names_the_project(alice: User, beta: Project) -> None:
    Membership.objects.create(user=alice, project=beta, role=Role.READER)
    client = APIClient(HTTP_AUTHORIZATION=basic("alice"))
    shown = [client.get(ME, headers={"X-JobHub-Project": ref}).json()["project"] for ref in ("beta", str(beta.uuid))]

    assert [(project["name"], project["right"]) for project in shown] == [("beta", "see")] * 2


def test_without_the_header_it_is_the_default_membership(alice: User, beta: Project) -> None:
    Membership.objects.filter(user=alice).update(is_default=False)
    Membership.objects.create(user=alice, project=beta, role=Role.READER, is_default=True)

    assert APIClient(HTTP_AUTHORIZATION=basic("alice")).get(ME).json()["project"]["name"] == "beta"


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "given",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer x.y",
        "Bearer \xff.\xff",
        "Bearer " + "x" * 5000,
        "Basic",
        "Basic !!!",
        "Basic YQ",
        "Basic /////w==",
        basic("alice", "wrong"),
        basic("nobody"),
        basic("", ""),
        basic("a\0b"),
        basic("alice\0"),
        basic("x" * 5000),
        "Digest username=alice",
        "Token abc",
        "x",
    ],
)
def test_wrong_credentials_are_401(given: str, alice: User, anybody: APIClient) -> None:
    response = anybody.get(ME, headers={"Authorization": given})

    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"
    assert 'Basic realm="JobHub"' in response.headers["WWW-Authenticate"]
    assert 'Bearer realm="JobHub"' in response.headers["WWW-Authenticate"]


def test_the_answer_does_not_tell_what_was_wrong(alice: User, key_of: Callable[..., str], anybody: APIClient) -> None:
    User.objects.create(username="gone", is_active=False, password=alice.password)
    given = [basic("alice", "wrong"), basic("nobody"), basic("gone"), f"Bearer {key_of(alice)}x", "Bearer x.y"]
    answers = [anybody.get(ME, headers={"Authorization": one}) for one in given]

    assert {answer.content for answer in answers} == {answers[0].content}


def test_no_credentials_are_401(anybody: APIClient) -> None:
    assert anybody.get(ME).status_code == 401


def test_wrong_credentials_are_refused_even_within_a_session(rita: User, anybody: APIClient) -> None:
    anybody.force_login(rita)

    assert anybody.get(ME, headers={"Authorization": "Digest x"}).status_code == 401


def test_an_unknown_project_in_the_header_is_404(alice: User, client_of: ClientOf, beta: Project) -> None:
    with_key, with_password = client_of(alice), APIClient(HTTP_AUTHORIZATION=basic("alice"))
    refs = ["beta", str(beta.uuid), "nope", "a\0b", "\xff"]
    answers = [one.get(ME, headers={"X-JobHub-Project": ref}) for ref in refs for one in (with_key, with_password)]

    assert {answer.status_code for answer in answers} == {404}


def test_somebody_without_a_project_may_only_look_around(db: None) -> None:
    User.objects.create_user("lonely", password=PASSWORD)
    client = APIClient(HTTP_AUTHORIZATION=basic("lonely"))

    assert client.get(ME).json()["project"] is None
    assert client.get(JOBS).json()["detail"] == "lonely has no project; ask an administrator for a membership"


def test_a_service_without_a_project_names_one(alpha: Project) -> None:
    User.objects.create_user("robot", password=PASSWORD, is_service=True)
    client = APIClient(HTTP_AUTHORIZATION=basic("robot"))

    assert client.get(JOBS).json()["detail"] == "robot has no project; name one"
    assert client.get(JOBS, headers={"X-JobHub-Project": "alpha"}).status_code == 200


# -- browsers ----------------------------------------------------------------------------------------------------------
def test_a_session_needs_its_csrf_token(alice: User, make_job: MakeJob) -> None:
    make_job("a")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    refused = browser.post(f"{JOBS}/a/hold", {}, content_type="application/json")
    browser.get("/hub/v1/", headers={"Accept": "text/html"})
    token = browser.cookies["csrftoken"].value
    done = browser.post(f"{JOBS}/a/hold", {}, content_type="application/json", headers={"X-CSRFToken": token})

    assert (refused.status_code, done.status_code) == (403, 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"Origin": "http://testserver"}, 202),
        ({"Sec-Fetch-Site": "same-origin"}, 202),
        ({"Sec-Fetch-Site": "none"}, 202),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_another_site_changes_nothing_even_with_a_key(
    headers: dict, status: int, alice: User, client_of: ClientOf, make_job: MakeJob
) -> None:
    make_job("a")

    assert client_of(alice).post(f"{JOBS}/a/trigger", headers=headers).status_code == status


def test_another_site_may_read(alice: User, client_of: ClientOf) -> None:
    assert client_of(alice).get(ME, headers={"Origin": "https://elsewhere.example"}).status_code == 200


def test_a_browser_is_not_asked_for_a_password_in_a_box(anybody: APIClient) -> None:
    response = anybody.get(ME, headers={"Accept": "text/html"})

    assert response.status_code == 401
    assert "Basic" not in response.headers["WWW-Authenticate"]


# -- keys that end -----------------------------------------------------------------------------------------------------
def test_a_key_warns_before_it_ends(alice: User, key_of: Callable[..., str], anybody: APIClient) -> None:
    ends_at = (timezone.now() + timedelta(days=13)).replace(microsecond=0)
    response = anybody.get(ME, headers={"Authorization": f"Bearer {key_of(alice, expires_at=ends_at)}"})

    assert response.headers["X-JobHub-Key-Expires"] == ends_at.isoformat().replace("+00:00", "Z")


def test_a_key_with_time_to_go_does_not(alice: User, key_of: Callable[..., str], anybody: APIClient) -> None:
    key = key_of(alice, expires_at=timezone.now() + timedelta(days=15))

    assert "X-JobHub-Key-Expires" not in anybody.get(ME, headers={"Authorization": f"Bearer {key}"}).headers


# -- the slow hash -----------------------------------------------------------------------------------------------------
def test_a_right_password_is_hashed_once_in_five_minutes(bob: User, slow_hashes: list[str]) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("bob"))
    now = timezone.now()
    hashed = []
    for seconds in (0, 1, 299):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            assert client.get(ME).status_code == 200
            hashed.append(len(slow_hashes))

    assert hashed == [1, 1, 1]


def test_it_is_hashed_again_afterwards(bob: User, slow_hashes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "REMEMBERED_S", -1)
    client = APIClient(HTTP_AUTHORIZATION=basic("bob"))
    client.get(ME)
    client.get(ME)

    assert len(slow_hashes) == 2


def test_a_wrong_password_is_never_remembered(bob: User, slow_hashes: list[str]) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("bob", "wrong"))
    client.get(ME)
    client.get(ME)

    assert len(slow_hashes) == 2


def test_an_unknown_name_costs_as_much_as_a_wrong_password(db: None, slow_hashes: list[str]) -> None:
    APIClient(HTTP_AUTHORIZATION=basic("nobody")).get(ME)

    assert len(slow_hashes) == 1


def test_a_new_password_ends_the_old_one_at_once(bob: User) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("bob"))
    client.get(ME)
    bob.set_password("something else")
    bob.save()

    assert client.get(ME).status_code == 401


def test_a_remembered_password_does_not_save_an_inactive_user(bob: User) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("bob"))
    client.get(ME)
    User.objects.filter(pk=bob.pk).update(is_active=False)

    assert client.get(ME).status_code == 401


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "REMEMBERED", 3)
    verified = passwords.Verified()
    digests = [verified.digest("bob", str(number), "stored") for number in range(4)]
    for digest in digests:
        verified.remember(digest)

    assert [verified.knows(digest) for digest in digests] == [False, True, True, True]


def test_what_is_digested_cannot_be_shifted() -> None:
    verified = passwords.Verified()

    assert verified.digest("ab", "c", "d") != verified.digest("a", "bc", "d")


def test_a_flood_of_passwords_is_throttled() -> None:
    inside, leave = threading.Event(), threading.Event()

    def hash_slowly() -> None:
        with passwords._turn():
            inside.set()
            leave.wait(5)

    threads = [threading.Thread(target=hash_slowly) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(5)
    while passwords._places._value:
        threading.Event().wait(0.01)
    with pytest.raises(Throttled), passwords._turn():
        pass
    leave.set()
    for thread in threads:
        thread.join(5)
    with passwords._turn():
        pass


def test_throttled_is_429_with_the_time_to_wait(bob: User, anybody: APIClient) -> None:
    taken = [passwords._places.acquire(blocking=False) for _ in range(2)]
    response = anybody.get(ME, headers={"Authorization": basic("bob")})
    for _ in taken:
        passwords._places.release()

    assert taken == [True, True]
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")


# -- what it costs, and what is written down ---------------------------------------------------------------------------
def test_a_key_costs_one_query(alice: User, client_of: ClientOf, django_assert_num_queries: Callable) -> None:
    client = client_of(alice)
    client.get("/hub/v1/")

    with django_assert_num_queries(1):
        client.get("/hub/v1/")


def test_a_password_costs_two_queries(bob: User, django_assert_num_queries: Callable) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("bob"))
    client.get("/hub/v1/")

    with django_assert_num_queries(2):
        client.get("/hub/v1/")


def test_refusals_are_audited_once_a_minute(alice: User, anybody: APIClient) -> None:
    for _ in range(3):
        anybody.get(ME, headers={"Authorization": basic("alice", "wrong")})
    anybody.get(ME, headers={"Authorization": "Bearer 0123456789abcdef.x"})
    refusals.flush()

    events = list(AuditEvent.objects.order_by("pk").values_list("deed", "subject", "face", "address", "count"))
    assert events == [
        ("refuse login", "alice", "native", "127.0.0.1", 3),
        ("refuse login", "0123456789abcdef", "native", "127.0.0.1", 1),
    ]


def test_no_secret_is_audited(alice: User, key_of: Callable[..., str], anybody: APIClient) -> None:
    secret = key_of(alice)
    ApiKey.objects.update(revoked_at=timezone.now())
    anybody.get(ME, headers={"Authorization": f"Bearer {secret}"})
    anybody.get(ME, headers={"Authorization": f"Bearer {secret.split('.')[1]}"})
    anybody.get(ME, headers={"Authorization": basic(secret, "")})
    anybody.get(ME, headers={"Authorization": basic("alice", "hunter2hunter2")})
    refusals.flush()

    written = str(list(AuditEvent.objects.values()))
    assert secret.split(".")[1] not in written
    assert "hunter2" not in written

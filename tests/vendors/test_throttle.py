"""Wrong passwords slow down who sends them, and nobody else."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.test import Client
from rest_framework.exceptions import Throttled
from rest_framework.test import APIClient

from jobs.models import User
from tests.conftest import PASSWORD
from tests.vendors.conftest import basic
from vendors.wire import passwords, throttle
from vendors.wire.throttle import ATTEMPTS, Attempts, Counter, Limit, source_of

ME = "/hub/v1/me"
ATTACKER, OFFICE = "192.0.2.66", "198.51.100.5"
PER_NAME, PER_SOURCE = 10, 30


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords for which the slow hash was computed. Here it is quick, and time stands still for the counters."""
    seen: list[str] = []
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: 1000.0))

    def verify(password: str, encoded: str, preferred: str = "default") -> tuple[bool, bool]:
        seen.append(password)
        return password == PASSWORD, False

    monkeypatch.setattr(hashers, "verify_password", verify)
    return seen


def ask(name: str, password: str, address: str) -> Any:
    return APIClient(HTTP_AUTHORIZATION=basic(name, password), REMOTE_ADDR=address).get(ME)


def guess(name: str, n: int, address: str = ATTACKER) -> list[int]:
    return [ask(name, f"guess {number}", address).status_code for number in range(n)]


# -- who is slowed down ------------------------------------------------------------------------------------------------
def test_guesses_beyond_the_limit_are_not_even_hashed(alice: User, hashed: list[str]) -> None:
    statuses = guess("alice", 50)

    assert statuses == [401] * PER_NAME + [429] * (50 - PER_NAME)
    assert len(hashed) == PER_NAME


def test_other_names_do_not_help(db: None, hashed: list[str]) -> None:
    statuses = [ask(f"user{number}", "guess", ATTACKER).status_code for number in range(50)]

    assert statuses == [401] * PER_SOURCE + [429] * (50 - PER_SOURCE)
    assert len(hashed) == PER_SOURCE


def test_the_answer_says_how_long_to_wait(alice: User, hashed: list[str]) -> None:
    guess("alice", PER_NAME)
    response = ask("alice", "guess", ATTACKER)

    assert (response.status_code, response.headers["Content-Type"]) == (429, "application/problem+json")
    assert 1 <= int(response.headers["Retry-After"]) <= 6


def test_time_gives_tries_back_one_by_one() -> None:
    counter = Counter(Limit(at_once=2, every_s=6))
    for _ in range(2):
        counter.add("alice", 100.0)
    waits = [counter.wait_s("alice", now) for now in (100.0, 103.0, 106.0)]
    counter.add("alice", 106.0)

    assert waits == [6.0, 3.0, 0.0]
    assert [counter.wait_s("alice", now) for now in (106.0, 112.0, 999.0)] == [6.0, 0.0, 0.0]


def test_right_passwords_cost_nothing(alice: User, hashed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "REMEMBERED", 0)

    assert [ask("alice", PASSWORD, OFFICE).status_code for _ in range(50)] == [200] * 50


# -- who is not --------------------------------------------------------------------------------------------------------
def test_nobody_is_locked_out_from_elsewhere(alice: User, hashed: list[str]) -> None:
    guess("alice", 50)

    assert ask("alice", PASSWORD, OFFICE).status_code == 200


def test_others_behind_the_same_address_can_log_in(alice: User, bob: User, hashed: list[str]) -> None:
    guess("alice", 20)

    assert ask("bob", PASSWORD, ATTACKER).status_code == 200


def test_who_is_known_is_served_behind_the_address_of_an_attacker(alice: User, hashed: list[str]) -> None:
    ask("alice", PASSWORD, ATTACKER)
    guess("alice", 50)
    guess("nobody", 50)
    n_hashed = len(hashed)

    assert ask("alice", PASSWORD, ATTACKER).status_code == 200
    assert len(hashed) == n_hashed


def test_who_was_known_once_is_checked_again_whatever_an_attacker_does(
    alice: User, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "REMEMBERED_S", -1)
    ask("alice", PASSWORD, ATTACKER)
    guess("alice", 50)
    guess("nobody", 50)

    assert ask("alice", PASSWORD, ATTACKER).status_code == 200
    assert hashed.count(PASSWORD) == 2


def test_keys_are_never_slowed_down(alice: User, key_of: Any, hashed: list[str]) -> None:
    key = key_of(alice)
    guess("alice", 50)

    assert APIClient(HTTP_AUTHORIZATION=f"Bearer {key}", REMOTE_ADDR=ATTACKER).get(ME).status_code == 200


# -- while hashes are computed -----------------------------------------------------------------------------------------
@pytest.fixture
def busy() -> Any:
    """Both places for unknown passwords are taken, and the slow hash is under way."""
    taken = [passwords._places.acquire(blocking=False) for _ in range(2)]
    passwords._hashing.acquire()
    yield
    passwords._hashing.release()
    for _ in taken:
        passwords._places.release()


def test_the_known_do_not_wait_for_the_hashes_of_others(alice: User, hashed: list[str], busy: None) -> None:
    user = User.objects.get(username="alice")
    passwords.VERIFIED.remember(passwords.VERIFIED.digest("alice", PASSWORD, user.password))

    assert ask("alice", PASSWORD, OFFICE).status_code == 200
    assert not hashed


def test_a_stranger_who_found_no_place_has_not_used_a_try(alice: User, hashed: list[str], busy: None) -> None:
    busy_answers = guess("alice", 2 * PER_NAME, OFFICE)
    used = ATTEMPTS._by_name.wait_s(f"{OFFICE} alice", 1000.0)

    assert set(busy_answers) == {429}
    assert used == 0


def test_tries_at_the_same_time_are_all_counted() -> None:
    attempts = Attempts(per_name=Limit(5, 60), per_source=Limit(100, 60))
    outcomes: list[str] = []
    start = threading.Barrier(20)

    def take() -> None:
        start.wait()
        try:
            attempts.take(ATTACKER, "alice")
            outcomes.append("taken")
        except Throttled:
            outcomes.append("throttled")

    threads = [threading.Thread(target=take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (outcomes.count("taken"), outcomes.count("throttled")) == (5, 15)


# -- the login pages ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", ["/admin/login/", "/session/login/"])
def test_the_login_pages_count_as_well(page: str, alice: User, hashed: list[str]) -> None:
    browser = Client(headers={"Accept": "text/html"}, REMOTE_ADDR=ATTACKER)
    form = {"username": "alice", "password": "guess"}
    statuses = [browser.post(page, form).status_code for _ in range(PER_NAME + 5)]
    last = browser.post(page, form)

    assert statuses == [200] * PER_NAME + [429] * 5
    assert "too many wrong passwords from this address. " in last.content.decode()
    assert int(last.headers["Retry-After"]) >= 1
    assert len(hashed) == PER_NAME


def test_pages_and_faces_count_together(alice: User, hashed: list[str]) -> None:
    guess("alice", PER_NAME)
    form = {"username": "alice", "password": "guess"}

    assert Client(REMOTE_ADDR=ATTACKER).post("/admin/login/", form).status_code == 429


def test_a_login_page_is_no_way_to_lock_others_out(root: User, hashed: list[str]) -> None:
    for _ in range(PER_NAME + 5):
        Client(REMOTE_ADDR=ATTACKER).post("/admin/login/", {"username": "root", "password": "guess"})
    right = {"username": "root", "password": PASSWORD}

    assert Client(REMOTE_ADDR=OFFICE).post("/admin/login/?next=/admin/", right).status_code == 302


# -- what is counted as one source -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_source_is_an_address_or_a_customers_network(address: str, source: str) -> None:
    assert source_of(address) == source


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(alice: User, hashed: list[str], settings: Any) -> None:
    settings.HUB = {**settings.HUB, "TRUSTED_PROXIES": ("10.0.0.0/8",)}

    def guess_behind(peer: str) -> set[int]:
        given = {"HTTP_AUTHORIZATION": basic("alice", "guess"), "REMOTE_ADDR": peer}
        clients = [APIClient(**given, HTTP_X_FORWARDED_FOR=f"192.0.2.{number}") for number in range(PER_NAME + 5)]
        return {client.get(ME).status_code for client in clients}

    assert guess_behind("10.0.0.1") == {401}
    assert guess_behind(ATTACKER) == {401, 429}


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counter, "REMEMBERED", 100)
    counter = Counter(Limit(1, 60))
    for number in range(1000):
        counter.add(str(number), time.monotonic())

    assert len(counter._used) == 100


def test_long_names_take_no_more_of_it(hashed: list[str], db: None) -> None:
    guess("x" * 5000, 1)

    assert max(len(key) for key in ATTEMPTS._by_name._used) < 200

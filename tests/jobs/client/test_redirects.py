"""Redirects and names that lead where a job may not go."""

from typing import Any

import pytest

from tests.jobs.client.conftest import Allow, failure, get, redirect
from tests.jobs.servers import Reply, Server


# -- redirects ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(server: Server, status: int) -> None:
    server.replies |= {"/": redirect("/b", status), "/b": Reply(b"there")}
    assert get(server.url).body == b"there"


def test_a_redirect_that_the_caller_takes_is_an_answer(server: Server) -> None:
    server.replies["/"] = redirect("/b")
    assert get(server.url, takes=lambda status: status == 302).status == 302


@pytest.mark.parametrize(
    ("status", "method", "body"), [(303, "GET", b""), (307, "POST", b"body"), (308, "POST", b"body")]
)
def test_a_post_is_redirected_as_the_status_says(server: Server, status: int, method: str, body: bytes) -> None:
    server.replies |= {"/": redirect("/b", status), "/b": Reply()}
    get(server.url, "POST", b"body")
    assert (server.seen[1].method, server.seen[1].body) == (method, body)


def test_a_loop_of_redirects_ends(server: Server) -> None:
    server.replies["/"] = redirect("/")
    assert "redirects more than 5 times" in failure(server.url).message
    assert len(server.seen) == 6


LEADS_INSIDE = [
    "http://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.1:{port}/",
    "http://017700000001:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::1]:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal./",
]


@pytest.mark.parametrize("location", LEADS_INSIDE)
def test_a_redirect_to_a_guarded_target_is_refused(server: Server, inner: Server, location: str) -> None:
    server.replies["/"] = redirect(location.format(port=inner.port))
    message = failure(server.url).message
    assert "'127.0.0.1' redirects to" in message
    assert (inner.seen, "169.254" in message, str(inner.port) in message) == ([], False, False)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "unix:///run/docker.sock", "ftp://x/", "gopher://x/"])
def test_a_redirect_to_another_scheme_is_refused(server: Server, location: str) -> None:
    server.replies["/"] = redirect(location)
    assert failure(server.url).message == "'127.0.0.1' redirects to what is no http or https URL"


def test_credentials_do_not_follow_to_another_origin(server: Server, other: Server) -> None:
    server.replies["/"] = redirect(other.url)
    get(server.url, headers={"Authorization": "Bearer x", "Cookie": "a=b", "X-Api-Key": "k", "Accept": "text/csv"})
    seen = other.seen[0].headers
    assert not {"authorization", "cookie", "x-api-key"} & set(seen)
    assert seen["accept"] == "text/csv"


def test_credentials_follow_within_the_origin(server: Server) -> None:
    server.replies |= {"/": redirect("/b"), "/b": Reply()}
    get(server.url, headers={"Authorization": "Bearer x"})
    assert server.seen[1].headers["authorization"] == "Bearer x"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_body_or_a_deed_is_not_sent_to_another_origin(server: Server, other: Server, method: str) -> None:
    server.replies["/"] = redirect(other.url, 307)
    assert "redirects a" in failure(server.url, method, b"body").message
    assert other.seen == []


# -- names -------------------------------------------------------------------------------------------------------------


def test_a_name_that_leads_inside_is_refused(names: Any, inner: Server, allow: Allow) -> None:
    allow()
    names["evil.example"] = [["127.0.0.1"]]
    assert "'evil.example' is not an allowed target" in failure(f"http://evil.example:{inner.port}/").message
    assert inner.seen == []


def test_a_name_that_turns_inside_after_the_check_does_not_lead_there(
    names: Any, inner: Server, allow: Allow, dialled: list[Any]
) -> None:
    allow()
    names["rebind.example"] = [["93.184.216.34"], ["127.0.0.1"]]
    assert failure(f"http://rebind.example:{inner.port}/").causes == ("Connection refused",)
    assert (dialled, inner.seen) == ([("93.184.216.34", inner.port)], [])


def test_each_hop_is_checked_by_a_look_of_its_own(names: Any, server: Server, inner: Server, allow: Allow) -> None:
    allow(f"127.0.0.1:{server.port}")
    names["rebind.example"] = [["127.0.0.1"], ["127.0.0.1"]]
    server.replies["/"] = redirect(f"http://rebind.example:{inner.port}/")
    assert (
        "redirects to a target that is unknown or not listed"
        in failure(f"http://rebind.example:{server.port}/").message
    )
    assert inner.seen == []


def test_the_next_address_is_tried_when_one_does_not_answer(names: Any, server: Server, allow: Allow) -> None:
    allow("127.0.0.0/8")
    names["two.example"] = [["127.0.0.99", "127.0.0.1"]]
    server.replies["/"] = Reply(b"hello")
    assert get(f"http://two.example:{server.port}/").body == b"hello"

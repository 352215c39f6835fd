"""One request, and what may stand in it."""

import gzip

import pytest

from jobs import client
from jobs.client import Url
from tests.jobs.client.conftest import get
from tests.jobs.servers import Reply, Server


# -- it works ----------------------------------------------------------------------------------------------------------
def test_an_answer_comes_back(server: Server) -> None:
    server.replies["/a?b=c"] = Reply(b"hello", 201, {"X-Y": "z"})
    answer = get(f"{server.url}/a?b=c")
    assert (answer.status, answer.reason, answer.body, answer.headers["x-y"]) == (201, "Created", b"hello", "z")


def test_a_request_is_sent_whole(server: Server) -> None:
    server.replies["/"] = Reply()
    get(server.url, "POST", b"body", headers={"X-A": "b", "user-agent": "me"})
    seen = server.seen[0]
    assert (seen.method, seen.body, seen.headers["x-a"], seen.headers["user-agent"]) == ("POST", b"body", "b", "me")


def test_the_host_header_names_the_host(server: Server) -> None:
    server.replies["/"] = Reply()
    get(server.url)
    assert server.seen[0].headers["host"] == f"127.0.0.1:{server.port}"


def test_a_packed_answer_is_unpacked(server: Server) -> None:
    server.replies["/"] = Reply(gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})
    assert get(server.url).body == b"hello"


def test_proxies_of_the_environment_are_ignored(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.replies["/"] = Reply(b"hello")
    assert get(server.url).body == b"hello"


def test_a_head_has_no_body(server: Server) -> None:
    server.replies["/"] = Reply(b"hello")
    assert get(server.url, "HEAD").body == b""


# -- what is no URL ----------------------------------------------------------------------------------------------------
NO_URLS = [
    "",
    "example.org",
    "//example.org/",
    "unix:///run/docker.sock",
    "file:///etc/passwd",
    "ftp://example.org/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "http://",
    "http:///path",
    "http://allowed.example@127.0.0.1/",
    "http://user:pw@example.org/",
    "http://allowed.example\\@127.0.0.1/",
    "http://127.0.0.1\\.allowed.example/",
    "http://a b/",
    "http://a/\r\nX-Evil: 1",
    "http://a/b c",
    "http://a\t/",
    "http://a:0/",
    "http://a:99999/",
    "http://a:b/",
    "http://[::1/",
    "http://a,b/",
    "http://a/\N{NO-BREAK SPACE}",
]


@pytest.mark.parametrize("text", NO_URLS)
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"URL|port|host"):
        Url.parse(text)


def test_what_was_wrong_does_not_tell_a_password() -> None:
    with pytest.raises(ValueError, match="must not hold a user or password") as caught:
        Url.parse("http://joe:hunter2@example.org/")
    assert "hunter2" not in str(caught.value)


def test_letters_beyond_ascii_are_quoted() -> None:
    assert str(Url.parse("HTTP://Bücher.example/ü?ä=%20#x")) == "http://xn--bcher-kva.example:80/%C3%BC?%C3%A4=%20"


BAD_HEADERS = [
    ("X-A", "b\r\nX-Evil: 1"),
    ("X-A", "b\nX-Evil: 1"),
    ("X-A", "b\rc"),
    ("X-A", "b\r\n folded"),
    ("X-A", "b\0"),
    ("X-A", "\u2028"),
    ("X-A", "€"),
    ("X-A: b\r\nX-Evil", "1"),
    ("X A", "b"),
    ("", "b"),
    ("Host", "inner.example"),
    ("content-length", "0"),
    ("Transfer-Encoding", "chunked"),
    ("Connection", "close"),
    ("Proxy-Authorization", "Basic x"),
    ("Expect", "100-continue"),
]


@pytest.mark.parametrize(("name", "value"), BAD_HEADERS)
def test_a_header_that_would_change_the_message_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        client.check_header(name, value)

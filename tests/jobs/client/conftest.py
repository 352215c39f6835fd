"""Requests to servers on this machine, of which only the listed ones may be reached."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobs import targets
from jobs.client import Answer, Request, Url, send
from jobs.errors import RunFailed
from jobs.targets import TargetGuard, parse
from tests.jobs.servers import Reply, Server, serving

Allow = Callable[..., None]


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Allow:
    """`allow(port, "host:80")`: these targets are listed, and no others."""

    def make(*words: int | str) -> None:
        listed = [f"127.0.0.1:{word}" if isinstance(word, int) else word for word in words]
        monkeypatch.setattr(targets, "_guard", TargetGuard(parse(listed)))

    return make


@pytest.fixture
def server(allow: Allow) -> Iterator[Server]:
    """The only target that is listed."""
    with serving() as server:
        allow(server.port)
        yield server


@pytest.fixture
def inner() -> Iterator[Server]:
    """A server on this machine that is not for jobs."""
    with serving() as server:
        server.replies["/"] = Reply(b"the crown jewels")
        yield server


def get(url: str, method: str = "GET", body: bytes | None = None, **given: Any) -> Answer:
    headers = given.pop("headers", {})
    return send(Request(method, Url.parse(url), headers, body), **{"timeout_s": 10.0, **given})


def failure(url: str, *args: Any, **given: Any) -> RunFailed:
    with pytest.raises(RunFailed) as caught:
        get(url, *args, **given)
    return caught.value


def redirect(url: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"Location": url})


@pytest.fixture
def other(allow: Allow, server: Server) -> Iterator[Server]:
    """A second listed target, of another origin."""
    with serving() as other:
        allow(server.port, other.port)
        other.replies["/"] = Reply(b"other")
        yield other


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What the name service answers, one list of addresses after the other; the last one for ever."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **given: Any) -> Any:
        if host not in known:
            return real(host, port, *args, **given)
        addresses = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where connections were begun; those that leave this machine are refused."""
    found: list[Any] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        found.append(address)
        if not str(address[0]).startswith("127."):
            raise ConnectionRefusedError(111, "Connection refused")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return found

"""Slow and greedy clients at a real hub: whatever they do, others are served.

One web process with four threads, so that few sockets are many.
"""

import contextlib
import http.client
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobhub.web import HEADER_TIMEOUT_MS
from tests.jobhub.hub import Hub
from tests.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("limits")]
ATTACKER = "127.0.0.66"
HEAD = b"Host: localhost\r\n"
CHUNKED = b"POST /hub/v1/jobs HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"
LOGIN = b"POST /admin/login/ HTTP/1.1\r\n" + HEAD + b"Cookie: csrftoken=" + b"x" * 32 + b"\r\n"
FORM = LOGIN + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nab"
LARGE_FILE = b"GET /static/admin/js/vendor/xregexp/xregexp.js HTTP/1.1\r\n" + HEAD + b"\r\n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("hub"), WEB_WORKERS=1)
    shutil.copytree(installed, hub.env["JOBHUB_VAR"])
    hub.start("web")
    eventually(lambda: hub.get("/healthz") == 200, what="an answer")
    yield hub
    hub.close()


@pytest.fixture
def send(hub: Hub) -> Iterator[list[socket.socket]]:
    """Connections that a test leaves open, all from one address that nobody else has."""
    kept: list[socket.socket] = []
    yield kept
    for connection in kept:
        connection.close()


def connect(hub: Hub, kept: list[socket.socket], data: bytes = b"", *, window: int = 0) -> socket.socket:
    connection = socket.socket()
    if window:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.settimeout(30)
    connection.bind((ATTACKER, 0))
    connection.connect(("127.0.0.1", hub.port))
    connection.sendall(data)
    kept.append(connection)
    return connection


def answer(connection: socket.socket) -> bytes:
    """All that comes until the hub closes, empty for a reset."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(65536):
            found += data
    return found


def others_are_served(hub: Hub) -> bool:
    """Now, and by every thread."""
    return [hub.get("/healthz") for _ in range(8)] == [200] * 8


# -- slow --------------------------------------------------------------------------------------------------------------
def test_headers_have_a_time_limit_and_hold_no_thread(hub: Hub, send: list[socket.socket]) -> None:
    begun = [b"", b"GET / HTT", b"GET / HTTP/1.1\r\n" + HEAD + b"X-Slow: "]
    slow = [connect(hub, send, data) for data in begun * 10]

    assert others_are_served(hub)
    assert {answer(connection) for connection in slow} == {b""}
    assert HEADER_TIMEOUT_MS <= 10_000


def test_a_kept_connection_ends_when_nothing_follows(hub: Hub, send: list[socket.socket]) -> None:
    connection = connect(hub, send, b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")

    assert answer(connection).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("begun", [CHUNKED, FORM], ids=["chunked", "login form"])
def test_slow_bodies_are_cut_off_and_others_served(begun: bytes, hub: Hub, send: list[socket.socket]) -> None:
    for _ in range(20):
        connect(hub, send, begun)

    assert others_are_served(hub)
    eventually(lambda: is_refused(connect(hub, send, begun)), within_s=5, what="one more being refused")


def test_a_body_that_is_not_wanted_is_not_waited_for(hub: Hub, send: list[socket.socket]) -> None:
    slow = connect(hub, send, b"POST /hub/v1/jobs HTTP/1.1\r\n" + HEAD + b"Content-Length: 100\r\n\r\nab")

    assert b" 401 " in slow.recv(4096)


def test_slow_readers_hold_no_thread(hub: Hub, send: list[socket.socket]) -> None:
    for _ in range(20):
        connect(hub, send, LARGE_FILE * 8, window=2048)

    assert others_are_served(hub)


def is_refused(slow: socket.socket) -> bool:
    """With the time to wait, while its body is still awaited."""
    slow.settimeout(0.5)
    with contextlib.suppress(TimeoutError, ConnectionError):
        said = slow.recv(4096)
        return b" 429 " in said and b"retry-after: 1\r\n" in said
    return False


# -- greedy ------------------------------------------------------------------------------------------------------------
def status(hub: Hub, send: list[socket.socket], *lines: bytes) -> bytes:
    connection = connect(hub, send, b"GET /healthz HTTP/1.1\r\n" + HEAD + b"".join(line + b"\r\n" for line in lines))
    connection.sendall(b"Connection: close\r\n\r\n")
    return answer(connection).split(b"\r\n")[0].split(b" ")[1]


def test_headers_are_limited_in_number(hub: Hub, send: list[socket.socket]) -> None:
    few, many = [b"X-%d: a" % number for number in range(90)], [b"X-%d: a" % number for number in range(110)]

    assert (status(hub, send, *few), status(hub, send, *many)) == (b"200", b"431")


def test_headers_are_limited_in_size(hub: Hub, send: list[socket.socket]) -> None:
    connection = connect(hub, send)
    with contextlib.suppress(ConnectionError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 200_000)

    assert b"200 OK" not in answer(connection)
    assert status(hub, send, b"X: " + b"a" * 30_000) == b"200"


def test_a_chunked_body_is_limited(hub: Hub) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)) as connection:
        with contextlib.suppress(ConnectionError):
            connection.request("POST", "/hub/v1/jobs", (b"x" * 65536 for _ in range(40)), encode_chunked=True)
        response = connection.getresponse()

    assert response.status == 413


def test_refused_forms_are_one_line_each_in_the_log(hub: Hub) -> None:
    for headers in ({"Host": "evil.example"}, {"Transfer-Encoding": "identity", "Content-Length": str(2**30)}):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)) as connection:
            connection.request("POST", "/hub/v1/jobs", headers=headers)
            connection.getresponse().read()

    eventually(lambda: "evil.example" in hub.said and "JOBHUB_MAX_BODY" in hub.said, what="both in the log")
    assert "Traceback" not in hub.said


def test_http_2_is_not_spoken(hub: Hub, send: list[socket.socket]) -> None:
    connection = connect(hub, send, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")

    assert not answer(connection).startswith(b"\0\0")


def test_many_idle_connections_keep_nobody_out(hub: Hub, send: list[socket.socket]) -> None:
    for _ in range(200):
        connect(hub, send)

    assert others_are_served(hub)

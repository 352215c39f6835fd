"""Answers that never end, are too large, or break off."""

import gzip
import socket
import threading
import time
import zlib
from typing import Any

import pytest

from jobs.errors import Stopped
from tests.jobs.client.conftest import Allow, failure, get
from tests.jobs.servers import Reply, Server, talking

# -- answers without end -----------------------------------------------------------------------------------------------
HEAD = b"HTTP/1.1 200 OK\r\n"


def drip(line: socket.socket, start: bytes, piece: bytes, pause_s: float = 0.02) -> None:
    line.sendall(start)
    while True:
        line.sendall(piece)
        time.sleep(pause_s)


ENDLESS = {
    "no answer": lambda line: line.recv(65536) and time.sleep(60),
    "a status line": lambda line: drip(line, b"HTTP/1.1 200 O", b"K"),
    "headers": lambda line: drip(line, HEAD, b"X-A: b\r\n", 0.2),
    "a header": lambda line: drip(line, HEAD + b"X-A: ", b"b"),
    "continue": lambda line: drip(line, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body by length": lambda line: drip(line, HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "a body in chunks": lambda line: drip(line, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a size of a chunk": lambda line: drip(line, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "a body to the end": lambda line: drip(line, HEAD + b"\r\n", b"x"),
    "nothing packed": lambda line: drip(
        line, HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\0\0\0\xff\xff"
    ),
}


@pytest.mark.parametrize("talk", ENDLESS.values(), ids=ENDLESS)
def test_whatever_drips_is_cut_off_in_time(allow: Allow, talk: Any) -> None:
    with talking(talk) as port:
        allow(port)
        assert (
            failure(f"http://127.0.0.1:{port}/", timeout_s=0.5).message
            == "no whole answer from '127.0.0.1' within 0.5 s"
        )


@pytest.mark.parametrize("talk", ENDLESS.values(), ids=ENDLESS)
def test_the_word_to_stop_is_heard_in_mid_answer(allow: Allow, talk: Any) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with talking(talk) as port:
        allow(port)
        with pytest.raises(Stopped):
            get(f"http://127.0.0.1:{port}/", timeout_s=30, should_stop=stop.is_set)


def test_a_host_that_takes_no_connection_is_given_up_in_time(allow: Allow) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        allow(address[1])
        with socket.create_connection(address), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(address)
            assert "no whole answer" in failure(f"http://127.0.0.1:{address[1]}/", timeout_s=0.5).message


def flood(line: socket.socket) -> None:
    line.sendall(HEAD + b"\r\n")
    while True:
        line.sendall(b"x" * 65536)


def test_a_flood_is_cut_at_the_limit(allow: Allow) -> None:
    with talking(flood) as port:
        allow(port)
        answer = get(f"http://127.0.0.1:{port}/", limit_bytes=100_000)
    assert (len(answer.body), answer.is_cut) == (100_000, True)


def test_a_body_of_just_the_limit_is_whole(server: Server) -> None:
    server.replies["/"] = Reply(b"x" * 1000)
    answer = get(server.url, limit_bytes=1000)
    assert (len(answer.body), answer.is_cut) == (1000, False)


def test_a_bomb_is_unpacked_to_the_limit_only(server: Server) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(50)) + packer.flush()
    server.replies["/"] = Reply(bomb, headers={"Content-Encoding": "gzip"})
    answer = get(server.url, limit_bytes=100_000)
    assert (len(answer.body), answer.is_cut, len(bomb) < 1 << 20) == (100_000, True, True)


BROKEN = {
    "a body": HEAD + b"Content-Length: 10\r\n\r\nabc",
    "a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "headers": HEAD + b"Content-Le",
    "nothing": b"",
    "no http": b"SSH-2.0-OpenSSH_9\r\n",
    "packed garbage": HEAD + b"Content-Encoding: gzip\r\n\r\ngarbage",
    "an unknown packing": HEAD + b"Content-Encoding: br\r\n\r\nx",
    "a line without end": HEAD + b"X-A: " + b"x" * 70_000,
    "too many headers": HEAD + b"X-A: b\r\n" * 200,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_fails_with_a_reason(allow: Allow, data: bytes) -> None:
    def talk(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(data)

    with talking(talk) as port:
        allow(port)
        assert failure(f"http://127.0.0.1:{port}/").message


def test_nobody_listens(allow: Allow) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        allow(taken.getsockname()[1])
        error = failure(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (error.message, error.causes) == ("the talk with '127.0.0.1' failed", ("Connection refused",))


def test_no_thread_is_left(server: Server) -> None:
    server.replies["/"] = Reply()
    get(server.url)
    assert not [thread for thread in threading.enumerate() if thread.name == "http-watch"]

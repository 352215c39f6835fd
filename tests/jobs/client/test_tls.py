"""Certificates."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import client
from tests.jobs.client.conftest import Allow, failure, get, redirect
from tests.jobs.servers import Reply, Server, serving, talking


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Self-signed for localhost, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on this machine")
    path = tmp_path / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        path,
        "-out",
        f"{path}.crt",
    ]
    subprocess.run([*words, *subject], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
def secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Speaks TLS with that certificate, which is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    client._tls.cache_clear()
    with serving(wrap=lambda line: context.wrap_socket(line, server_side=True)) as server:
        server.replies["/"] = Reply(b"hello")
        yield server
    client._tls.cache_clear()


def test_a_certificate_is_checked_against_the_name(secure: Server, allow: Allow) -> None:
    allow("localhost", secure.port)
    assert get(f"https://localhost:{secure.port}/").body == b"hello"
    error = failure(f"https://127.0.0.1:{secure.port}/")
    assert error.message == "the certificate of '127.0.0.1' cannot be trusted"


def test_an_unknown_certificate_is_refused(secure: Server, allow: Allow, monkeypatch: pytest.MonkeyPatch) -> None:
    allow("localhost")
    monkeypatch.delenv("SSL_CERT_FILE")
    client._tls.cache_clear()
    error = failure(f"https://localhost:{secure.port}/")
    assert error.message == "the certificate of 'localhost' cannot be trusted"
    assert error.causes


def test_a_redirect_from_https_to_http_is_refused(secure: Server, server: Server, allow: Allow) -> None:
    allow("localhost", server.port)
    secure.replies["/"] = redirect(server.url)
    assert "from https to http" in failure(f"https://localhost:{secure.port}/").message
    assert server.seen == []


def test_a_redirect_from_http_to_https_goes_without_credentials(secure: Server, server: Server, allow: Allow) -> None:
    allow("localhost", server.port)
    server.replies["/"] = redirect(f"https://localhost:{secure.port}/")
    assert get(server.url, headers={"Authorization": "Bearer x"}).body == b"hello"
    assert "authorization" not in secure.seen[0].headers


def test_a_peer_that_does_not_speak_tls_fails_in_time(allow: Allow) -> None:
    with talking(lambda line: time.sleep(60)) as port:
        allow(port)
        assert "no whole answer" in failure(f"https://127.0.0.1:{port}/", timeout_s=0.5).message

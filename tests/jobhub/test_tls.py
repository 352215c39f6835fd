"""TLS ports of a hub of real processes, asked by clients that check the certificate."""

import contextlib
import http.client
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobhub.certificates import Pair
from tests.jobhub.certificate import bring
from tests.jobhub.hub import Hub, free_port
from tests.programs import are_gone, is_gone
from tests.waiting import eventually

pytestmark = pytest.mark.cluster


@pytest.fixture
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def hub(tmp_path: Path, installed: Path, ports: tuple[int, int]) -> Iterator[Hub]:
    """A hub that was set up, with two TLS ports."""
    hub = Hub(tmp_path, TLS_PORT=f"{ports[0]},{ports[1]}")
    shutil.copytree(installed, hub.env["JOBHUB_VAR"])
    yield hub
    hub.close()


def own(hub: Hub) -> Path:
    """The certificate that the hub has made."""
    return Path(hub.env["JOBHUB_VAR"]) / "hub" / "tls.crt"


def trusting(certificate: Path) -> ssl.SSLContext:
    """As strict as Python 3.13 is by itself."""
    context = ssl.create_default_context(cafile=certificate)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def ask(port: int, context: ssl.SSLContext, path: str = "/healthz") -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Accept": "text/html"})
        return connection.getresponse()


def answers(port: int, hub: Hub) -> bool:
    with contextlib.suppress(OSError):
        return ask(port, trusting(own(hub))).status == 200
    return False


def served(port: int) -> str:
    """The certificate that is served now."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=10)


def use(hub: Hub, pair: Pair) -> None:
    hub.env |= {"JOBHUB_TLS_CERT": str(pair.certificate), "JOBHUB_TLS_KEY": str(pair.key)}


def web(hub: Hub) -> subprocess.Popen[bytes]:
    main = hub.start("web")
    eventually(lambda: hub.get("/healthz") == 200 or main.poll() is not None, what="an answer")
    assert main.poll() is None, hub.said
    return main


# -- it works ----------------------------------------------------------------------------------------------------------
def test_each_port_answers_beside_the_plain_one(hub: Hub, ports: tuple[int, int]) -> None:
    hub.up()
    context = trusting(own(hub))

    assert [ask(port, context).status for port in ports] == [200, 200]
    assert hub.get("/readyz") == 200
    assert f"https://127.0.0.1:{ports[0]}/" in hub.said


def test_it_speaks_tls_1_2_and_1_3_and_nothing_older(hub: Hub, ports: tuple[int, int]) -> None:
    web(hub)
    eventually(lambda: is_open(ports[0]), what="the TLS port")
    spoken = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = trusting(own(hub))
        context.minimum_version = context.maximum_version = version
        spoken.append(ask(ports[0], context).status)
    old = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{ports[0]}", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
        input=b"",
        capture_output=True,
        timeout=20,
    )

    assert spoken == [200, 200]
    assert b"Cipher is (NONE)" in old.stdout


def is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_cookies_stay_within_tls_only_there(hub: Hub, ports: tuple[int, int]) -> None:
    web(hub)
    eventually(lambda: is_open(ports[0]), what="the TLS port")
    secure = ask(ports[0], trusting(own(hub)), "/admin/login/").headers["Set-Cookie"]
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)) as plain:
        plain.request("GET", "/admin/login/")
        insecure = plain.getresponse().headers["Set-Cookie"]

    assert secure.lower().endswith("; secure")
    assert "secure" not in insecure.lower()


def test_hsts_is_told_only_with_a_given_certificate(hub: Hub, ports: tuple[int, int], tmp_path: Path) -> None:
    pair = bring(tmp_path, "own")
    use(hub, pair)
    web(hub)
    eventually(lambda: is_open(ports[0]), what="the TLS port")
    context = ssl.create_default_context(cafile=pair.certificate)

    assert ask(ports[0], context).headers["Strict-Transport-Security"] == "max-age=31536000"


# -- a renewal ---------------------------------------------------------------------------------------------------------
def test_a_renewed_certificate_is_taken_and_the_plain_port_stays(
    hub: Hub, ports: tuple[int, int], tmp_path: Path
) -> None:
    pair = bring(tmp_path, "own")
    use(hub, pair)
    main = web(hub)
    eventually(lambda: is_open(ports[0]), what="the TLS port")
    before, plain = served(ports[0]), psutil.Process(main.pid).children()[0].children()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)) as kept:
        kept.request("GET", "/healthz")
        kept.getresponse().read()
        new = bring(tmp_path, "new")
        new.certificate.replace(pair.certificate)
        new.key.replace(pair.key)
        eventually(lambda: served(ports[0]) != before, what="the new certificate")

    assert not any(is_gone(process) for process in plain)
    assert hub.get("/healthz") == 200


# -- what dies, and what is refused ------------------------------------------------------------------------------------
def test_a_tls_port_that_dies_is_started_again(hub: Hub, ports: tuple[int, int]) -> None:
    main = web(hub)
    eventually(lambda: is_open(ports[1]), what="the TLS port")
    victim = psutil.Process(main.pid).children()[2]
    family = [victim, *victim.children()]

    for process in family:
        process.kill()

    eventually(lambda: answers(ports[1], hub), what="it again")
    assert hub.get("/healthz") == 200


def test_it_ends_with_all_its_processes(hub: Hub) -> None:
    main = web(hub)
    eventually(lambda: len(hub.family(main)) > 6, what="all its processes")
    family = hub.family(main)

    main.send_signal(signal.SIGTERM)

    assert main.wait(30) == 0
    assert are_gone(family)


def test_a_tls_port_in_use_is_refused(hub: Hub, ports: tuple[int, int]) -> None:
    with socket.create_server(("127.0.0.1", ports[1])):
        done = hub.run("web")

    assert (done.returncode, done.stderr) == (2, f"web: port {ports[1]} is in use; set JOBHUB_TLS_PORT to a free one\n")


def test_a_bad_certificate_stops_the_start_with_one_line(hub: Hub, tmp_path: Path) -> None:
    use(hub, Pair(bring(tmp_path, "a").certificate, bring(tmp_path, "b").key))
    done = hub.run("web")

    assert done.returncode == 2
    assert done.stderr.startswith("web: JOBHUB_TLS_CERT and JOBHUB_TLS_KEY: the key")
    assert done.stderr.count("\n") == 1

"""Behind a reverse proxy: whose words about the client are believed."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from jobhub.proxies import TrustedProxies


def seen(settings: Any, peer: str, **headers: str) -> tuple[str, str]:
    """The address and the scheme that the hub sees of a request."""
    settings.HUB = {**settings.HUB, "TRUSTED_PROXIES": ("10.0.0.0/8", "::1/128")}
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **headers}
    TrustedProxies(lambda _: HttpResponse())(request)
    return request.META["REMOTE_ADDR"], request.META["wsgi.url_scheme"]


@pytest.mark.parametrize("peer", ["10.1.2.3", "::1"])
def test_a_trusted_proxy_is_believed(peer: str, settings: Any) -> None:
    headers = {"HTTP_X_FORWARDED_FOR": "192.0.2.7", "HTTP_X_FORWARDED_PROTO": "https"}

    assert seen(settings, peer, **headers) == ("192.0.2.7", "https")


@pytest.mark.parametrize("peer", ["192.0.2.99", "127.0.0.1", "", "unix:"])
def test_anybody_else_is_not(peer: str, settings: Any) -> None:
    headers = {"HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"}

    assert seen(settings, peer, **headers) == (peer, "http")


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("127.0.0.1, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.9.9.9, 10.8.8.8", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.9.9.9", "10.1.2.3"),
        ("nonsense", "10.1.2.3"),
        ("", "10.1.2.3"),
        (",,", "10.1.2.3"),
    ],
)
def test_what_a_client_invents_is_not_believed(forwarded: str, address: str, settings: Any) -> None:
    assert seen(settings, "10.1.2.3", HTTP_X_FORWARDED_FOR=forwarded)[0] == address


def test_a_scheme_is_http_or_https(settings: Any) -> None:
    assert seen(settings, "10.1.2.3", HTTP_X_FORWARDED_PROTO="javascript")[1] == "http"

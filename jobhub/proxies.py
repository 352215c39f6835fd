"""Who really asks when a reverse proxy stands in front: believed only from `JOBHUB_TRUSTED_PROXIES`."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from jobhub.connections import address_in

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SCHEMES = ("http", "https")
PEER = "jobhub.peer"
"""In a request's META: the address at the other end of the connection."""


class TrustedProxies:
    """Takes address and scheme of a request from a trusted proxy's X-Forwarded-For and -Proto.

    The address is the last one that no trusted proxy has: what stands before it a client may have invented.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.trusted = [ipaddress.ip_network(network) for network in settings.HUB["TRUSTED_PROXIES"]]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.META[PEER] = request.META.get("REMOTE_ADDR", "")
        if self.trusted and self._trusts(request.META.get("REMOTE_ADDR", "")):
            self._believe(request)
        return self.get_response(request)

    def _believe(self, request: HttpRequest) -> None:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        address = next((hop for hop in reversed(hops) if hop and not self._trusts(hop)), None)
        if address is not None and address_in(address) is not None:
            request.META["REMOTE_ADDR"] = address
        scheme = request.META.get("HTTP_X_FORWARDED_PROTO", "").lower()
        if scheme in SCHEMES:
            request.META["wsgi.url_scheme"] = scheme

    def _trusts(self, text: str) -> bool:
        address = address_in(text)
        return address is not None and any(address in network for network in self.trusted)


def peer_of(request: HttpRequest) -> str:
    """The address that the connection is from: a proxy's, where one stands in front."""
    return str(request.META.get(PEER, ""))

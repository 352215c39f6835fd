"""What every answer carries, whoever gives it: what browsers may do with it, and cookies that stay within TLS."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

POLICY = (
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
)
"""Scripts, styles and images come as files of this hub, never within a page."""
UNUSED = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Server": "JobHub",
}
"""`Server` keeps the web server from telling its own name."""


class SecureHeaders:
    """Comes first, so that no answer goes around it. A header that a view has set itself stays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._hsts = f"max-age={settings.HUB['HSTS_S']}" if settings.HUB["TLS_CERT"] and settings.HUB["HSTS_S"] else ""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure():
            self._keep_within_tls(response)
        return response

    def _keep_within_tls(self, response: HttpResponseBase) -> None:
        """Only what came by TLS: on the plain port a browser would drop such cookies. HSTS with a made certificate
        would take away the browser's question whether to go on."""
        for cookie in response.cookies.values():
            cookie["secure"] = True
        if self._hsts:
            response.headers.setdefault("Strict-Transport-Security", self._hsts)

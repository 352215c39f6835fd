"""Who is asking: a browser gets pages, every other client the vendor's own bytes."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from vendors.wire.renderers import Browsable


def wants_html(request: HttpRequest | Request) -> bool:
    """Whether the client names HTML first: only browsers do."""
    first = request.META.get("HTTP_ACCEPT", "").lstrip().lower()
    return first.startswith(("text/html", "application/xhtml+xml"))


class BrowserOrClient(DefaultContentNegotiation):
    """Never 406: an API client gets the face's one media type whatever it asks for."""

    def select_renderer(  # type: ignore[override]
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[Any, str]:
        is_browser = wants_html(request)
        chosen = next((one for one in renderers if is_browser and isinstance(one, Browsable)), renderers[0])
        return chosen, chosen.media_type

"""Slashes too many in a path, which some vendors' own clients send and their servers take for none."""

import re
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vendors import registry

REPEATED = re.compile(r"/{2,}")


class SpareSlashes:
    """Repeated ones become one, and one at the end goes, below faces that say so; without a redirect: clients do not
    expect one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if "//" in path and (owner := registry.owner_of(REPEATED.sub("/", path))) and owner.collapses_slashes:
            path = REPEATED.sub("/", path)
        if path.endswith("/") and (owner := registry.owner_of(path)) and owner.drops_last_slash:
            path = path if path.lstrip("/") in owner.mounts else path[:-1]
        if path != request.path_info:
            request.path_info = request.path = path
        return self.get_response(request)

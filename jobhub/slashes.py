"""Repeated slashes in a path, which some vendors' own clients send and their servers take for one."""

import re
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vendors import registry

REPEATED = re.compile(r"/{2,}")


class SingleSlashes:
    """Makes them one below faces that say so, without a redirect: clients do not expect one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "//" in request.path_info:
            path = REPEATED.sub("/", request.path_info)
            owner = registry.owner_of(path)
            if owner and owner.collapses_slashes:
                request.path_info = request.path = path
        return self.get_response(request)

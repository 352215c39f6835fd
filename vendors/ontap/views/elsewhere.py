"""Paths of the API that lead nowhere."""

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from vendors import registry
from vendors.ontap.problems import unexpected
from vendors.ontap.vendor import VENDOR
from vendors.ontap.views.base import OntapView
from vendors.wire.errors import NoRoute


class ElsewhereView(OntapView):
    """Says that there is nothing, but first asks who is there: a wrong password is the same on every path."""

    name = "API"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if registry.owner_of(request.path) is not VENDOR:
            raise Http404  # it is another face's to say
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if surplus := kwargs.get("surplus"):
            raise unexpected(surplus.partition("/")[0], status=404)
        raise NoRoute

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Never reached: every method is refused before it."""
        raise NoRoute

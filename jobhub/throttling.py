"""The login pages' answer to too many passwords; faces answer in their own words."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import Throttled

from jobhub.handlers import throttled


class ThrottledLogins:
    """Django's login pages know no refusal but a wrong password: this makes it 429."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return throttled(request, exception) if isinstance(exception, Throttled) else None

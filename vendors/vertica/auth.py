"""The agent's keys."""

from rest_framework.request import Request

from vendors.wire.auth import KeyAuthentication, header_text

HEADER = "HTTP_VERTICAAPIKEY"


class VerticaKey(KeyAuthentication):
    """`VerticaAPIKey: <key>`, in any case: a key of the hub, with a level of the same name."""

    challenge = 'VerticaAPIKey realm="JobHub"'

    def given(self, request: Request) -> str | None:
        return header_text(request, HEADER) if HEADER in request.META else None

"""The ways in that Elasticsearch's clients know."""

import base64
import binascii

from rest_framework.request import Request

from vendors.wire import auth
from vendors.wire.auth import header_text


class ApiKey(auth.KeyAuthentication):
    """`Authorization: ApiKey <base64 of id:secret>`: a key of the hub, cut at its point."""

    challenge = "ApiKey"

    def given(self, request: Request) -> str | None:
        scheme, _, text = header_text(request, "HTTP_AUTHORIZATION").partition(" ")
        if scheme.lower() != "apikey":
            return None
        try:
            key_id, _, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return ""
        return f"{key_id}.{secret}"


class BasicAuthentication(auth.BasicAuthentication):
    challenge = 'Basic realm="security" charset="UTF-8"'


class Bearer(auth.KeyAuthentication):
    challenge = 'Bearer realm="security"'

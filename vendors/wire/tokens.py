"""Tokens of the hub's own identity service, in the header that OpenStack's clients send them in."""

from rest_framework.request import Request

from jobs.engine.tokens import find_token
from vendors.wire.auth import Authentication, Credentials, Found, address_of, face_of, header_text, lazy_user
from vendors.wire.pagination import absolute

TOKEN_HEADER = "HTTP_X_AUTH_TOKEN"


class TokenAuthentication(Authentication):
    """`X-Auth-Token: <token>`."""

    def authenticate(self, request: Request) -> Found | None:
        text = header_text(request, TOKEN_HEADER).strip()
        if not text:
            return None
        bearer = find_token(text)
        if bearer is None:
            raise self.refuse(request, token_id_of(text))
        return lazy_user(bearer.user_id), Credentials(
            bearer.actor(face_of(request), address_of(request)), bearer=bearer
        )


def challenge(request: Request) -> str:
    """What a 401 says to OpenStack's clients: where a token is to be had."""
    return f'Keystone uri="{absolute(request, "/identity/v3")}"'


def token_id_of(text: str) -> str:
    """What may be told of a token that does not fit."""
    token_id, point, _ = text.partition(".")
    return token_id if point and len(token_id) == 32 and token_id.isalnum() else "unreadable"

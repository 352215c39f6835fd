"""Who may do what through the identity service."""

from typing import Any

from tests.conftest import PASSWORD
from tests.vendors.rights import ANYBODY, LOGGED_IN, Need, Row

LOGIN = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "alice", "password": PASSWORD}}}}}


def identity(method: str, route: str, need: Need, status: int = 200, **more: Any) -> Row:
    return Row(method=method, route=route, path=f"/identity{route}", need=need, status=status, **more)


ROWS = [
    identity("get", "", ANYBODY, 300),
    identity("get", "/v3", ANYBODY),
    identity("post", "/v3/auth/tokens", ANYBODY, 201, body=LOGIN),
    identity("get", "/v3/auth/tokens", LOGGED_IN, 404),
    identity("delete", "/v3/auth/tokens", LOGGED_IN, 404),
]
"""Without a token in question there is none to be found; who may read whose is in `test_tokens.py`."""

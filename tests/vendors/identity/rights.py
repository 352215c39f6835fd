"""Who may do what through the identity service."""

from typing import Any

from tests.conftest import PASSWORD
from tests.vendors.rights import ANYBODY, LOGGED_IN, Need, Row

LOGIN = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "alice", "password": PASSWORD}}}}}


def rows(method: str, route: str, need: Need, status: int, **more: Any) -> list[Row]:
    return [
        Row(method=method, route=route + end, path=f"/identity{route}{end}", need=need, status=status, **more)
        for end in ("", "/")
    ]


ROWS = [
    *rows("get", "", ANYBODY, 300),
    *rows("get", "/v3", ANYBODY, 200),
    *rows("post", "/v3/auth/tokens", ANYBODY, 201, body=LOGIN),
    *rows("get", "/v3/auth/tokens", LOGGED_IN, 404),
    *rows("delete", "/v3/auth/tokens", LOGGED_IN, 404),
]
"""Without a token in question there is none to be found; who may read whose is in `test_tokens.py`."""

"""A client that compares every answer with the OpenAPI document."""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema
import pytest
from django.urls import Resolver404, resolve
from rest_framework.test import APIClient

from jobs.models import Level, Project, User
from tests.conftest import ClientOf
from vendors.native import schema

UNDOCUMENTED = {"HEAD", "OPTIONS", "TRACE"}


class CheckedClient(APIClient):
    """Fails when an answer is not as documented: its status, its media type, or its body."""

    def request(self, **kwargs: Any) -> Any:
        response = super().request(**kwargs)
        method, path = kwargs["REQUEST_METHOD"], kwargs["PATH_INFO"]
        if path.startswith("/hub/v1/") and method not in UNDOCUMENTED and not _is_page(response):
            check(method, path, response)
        return response


def check(method: str, path: str, response: Any) -> None:
    operation = _operation(method, path)
    if operation is None:
        assert response.status_code in (401, 403, 404, 405), (method, path, response.status_code)
        return
    documented = operation["responses"].get(str(response.status_code))
    assert documented is not None, f"{method} {path}: {response.status_code} is not documented: {response.content!r}"
    content = documented.get("content")
    if not content:
        assert not response.content
        return
    media_type = response.headers["Content-Type"].split(";")[0]
    assert media_type in content, f"{method} {path}: {media_type} is not documented"
    if media_type.endswith("json"):
        validate(json.loads(response.content), content[media_type]["schema"])


def _is_page(response: Any) -> bool:
    return str(response.headers.get("Content-Type", "")).startswith("text/html")


def _operation(method: str, path: str) -> dict[str, Any] | None:
    try:
        route = resolve(path).route
    except Resolver404:
        return None
    found = schema.document()["paths"].get("/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route), {})
    operation: dict[str, Any] | None = found.get(method.lower())
    return operation


def validate(body: Any, wanted: dict[str, Any]) -> None:
    _validator(json.dumps(wanted)).validate(body)


@cache
def _validator(wanted: str) -> jsonschema.Draft202012Validator:
    document = {**json.loads(wanted), "components": json.loads(schema.as_json())["components"]}
    return jsonschema.Draft202012Validator(document, format_checker=jsonschema.FormatChecker())


@pytest.fixture
def client_of(key_of: Callable[..., str]) -> ClientOf:
    def make(user: User, level: str = Level.ADMIN, project: Project | None = None) -> APIClient:
        return CheckedClient(HTTP_AUTHORIZATION=f"Bearer {key_of(user, level, project)}")

    return make


@pytest.fixture
def client(alice: User, client_of: ClientOf) -> APIClient:
    """Alice's, with all that an admin of `alpha` may do."""
    return client_of(alice)

"""What tests of the faces have in common."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs import secrets
from tests.conftest import PASSWORD
from vendors.wire import passwords, throttle

Basic = Callable[..., APIClient]


@pytest.fixture(autouse=True)
def nobody_is_known() -> Iterator[None]:
    """No test profits from another one's login."""
    passwords.VERIFIED.clear()
    throttle.ATTEMPTS.forget()
    yield


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's own key file of secrets is left alone."""
    monkeypatch.setattr(secrets, "_keys", secrets.KeyFile(tmp_path / "secret.keys"))


def basic(name: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def anybody(db: None) -> APIClient:
    """A client without credentials."""
    return APIClient()


def fields_of(response: Any) -> list[str]:
    """The wrong fields that a native 400 names."""
    assert response.status_code == 400, response.content
    return [error["field"] for error in response.json()["errors"]]

"""What tests of the Datameer face share."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import User
from tests.conftest import ClientOf
from tests.vendors.datameer.documents import IMPORT


@pytest.fixture
def client(client_of: ClientOf, alice: User) -> APIClient:
    """Alice's, with all that an admin of `alpha` may do."""
    return client_of(alice)


@pytest.fixture
def stranger(client_of: ClientOf, charlie: User) -> APIClient:
    return client_of(charlie)


@pytest.fixture
def document(settings: Any) -> dict[str, Any]:
    """An import job that can run."""
    filled: dict[str, Any] = json.loads(json.dumps(IMPORT).replace("{data}", str(settings.HUB_DATA)))
    return filled

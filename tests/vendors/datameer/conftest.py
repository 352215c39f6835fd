"""What tests of the Datameer face share."""

import pytest
from rest_framework.test import APIClient

from jobs.models import User
from tests.conftest import ClientOf


@pytest.fixture
def client(client_of: ClientOf, alice: User) -> APIClient:
    """Alice's, with all that an admin of `alpha` may do."""
    return client_of(alice)


@pytest.fixture
def stranger(client_of: ClientOf, charlie: User) -> APIClient:
    return client_of(charlie)

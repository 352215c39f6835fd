"""People at the admin: everybody of `tests.conftest` is staff here, and `look(user)` is their browser."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from jobs.models import User

Look = Callable[[User], Client]


@pytest.fixture
def look(db: None) -> Look:
    def make(user: User) -> Client:
        User.objects.filter(pk=user.pk).update(is_staff=True)
        client = Client()
        client.force_login(user)
        return client

    return make


def page(client: Client, url: str) -> str:
    """The text of a page that must be there."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode())


def told(answer: Any) -> str:
    """What a deed said about itself."""
    return " | ".join(str(message) for message in get_messages(answer.wsgi_request))

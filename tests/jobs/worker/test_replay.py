"""Notices that are sent again, and those that go by e-mail."""

import socket
from typing import Any

import pytest
from django.core import mail

from jobs.engine import deliveries
from jobs.engine.notices import subscribe
from jobs.engine.rights import Actor, actor_for
from jobs.errors import Conflict, Forbidden
from jobs.models import AuditEvent, Delivery, Subscription, User
from tests.jobs.receivers import carry, only, tell
from tests.jobs.servers import Server


# -- replay ------------------------------------------------------------------------------------------------------------
def test_a_replay_is_sent_again_with_the_same_id(hook: Subscription, server: Server, failed: Any, op: Actor) -> None:
    tell(failed, "failed")
    carry()
    deliveries.replay(only(), actor=op)
    carry()
    assert len({seen.headers["webhook-id"] for seen in server.seen}) == 1
    assert (len(server.seen), only().outcome) == (2, "delivered")


def test_what_was_given_up_can_be_replayed(hook: Subscription, server: Server, failed: Any, op: Actor) -> None:
    tell(failed, "failed")
    Delivery.objects.update(next_at=None)
    deliveries.replay(only(), actor=op)
    carry()
    assert only().outcome == "delivered"


def test_what_is_pending_is_not_replayed(hook: Subscription, failed: Any, op: Actor) -> None:
    tell(failed, "failed")
    with pytest.raises(Conflict, match="under way already"):
        deliveries.replay(only(), actor=op)


def test_a_reader_may_not_replay(hook: Subscription, failed: Any, rita: User, bob: User) -> None:
    tell(failed, "failed")
    Delivery.objects.update(next_at=None)
    with pytest.raises(Forbidden):
        deliveries.replay(only(), actor=actor_for(rita, face="test"))
    deliveries.replay(only(), actor=actor_for(bob, face="test"))
    assert AuditEvent.objects.filter(deed="replay", username="bob").exists()


# -- e-mail ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def ops(op: Actor, settings: Any) -> Subscription:
    settings.EMAIL_IS_ON, settings.BASE_URL = True, "https://jobs.example.org"
    return subscribe({"email": ["ops@example.org", "b@example.org"], "events": ["failed", "soft_timeout"]}, actor=op)


def test_an_e_mail_tells_the_same(ops: Subscription, failed: Any) -> None:
    tell(failed, "failed")
    carry()
    sent = mail.outbox[0]
    assert (sent.subject, sent.to) == ("[alpha] nightly/db failed", ["ops@example.org", "b@example.org"])
    assert f"Execution: {failed.handle}" in sent.body
    assert f"https://jobs.example.org/admin/jobs/jobexecution/{failed.pk}/change/" in sent.body
    assert only().outcome == "delivered"


def test_an_e_mail_that_cannot_be_sent_waits(ops: Subscription, failed: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _closed_port()
    tell(failed, "failed")
    carry()
    assert (only().outcome, only().error) == ("pending", "ConnectionRefusedError: [Errno 111] Connection refused")


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])

"""Notices that are sent again."""

from typing import Any

import pytest

from jobs.engine import deliveries
from jobs.engine.rights import Actor, actor_for
from jobs.errors import Conflict, Forbidden
from jobs.models import AuditEvent, Delivery, Subscription, User
from tests.jobs.receivers import carry, only, tell
from tests.jobs.servers import Server


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

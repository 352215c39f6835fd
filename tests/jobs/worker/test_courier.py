"""The courier: what receivers get, and what becomes of notices that they do not take."""

import base64
import json
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from jobs import targets
from jobs.engine import define, deliveries, messages, secrets
from jobs.engine.messages import Message
from jobs.engine.notices import change, subscribe
from jobs.engine.rights import Actor
from jobs.models import AuditEvent, Delivery, Subscription
from jobs.targets import TargetGuard
from jobs.worker import courier, post
from jobs.worker.courier import Courier
from tests.conftest import MakeJob
from tests.jobs.receivers import again, carry, only, tell
from tests.jobs.servers import Reply, Seen, Server

KEY = "correct horse"
OK = Reply(status=204)


# -- what a receiver gets ----------------------------------------------------------------------------------------------
def test_the_receiver_is_told_what_happened(hook: Subscription, server: Server, failed: Any) -> None:
    tell(failed, "failed")
    carry()
    seen = server.seen[0]
    told = json.loads(seen.body)
    assert (seen.method, seen.headers["content-type"]) == ("POST", "application/json; charset=utf-8")
    assert (told["type"], told["data"]["handle"], told["data"]["job"]) == (
        "execution.failed",
        failed.handle,
        "nightly/db",
    )
    assert (told["data"]["state"], told["data"]["errors"]) == ("failed", ["it broke", "because"])


def test_what_was_taken_is_delivered(hook: Subscription, server: Server, failed: Any) -> None:
    tell(failed, "failed")
    carry()
    delivery = only()
    assert (delivery.outcome, delivery.answer, delivery.n_tries, delivery.error) == ("delivered", 204, 1, "")
    assert delivery.duration_ms is not None
    assert server.seen[0].headers["webhook-id"] == str(delivery.uuid)


def test_it_is_sent_once(hook: Subscription, server: Server, failed: Any) -> None:
    tell(failed, "failed")
    carry()
    again()
    carry()
    assert len(server.seen) == 1


@pytest.mark.parametrize("value", [KEY, "whsec_" + base64.b64encode(b"raw\0key").decode()])
def test_openssl_agrees_with_the_signature(
    server: Server, failed: Any, op: Actor, keys: Callable[[str, str], None], value: str
) -> None:
    keys("signing", value)
    subscribe({"webhook": f"{server.url}/hook", "secret": "signing"}, actor=op)
    tell(failed, "failed")
    carry()
    seen = server.seen[0]
    text = f"{seen.headers['webhook-id']}.{seen.headers['webhook-timestamp']}.".encode() + seen.body
    key = base64.b64decode(value[6:]) if value.startswith("whsec_") else value.encode()
    assert seen.headers["webhook-signature"] == f"v1,{base64.b64encode(_mac_by_openssl(key, text)).decode()}"
    assert abs(int(seen.headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60


def _mac_by_openssl(key: bytes, text: bytes) -> bytes:
    words = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"]
    return subprocess.run(words, input=text, capture_output=True, check=True).stdout


def test_without_a_secret_there_is_no_signature(hook: Subscription, server: Server, failed: Any) -> None:
    tell(failed, "failed")
    carry()
    assert "webhook-signature" not in server.seen[0].headers


def test_the_url_may_be_a_secret(server: Server, failed: Any, op: Actor, keys: Callable[[str, str], None]) -> None:
    keys("address", f"{server.url}/hook?token=0123456789")
    server.replies["/hook?token=0123456789"] = Reply(b"unknown token=0123456789", status=400)
    subscribe({"webhook": {"secret": "address"}}, actor=op)
    tell(failed, "failed")
    carry()
    assert (len(server.seen), only().answer) == (1, 400)
    assert "0123456789" not in only().error


def test_a_face_writes_its_own(server: Server, failed: Any, op: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(delivery: Delivery) -> Message:
        text = f"{delivery.subscription.extras['id']} {delivery.execution.handle} {delivery.event}"
        return Message(text.encode(), {"Content-Type": "text/plain"})

    monkeypatch.setattr(messages, "_writers", {"vertica": write}.get)
    subscribe({"webhook": f"{server.url}/hook"}, actor=op, face="vertica", extras={"id": 7})
    tell(failed, "failed")
    carry()
    assert server.seen[0].body.decode() == f"7 {failed.handle} failed"
    assert server.seen[0].headers["content-type"] == "text/plain"


def test_a_broken_writer_stops_nobody_else(
    hook: Subscription, server: Server, failed: Any, op: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "_writers", lambda face: lambda delivery: 1 / 0)
    broken = subscribe({"webhook": f"{server.url}/hook"}, actor=op, face="vertica")
    tell(failed, "failed")
    carry()
    assert [row.outcome for row in Delivery.objects.order_by("pk")] == ["delivered", "pending"]
    assert broken.deliveries.get().error == "it cannot be written: division by zero"


# -- what is not taken -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
def test_what_is_refused_is_tried_again_later(hook: Subscription, server: Server, failed: Any, status: int) -> None:
    server.replies["/hook"] = Reply(b"no thanks", status=status)
    tell(failed, "failed")
    carry()
    delivery = only()
    assert (delivery.outcome, delivery.answer) == ("pending", status)
    assert delivery.error.endswith("no thanks")
    assert timedelta(seconds=3) < delivery.next_at - timezone.now() < timedelta(seconds=7)  # type: ignore[operator]


@pytest.mark.parametrize("status", [404, 429, 503])
def test_it_is_left_alone_for_as_long_as_it_asks(hook: Subscription, server: Server, failed: Any, status: int) -> None:
    in_an_hour = timezone.now() + timedelta(hours=1)
    for asked in ("3600", format_datetime(in_an_hour.astimezone(UTC), usegmt=True)):
        server.replies["/hook"] = Reply(status=status, headers={"Retry-After": asked})
        Delivery.objects.all().delete()
        tell(failed, "failed")
        carry()
        assert abs(only().next_at - in_an_hour) < timedelta(minutes=1)  # type: ignore[operator]
        again()


@pytest.mark.parametrize("asked", ["", "soon", "-1", "Sun, 06 Nov 1994 08:49:37 GMT", "٣٦٠٠"])
def test_what_asks_for_nothing_is_tried_again_as_always(
    hook: Subscription, server: Server, failed: Any, asked: str
) -> None:
    server.replies["/hook"] = Reply(status=503, headers={"Retry-After": asked})
    tell(failed, "failed")
    carry()
    assert only().next_at - timezone.now() < timedelta(seconds=7)  # type: ignore[operator]


def test_nobody_is_left_alone_for_ever(hook: Subscription, server: Server, failed: Any) -> None:
    server.replies["/hook"] = Reply(status=503, headers={"Retry-After": "99999999999999999999"})
    tell(failed, "failed")
    carry()
    assert only().next_at - timezone.now() < timedelta(hours=5)  # type: ignore[operator]


def test_one_that_is_gone_is_told_no_more(hook: Subscription, server: Server, failed: Any) -> None:
    server.replies["/hook"] = Reply(status=410)
    tell(failed, "failed")
    carry()
    hook.refresh_from_db()
    assert (only().outcome, only().error, hook.is_enabled) == ("failed", "it answered 410 Gone", False)
    event = AuditEvent.objects.get(deed="switch off subscription")
    assert (event.subject, event.detail["reason"]) == (str(hook), "it answered 410 Gone")
    tell(failed, "failed")
    assert Delivery.objects.count() == 1


def test_saving_its_job_tells_a_jobs_receiver_again(server: Server, make_job: MakeJob, op: Actor) -> None:
    job = make_job(notify=[{"webhook": f"{server.url}/hook"}])
    job.subscriptions.update(is_enabled=False)
    define.patch(job, {"description": "mended"}, actor=op)
    assert job.subscriptions.get().is_enabled


def test_a_receiver_that_was_down_gets_it_when_it_is_up(op: Actor, server: Server, failed: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    down = subscribe({"webhook": f"http://127.0.0.1:{port}/hook"}, actor=op)
    tell(failed, "failed")
    carry()
    assert (only().outcome, only().error) == ("pending", "the talk with '127.0.0.1' failed: Connection refused")
    change(down, {"webhook": f"{server.url}/hook"}, actor=op)
    again()
    carry()
    assert (only().outcome, only().n_tries, len(server.seen)) == ("delivered", 2, 1)


def test_a_receiver_that_is_down_rests_and_is_tried_with_one(hook: Subscription, server: Server, failed: Any) -> None:
    server.replies["/hook"] = Reply(status=503)
    for _ in range(10):
        tell(failed, "failed")
    carry()
    assert len(server.seen) == 1
    again()
    carry()
    hook.refresh_from_db()
    assert (len(server.seen), hook.n_failures) == (2, 2)
    server.replies["/hook"] = OK
    again()
    carry()
    hook.refresh_from_db()
    assert (len(server.seen), hook.n_failures, hook.resting_until) == (12, 0, None)


def test_one_refused_notice_does_not_keep_the_others(hook: Subscription, server: Server, failed: Any) -> None:
    bad: list[str] = []

    def answer(seen: Seen) -> Reply:
        bad[:] = bad or [seen.headers["webhook-id"]]
        return Reply(status=422) if seen.headers["webhook-id"] in bad else OK

    server.replies["/hook"] = answer
    for _ in range(5):
        tell(failed, "failed")
    carry()
    assert sorted(row.outcome for row in Delivery.objects.all()) == ["delivered"] * 4 + ["pending"]


def test_pauses_grow_and_come_apart() -> None:
    pauses = [[deliveries.pause(n).total_seconds() for _ in range(50)] for n in (1, 5, 12, 1000)]
    assert all(
        low * 0.75 <= one <= low * 1.25 for row, low in zip(pauses, (5, 80, 10240, 14400), strict=True) for one in row
    )
    assert all(len(set(row)) > 40 for row in pauses)


def test_it_is_given_up_in_the_end(hook: Subscription, server: Server, failed: Any) -> None:
    server.replies["/hook"] = Reply(status=500)
    tell(failed, "failed")
    Delivery.objects.update(give_up_at=timezone.now())
    carry()
    assert (only().outcome, only().answer) == ("failed", 500)


def test_what_rests_for_too_long_is_given_up(hook: Subscription, failed: Any) -> None:
    tell(failed, "failed")
    Delivery.objects.update(give_up_at=timezone.now() - timedelta(seconds=1))
    assert deliveries.give_up_old(timezone.now()) == 1
    assert (only().outcome, only().error) == ("failed", "given up: its receiver did not take it within 3 days")


def test_a_guarded_target_is_not_reached(hook: Subscription, server: Server, failed: Any, allow_nothing: None) -> None:
    tell(failed, "failed")
    carry()
    assert (server.seen, "is not an allowed target" in only().error) == ([], True)


@pytest.fixture
def allow_nothing(hook: Subscription, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_guard", TargetGuard())


def test_a_redirect_to_a_guarded_target_is_not_followed(hook: Subscription, server: Server, failed: Any) -> None:
    server.replies["/hook"] = Reply(status=307, headers={"Location": "http://169.254.169.254/latest"})
    tell(failed, "failed")
    carry()
    assert only().error == "'127.0.0.1' redirects a POST to another host, which is not followed"


def test_a_missing_secret_is_told_and_mended(
    server: Server, failed: Any, op: Actor, keys: Callable[[str, str], None]
) -> None:
    keys("signing", KEY)
    subscribe({"webhook": f"{server.url}/hook", "secret": "signing"}, actor=op)
    secrets.delete_secret("signing", actor=op)
    tell(failed, "failed")
    carry()
    assert (only().error, server.seen) == (
        "it cannot be written: there is no secret 'signing' in the job's project",
        [],
    )
    keys("signing", KEY)
    again()
    carry()
    assert only().outcome == "delivered"


def test_a_disabled_subscription_sends_nothing(hook: Subscription, server: Server, failed: Any, op: Actor) -> None:
    tell(failed, "failed")
    change(hook, {"enabled": False}, actor=op)
    carry()
    assert (server.seen, deliveries.is_due()) == ([], False)


# -- two senders, and dead ones ----------------------------------------------------------------------------------------
def test_two_senders_do_not_send_the_same(hook: Subscription, failed: Any) -> None:
    for _ in range(3):
        tell(failed, "failed")
    first, second = deliveries.claim(hook, 2), deliveries.claim(hook, 2)
    assert (len(first), len(second), len({row.pk for row in first + second})) == (2, 1, 3)


def test_what_a_dead_sender_had_is_sent_by_another(hook: Subscription, server: Server, failed: Any) -> None:
    tell(failed, "failed")
    dead = deliveries.claim(hook, 1)
    carry()
    assert server.seen == []
    again()
    carry()
    assert server.seen[0].headers["webhook-id"] == str(dead[0].uuid)


def test_a_late_result_of_a_dead_sender_changes_nothing(hook: Subscription, server: Server, failed: Any) -> None:
    tell(failed, "failed")
    dead = deliveries.claim(hook, 1)
    again()
    carry()
    deliveries.record([(dead[0], deliveries.Outcome(error="too late", is_down=False))])
    assert (only().outcome, only().error) == ("delivered", "")


def test_a_slow_receiver_keeps_no_other_waiting(
    hook: Subscription, server: Server, failed: Any, op: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as deaf:
        for number in range(50):
            subscribe({"webhook": f"http://127.0.0.1:{deaf.getsockname()[1]}/{number}"}, actor=op)
        tell(failed, "failed")
        carry()
    assert [hook.deliveries.get().outcome, len(server.seen)] == ["delivered", 1]
    assert Delivery.objects.exclude(next_at=None).exclude(error="").count() == 50


def test_it_leaves_what_is_not_begun_when_it_should_leave(hook: Subscription, server: Server, failed: Any) -> None:
    tell(failed, "failed")
    Courier(should_leave=lambda: True).run()
    assert (server.seen, only().n_tries) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_it_forgets_no_result_while_the_database_is_away(
    hook: Subscription, server: Server, failed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, calls = deliveries.record, []

    def away_at_first(results: Any) -> None:
        calls.append(results)
        if len(calls) == 1:
            raise OperationalError("away")
        record(results)

    monkeypatch.setattr(courier, "DATABASE_PAUSE_S", 0)
    monkeypatch.setattr(deliveries, "record", away_at_first)
    tell(failed, "failed")
    carry()
    assert (len(calls), len(server.seen), only().outcome) == (2, 1, "delivered")

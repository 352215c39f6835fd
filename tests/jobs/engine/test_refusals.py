"""Refusals in the audit: a row a minute, however many they are."""

import threading
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import DatabaseError, transaction

from jobs.engine import refusals
from jobs.engine.define import define
from jobs.engine.rights import actor_for
from jobs.errors import Forbidden
from jobs.models import AuditEvent, User

NOON = datetime(2027, 1, 31, 12, 0, 5, tzinfo=ZoneInfo("UTC"))


def note(subject: str = "alice", address: str = "10.0.0.7", **more: Any) -> None:
    refusals.note("refuse login", subject=subject, face="native", address=address, **more)


def rows() -> list[tuple[Any, ...]]:
    return list(AuditEvent.objects.order_by("pk").values_list("subject", "address", "count"))


# -- it works ----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_flood_is_one_row_a_minute() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(500):
            note()
        refusals.flush()
        for _ in range(500):
            note()
        refusals.flush()
        clock.shift(timedelta(minutes=1))
        note()
        refusals.flush()

    assert rows() == [("alice", "10.0.0.7", 1000), ("alice", "10.0.0.7", 1)]


@pytest.mark.django_db
def test_two_processes_count_in_one_row() -> None:
    with time_machine.travel(NOON, tick=False):
        note()
        refusals.flush()
        refusals.forget()
        note()
        refusals.flush()

    assert rows() == [("alice", "10.0.0.7", 2)]


def test_a_refused_deed_is_told_whatever_becomes_of_its_transaction(bob: User) -> None:
    actor = actor_for(bob, face="native", address="10.0.0.7")
    with pytest.raises(Forbidden), transaction.atomic():
        define({"name": "x", "actions": [{"runner": "command", "spec": {"argv": ["true"]}}]}, actor=actor)
    refusals.flush()

    event = AuditEvent.objects.get(deed="refuse deed")
    assert (event.username, event.subject, event.address) == ("bob", "the runner 'command'", "10.0.0.7")
    assert (event.user, event.project) == (bob, bob.memberships.get().project)


# -- bounds ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_many_names_of_one_address_are_few_rows() -> None:
    with time_machine.travel(NOON, tick=False):
        for number in range(1000):
            note(f"user-{number}")
        refusals.flush()

    assert len(rows()) == refusals.MOST_OF_AN_ADDRESS + 1
    assert rows()[-1] == (refusals.OTHERS, "10.0.0.7", 1000 - refusals.MOST_OF_AN_ADDRESS)


@pytest.mark.django_db
def test_many_addresses_are_a_bounded_number_of_rows() -> None:
    with time_machine.travel(NOON, tick=False):
        for number in range(2 * refusals.MOST):
            note(address=f"2001:db8::{number:x}")
        refusals.flush()

    assert len(rows()) == refusals.MOST + 1
    assert rows()[-1] == (refusals.OTHERS, "", refusals.MOST)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("ünï\0\n", "\\xfcn\\xef\\x00\\x0a"),
        ("x" * 1000, "x" * refusals.SUBJECT_CHARS),
        ("0123456789abcdef.wKcPzq-GjqU2Yx3vJxCj0x", "0123456789abcdef.(secret)"),
        ("\udc80", "\\udc80"),
    ],
)
def test_what_a_client_sends_is_tamed(given: str, kept: str) -> None:
    note(given)
    refusals.flush()

    assert rows() == [(kept, "10.0.0.7", 1)]


# -- trouble -----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_nothing_is_lost_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise DatabaseError("away")

    note()
    with monkeypatch.context() as patch:
        patch.setattr(refusals, "_count", away)
        refusals.flush()
    assert rows() == []
    note()
    refusals.flush()

    assert rows() == [("alice", "10.0.0.7", 2)]


@pytest.mark.django_db
def test_threads_lose_no_count() -> None:
    with time_machine.travel(NOON, tick=False):
        threads = [threading.Thread(target=lambda: [note() for _ in range(500)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refusals.flush()

    assert rows() == [("alice", "10.0.0.7", 4000)]


@pytest.mark.django_db(transaction=True)
def test_they_are_written_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    written = threading.Event()
    monkeypatch.setattr(refusals, "_later", lambda: threading.Thread(target=write).start())

    def write() -> None:
        refusals._write()
        written.set()

    note()
    assert written.wait(10)
    assert rows() == [("alice", "10.0.0.7", 1)]

"""The janitor: when it is needed, and what it does."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Archive, JobExecution, Leader, Project
from jobs.worker import janitor
from jobs.worker.flags import FLAGS
from jobs.worker.janitor import Janitor
from tests.conftest import MakeExecution

PAST = timezone.now() - timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules(settings: Any) -> None:
    settings.HUB = {**settings.HUB, "KEEP_LAST": 0}


def test_one_in_the_hub_does_it_each_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Janitor(), Janitor()
    assert [first.is_needed(), second.is_needed()] == [True, False]
    monkeypatch.setattr(janitor, "ASK_EVERY_S", 0)
    assert [first.is_needed(), second.is_needed()] == [False, False]
    Leader.objects.update(until=PAST)
    assert [second.is_needed(), first.is_needed()] == [True, False]


def test_it_asks_the_database_once_a_minute(django_assert_num_queries: Any) -> None:
    one = Janitor()
    one.is_needed()
    with django_assert_num_queries(0):
        assert not one.is_needed()


def test_it_deletes_what_has_expired(make_execution: MakeExecution) -> None:
    make_execution(state="failed", expires_at=PAST)
    one = Janitor()
    assert one.is_needed()
    one.run()
    assert not JobExecution.objects.exists()


def test_it_stops_when_the_cluster_is_draining(make_execution: MakeExecution, monkeypatch: pytest.MonkeyPatch) -> None:
    make_execution(state="failed", expires_at=PAST)
    monkeypatch.setattr(type(FLAGS), "is_draining", True)
    one = Janitor()
    one.is_needed()
    one.run()
    assert JobExecution.objects.exists()


def test_each_node_clears_its_own_disks(alpha: Project, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.NODE = "n" * 100
    monkeypatch.setattr(janitor, "ASK_EVERY_S", 0)
    one = Janitor()
    assert [one.is_needed(), one.is_needed()] == [True, False]
    place = {"container": "/nowhere", "name": "n", "path": "/p", "sha256": "0" * 64, "size_bytes": 1, "level": 0}
    Archive.objects.create(project=alpha, node=settings.NODE, is_expired=True, created_at=PAST, **place)
    assert [one.is_needed(), one.is_needed()] == [True, False]
    one.run()
    assert Archive.objects.exists()

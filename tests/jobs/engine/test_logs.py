"""What is old in the logs beside the history goes, and what is still needed stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine import retention
from jobs.engine.logs import LOGS
from jobs.models import AuditEvent, Fate, Schedule, SlotFate
from tests.conftest import MakeJob

NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=100)


@pytest.fixture
def schedule(make_job: MakeJob) -> Schedule:
    return make_job(schedules=[{"cron": "0 * * * *"}]).schedules.get()


def fate(schedule: Schedule, **fields: Any) -> SlotFate:
    given = {"slot_at": LONG_AGO, "until_at": LONG_AGO, "fate": Fate.MISSED, "by": "schedule", **fields}
    return SlotFate.objects.create(schedule=schedule, **given)


def test_what_was_missed_long_ago_is_forgotten_and_that_is_told(schedule: Schedule) -> None:
    fate(schedule)

    assert retention.expire(dry_run=True).of_logs["slots"] == 1
    assert retention.expire().of_logs["slots"] == 1
    assert not SlotFate.objects.exists()
    assert AuditEvent.objects.get(deed="expire").subject == "1 missed, skipped and moved times"


@pytest.mark.parametrize(
    "fields",
    [
        {"until_at": NOW - timedelta(days=1)},
        {"slot_at": NOW + timedelta(days=1), "until_at": NOW + timedelta(days=1), "fate": Fate.SKIPPED},
        {"fate": Fate.MOVED, "is_waiting": True, "moved_to": NOW + timedelta(days=1)},
    ],
    ids=["one of a row that was missed lately", "skipped and still to come", "moved and still to come"],
)
def test_what_is_still_needed_stays(schedule: Schedule, fields: dict[str, Any]) -> None:
    kept = fate(schedule, **fields)

    assert retention.expire().of_logs["slots"] == 0
    assert list(SlotFate.objects.all()) == [kept]


def test_what_was_skipped_in_a_long_pause_stays_skipped_until_the_planner_has_passed_it(schedule: Schedule) -> None:
    Schedule.objects.update(is_paused=True, next_at=LONG_AGO - timedelta(hours=1))
    fate(schedule, fate=Fate.SKIPPED)
    assert retention.expire().of_logs["slots"] == 0

    Schedule.objects.update(is_paused=False, next_at=NOW)
    assert retention.expire().of_logs["slots"] == 1


def test_those_of_a_schedule_without_times_to_come_go(schedule: Schedule) -> None:
    Schedule.objects.update(next_at=None, enabled=False)
    fate(schedule)

    assert retention.expire().of_logs["slots"] == 1


@pytest.mark.django_db
def test_with_zero_days_every_log_is_kept(settings: Any) -> None:
    settings.HUB = {**settings.HUB, **{log.setting: 0 for log in LOGS.values()}}

    assert [log.old(NOW) for log in LOGS.values()] == [None] * len(LOGS)

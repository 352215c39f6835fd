"""After the clock was set back each time comes once, whatever was done and written down by the clock that was ahead."""

from datetime import timedelta

from django.utils import timezone

from jobs.engine import slots
from jobs.engine.planner import replan, start_due
from jobs.engine.rights import operator
from jobs.models import Schedule
from tests.conftest import MakeJob
from tests.jobs.engine.clockwork import change, end_all, fates, first, schedule_of, started

OPERATOR = operator("test")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_after_the_clock_was_set_back_nothing_runs_twice(hourly: Schedule) -> None:
    before = first(hourly)
    start_due(before)
    end_all()

    replan(before - MINUTE)
    start_due(before)

    assert len(started()) == 1


def test_what_still_waits_after_the_clock_was_set_back_is_not_told_to_be_skipped(hourly: Schedule) -> None:
    before = first(hourly)
    start_due(before)

    replan(before - MINUTE)
    start_due(before)

    assert (fates(), started()) == ([], [before])


def test_what_ran_before_the_clock_was_set_back_is_not_told_to_be_missed(hourly: Schedule) -> None:
    change(hourly, catch_up="skip")
    before = first(hourly)
    start_due(before)

    replan(before - MINUTE)
    start_due(before + HOUR + 2 * MINUTE)

    assert (fates(), started()) == ([("missed", before + HOUR, 1)], [before])


def test_a_clock_that_was_years_ahead_is_forgotten(hourly: Schedule) -> None:
    change(hourly, next_at=first(hourly) + 3650 * DAY)

    replan()

    hourly.refresh_from_db()
    assert first(hourly) < timezone.now() + HOUR


def test_what_a_clock_that_was_ahead_told_to_be_missed_comes_at_its_time(hourly: Schedule) -> None:
    change(hourly, catch_up="skip")
    before = first(hourly)
    start_due(before + 5 * HOUR + 2 * MINUTE)

    replan(before - MINUTE)

    hourly.refresh_from_db()
    assert (fates(), hourly.next_at) == ([], before)


def test_what_was_missed_before_that_stays_missed(hourly: Schedule) -> None:
    change(hourly, catch_up="skip")
    before = first(hourly)
    start_due(before + 5 * HOUR + 2 * MINUTE)

    replan(before + 2 * HOUR + MINUTE)

    assert fates() == [("missed", before, 3)]


def test_a_skip_that_somebody_wished_survives_a_change_of_the_clock(hourly: Schedule) -> None:
    before = first(hourly)
    slots.skip(hourly, before, actor=OPERATOR)
    start_due(before)

    replan(before - MINUTE)

    assert fates() == [("skipped", before, 1)]


def test_a_single_time_that_was_missed_by_a_wrong_clock_still_comes(make_job: MakeJob) -> None:
    at = (timezone.now() + HOUR).replace(microsecond=0)
    schedule = schedule_of(make_job(schedules=[{"at": at.isoformat(), "catch_up": "skip"}]))
    start_due(at + DAY)

    replan(at - MINUTE)

    schedule.refresh_from_db()
    assert schedule.next_at == at

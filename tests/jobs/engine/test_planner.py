"""What is due is started: once, in time, or by its rule for what was missed; one broken schedule stops no other."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.engine import planner, schedules, slots, verbs
from jobs.engine.planner import start_due
from jobs.engine.rights import operator
from jobs.models import AuditEvent, JobExecution, Schedule, SlotFate
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.engine.clockwork import change, end_all, fates, first, schedule_of, started

OPERATOR = operator("test")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


# -- in time -----------------------------------------------------------------------------------------------------------
def test_a_due_slot_starts_its_job(hourly: Schedule) -> None:
    start_due(first(hourly))

    execution = JobExecution.objects.get()
    assert (execution.job, execution.schedule, execution.slot_at) == (hourly.job, hourly, hourly.next_at)
    assert execution.requested_by == "schedule"


def test_nothing_starts_before_its_time(hourly: Schedule) -> None:
    start_due(first(hourly) - timedelta(milliseconds=1))

    assert not started()


def test_then_it_waits_for_the_next(hourly: Schedule) -> None:
    start_due(first(hourly))

    assert planner.next_due() == first(hourly) + HOUR


def test_a_second_ticker_does_not_start_it_again(hourly: Schedule) -> None:
    start_due(first(hourly))
    change(hourly, next_at=first(hourly))
    start_due(first(hourly))

    assert len(started()) == 1


def test_a_schedule_ends_with_its_last_slot(make_job: MakeJob) -> None:
    schedule = schedule_of(make_job(schedules=[{"at": f"{timezone.now() + HOUR:%Y-%m-%dT%H:%M:%SZ}"}]))

    start_due(first(schedule))

    assert (len(started()), planner.next_due()) == (1, None)


def test_each_deed_of_the_clock_is_in_the_audit(hourly: Schedule) -> None:
    start_due(first(hourly))

    event = AuditEvent.objects.get(deed="trigger")
    assert (event.username, event.detail["schedule"]) == ("schedule", "1")


# -- too late ----------------------------------------------------------------------------------------------------------
def test_late_within_its_grace_is_in_time(hourly: Schedule) -> None:
    change(hourly, catch_up="skip")

    start_due(first(hourly) + timedelta(seconds=59))

    assert started() == [hourly.next_at]


def test_skip_writes_down_what_was_missed_in_one_row(hourly: Schedule) -> None:
    change(hourly, catch_up="skip")

    start_due(first(hourly) + 5 * HOUR + 2 * MINUTE)

    assert (started(), fates()) == ([], [("missed", first(hourly), 6)])


def test_once_runs_the_last_one_for_all(hourly: Schedule) -> None:
    start_due(first(hourly) + 5 * HOUR + 2 * MINUTE)

    assert started() == [first(hourly) + 5 * HOUR]
    assert fates() == [("missed", first(hourly), 5)]


def test_once_needs_no_run_more_than_the_one_that_is_due(hourly: Schedule) -> None:
    start_due(first(hourly) + 5 * HOUR)

    assert started() == [first(hourly) + 5 * HOUR]


def test_all_runs_each_of_them(hourly: Schedule) -> None:
    change(hourly, catch_up="all")

    start_due(first(hourly) + 5 * HOUR + 2 * MINUTE)

    assert started() == [first(hourly) + n * HOUR for n in range(6)]


def test_many_of_them_are_started_in_turns(hourly: Schedule) -> None:
    change(hourly, catch_up="all")
    now = first(hourly) + 149 * HOUR

    start_due(now)
    assert len(started()) == 100

    start_due(now)
    assert len(started()) == 150


def test_a_long_outage_of_a_dense_schedule_is_not_counted_to_its_end(make_job: MakeJob) -> None:
    schedule = schedule_of(make_job(schedules=[{"interval": "1s", "grace_s": 1}]))
    now = first(schedule) + 30 * DAY

    start_due(now)

    fate = SlotFate.objects.get()
    assert (fate.n, now - fate.until_at) == (1001, timedelta(seconds=1))
    assert started() == [now]


# -- what keeps it from starting ---------------------------------------------------------------------------------------
def test_a_paused_schedule_does_not_start(hourly: Schedule) -> None:
    schedules.pause(hourly, actor=OPERATOR)

    start_due(first(hourly))

    assert (started(), planner.next_due()) == ([], None)


def test_slots_of_a_pause_are_missed_however_short_ago_they_were(make_job: MakeJob) -> None:
    schedule = schedule_of(make_job(schedules=[{"interval": "1s", "catch_up": "skip"}]))
    schedules.pause(schedule, actor=OPERATOR, reason="holidays")
    slot = timezone.now().replace(microsecond=0) - timedelta(seconds=2)
    change(schedule, anchor_at=slot, next_at=slot)
    schedules.release(schedule, actor=OPERATOR)
    assert schedule.missed_until is not None

    start_due(schedule.missed_until)

    assert not started()
    assert SlotFate.objects.get().reason == "paused by operator: holidays"


def test_a_held_job_does_not_start_and_stops_no_other(hourly: Schedule, make_job: MakeJob) -> None:
    other = schedule_of(make_job(schedules=[{"cron": "0 * * * *"}]))
    verbs.hold(hourly.job, actor=OPERATOR, reason="new disk")

    start_due(first(hourly))

    assert [one.schedule for one in JobExecution.objects.all()] == [other]


def test_the_end_of_a_hold_says_what_was_missed_and_why(hourly: Schedule) -> None:
    change(hourly, catch_up="skip")
    verbs.hold(hourly.job, actor=OPERATOR, reason="new disk")
    slot = timezone.now().replace(minute=0, second=0, microsecond=0)
    change(hourly, next_at=slot)
    verbs.release(hourly.job, actor=OPERATOR)

    start_due()

    assert SlotFate.objects.get().reason == "the job was on hold: new disk"
    assert not started()


def test_a_busy_job_that_refuses_is_skipped_with_the_reason(make_job: MakeJob, make_execution: MakeExecution) -> None:
    schedule = schedule_of(make_job(schedules=[{"cron": "0 * * * *"}], when_active="refuse"))
    busy = make_execution(schedule.job, State.RUNNING)

    start_due(first(schedule))

    fate = SlotFate.objects.get()
    assert (fate.fate, busy.handle in fate.reason) == ("skipped", True)


def test_slots_skipped_for_the_same_reason_share_a_row(make_job: MakeJob, make_execution: MakeExecution) -> None:
    schedule = schedule_of(make_job(schedules=[{"cron": "0 * * * *"}], when_active="refuse"))
    make_execution(schedule.job, State.RUNNING)

    for n in range(3):
        start_due(first(schedule) + n * HOUR)

    assert fates() == [("skipped", first(schedule), 3)]


def test_a_schedule_whose_last_run_still_waits_does_not_pile_up(hourly: Schedule) -> None:
    start_due(first(hourly))
    start_due(first(hourly) + HOUR)

    assert started() == [first(hourly)]
    assert "still waits" in SlotFate.objects.get().reason


def test_where_each_slot_has_to_run_they_pile_up(hourly: Schedule) -> None:
    change(hourly, catch_up="all")

    start_due(first(hourly))
    start_due(first(hourly) + HOUR)

    assert len(started()) == 2


def test_continuous_starts_again_when_its_run_has_ended(make_job: MakeJob) -> None:
    schedule = schedule_of(make_job(schedules=[{"interval": "continuous"}]))
    now = first(schedule)

    start_due(now)
    start_due(now + MINUTE)
    assert len(started()) == 1

    end_all()
    start_due(now + 2 * MINUTE)
    assert started() == [now, now + 2 * MINUTE]
    assert not SlotFate.objects.exists()


# -- skipped and moved -------------------------------------------------------------------------------------------------
def test_a_skipped_run_does_not_start(hourly: Schedule) -> None:
    slots.skip(hourly, first(hourly), actor=OPERATOR)

    start_due(first(hourly))

    assert not started()


def test_a_moved_run_starts_at_its_new_time_only(hourly: Schedule) -> None:
    to = first(hourly) + 10 * MINUTE
    slots.move(hourly, first(hourly), to, actor=OPERATOR)

    start_due(first(hourly))
    assert not started()

    start_due(to)
    assert started() == [first(hourly)]


def test_the_ticker_wakes_for_a_run_that_was_moved_forward(hourly: Schedule) -> None:
    to = timezone.now() + timedelta(seconds=30)
    slots.move(hourly, first(hourly), to, actor=OPERATOR)

    assert planner.next_due() == min(to, first(hourly))


def test_a_run_that_was_started_before_its_time_does_not_start_again(hourly: Schedule) -> None:
    execution = slots.run(hourly, actor=OPERATOR)

    start_due(first(hourly))

    assert list(JobExecution.objects.all()) == [execution]


def test_a_run_that_was_skipped_is_not_made_up_for(hourly: Schedule) -> None:
    slots.skip(hourly, first(hourly), actor=OPERATOR)

    start_due(first(hourly) + 2 * MINUTE)

    assert not started()


# -- broken ones -------------------------------------------------------------------------------------------------------
def test_a_broken_schedule_is_switched_off_with_its_reason(hourly: Schedule) -> None:
    change(hourly, zone="Europe/Atlantis")

    start_due(first(hourly))

    hourly.refresh_from_db()
    assert hourly.broken.startswith("zone: 'Europe/Atlantis' is not a time zone")
    assert (hourly.next_at, AuditEvent.objects.filter(deed="switch off schedule").count()) == (None, 1)


def test_a_broken_schedule_stops_no_other(hourly: Schedule, make_job: MakeJob) -> None:
    change(hourly, text="not cron")
    other = schedule_of(make_job(schedules=[{"cron": "0 * * * *"}]))

    start_due(first(hourly))

    assert [one.schedule for one in JobExecution.objects.all()] == [other]


# -- what it costs -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 30])
def test_a_turn_without_work_costs_the_same_for_many_schedules(make_job: MakeJob, n: int) -> None:
    make_job(schedules=[{"cron": "0 * * * *"}] * n)

    with CaptureQueriesContext(connection) as queries:
        start_due()
        planner.next_due()

    assert len(queries) == 4

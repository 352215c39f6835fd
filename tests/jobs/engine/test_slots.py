"""Single runs of a schedule: skipped, moved, run now and reinstated, before and after their own time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from jobs.engine import schedules, slots, verbs
from jobs.engine.planned import coming, planned
from jobs.engine.planner import start_due
from jobs.engine.rights import Actor, actor_for
from jobs.engine.schedules import find_schedule
from jobs.engine.trigger import trigger
from jobs.errors import Conflict, Forbidden, Invalid
from jobs.models import Job, JobExecution, Schedule, SlotFate, User
from tests.conftest import MakeJob
from tests.jobs.puppets import at_once

NIGHTLY = {"name": "nightly", "cron": "30 2 * * *", "zone": "Europe/Berlin"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("photos/backup", schedules=[NIGHTLY])


@pytest.fixture
def nightly(job: Job) -> Schedule:
    return find_schedule(job)


@pytest.fixture
def owed(nightly: Schedule, op: Actor) -> SlotFate:
    """A run whose own time has passed, and which was moved to one that comes."""
    assert nightly.next_at is not None
    slots.move(nightly, nightly.next_at, nightly.next_at + HOUR, actor=op)
    passed = nightly.next_at - DAY
    nightly.fates.update(slot_at=passed, until_at=passed)
    return nightly.fates.get()


def test_a_run_can_be_skipped_and_reinstated(nightly: Schedule, op: Actor) -> None:
    assert nightly.next_at is not None
    slots.skip(nightly, nightly.next_at, actor=op, reason="holiday")
    assert SlotFate.objects.get().fate == "skipped"

    slots.reinstate(nightly, nightly.next_at, actor=op)
    assert not SlotFate.objects.exists()


def test_only_a_run_to_come_can_be_skipped(nightly: Schedule, op: Actor) -> None:
    assert nightly.next_at is not None

    with pytest.raises(Invalid, match=r"has no run to come at .*; the next: "):
        slots.skip(nightly, nightly.next_at + timedelta(minutes=1), actor=op)


def test_a_run_of_a_schedule_that_is_off_cannot_be_moved(job: Job, nightly: Schedule, op: Actor) -> None:
    assert nightly.next_at is not None
    Schedule.objects.update(enabled=False)

    with pytest.raises(Conflict, match="switched off"):
        slots.move(nightly, nightly.next_at, nightly.next_at + timedelta(hours=1), actor=op)


def test_a_run_that_was_started_before_its_time_can_no_longer_be_skipped(nightly: Schedule, op: Actor) -> None:
    assert nightly.next_at is not None
    execution = slots.run(nightly, actor=op)

    with pytest.raises(Conflict, match=f"started already: execution {execution.handle}"):
        slots.skip(nightly, nightly.next_at, actor=op)


def test_running_the_next_one_again_takes_the_one_after(nightly: Schedule, op: Actor) -> None:
    first = slots.run(nightly, actor=op)
    second = slots.run(nightly, actor=op)

    assert first.slot_at is not None and second.slot_at is not None
    assert first.slot_at < second.slot_at


def test_who_may_trigger_may_run_it_now_and_nothing_else(nightly: Schedule, rita: User) -> None:
    actor = actor_for(rita, face="test")
    assert nightly.next_at is not None

    with pytest.raises(Forbidden):
        slots.run(nightly, actor=actor)
    with pytest.raises(Forbidden):
        slots.skip(nightly, nightly.next_at, actor=actor)


def test_a_run_that_would_be_skipped_keeps_its_time(make_job: MakeJob, op: Actor) -> None:
    schedule = find_schedule(make_job(when_active="skip", schedules=[NIGHTLY]))
    trigger(schedule.job, actor=op)

    with pytest.raises(Conflict, match="the run comes at its own time"):
        slots.run(schedule, actor=op)
    assert (JobExecution.objects.count(), SlotFate.objects.count()) == (1, 0)


def test_continuous_has_no_single_runs(make_job: MakeJob, op: Actor) -> None:
    schedule = find_schedule(make_job(schedules=[{"interval": "continuous"}]))
    assert schedule.next_at is not None

    assert coming(schedule) == []
    with pytest.raises(Conflict, match="is continuous: it has no planned runs"):
        slots.skip(schedule, schedule.next_at + HOUR, actor=op)


# -- one that was moved, after its own time ----------------------------------------------------------------------------
def test_it_can_be_moved_again(nightly: Schedule, owed: SlotFate, op: Actor) -> None:
    assert owed.moved_to is not None
    slots.move(nightly, owed.slot_at, owed.moved_to + HOUR, actor=op)

    assert nightly.fates.get().moved_to == owed.moved_to + HOUR


def test_it_can_be_skipped(nightly: Schedule, owed: SlotFate, op: Actor) -> None:
    assert owed.moved_to is not None
    slots.skip(nightly, owed.slot_at, actor=op)

    start_due(owed.moved_to)
    assert not JobExecution.objects.filter(slot_at=owed.slot_at).exists()


def test_it_can_be_run_now_and_then_runs_no_more(nightly: Schedule, owed: SlotFate, op: Actor) -> None:
    assert owed.moved_to is not None
    execution = slots.run(nightly, owed.slot_at, actor=op)

    start_due(owed.moved_to)
    assert JobExecution.objects.get(slot_at=owed.slot_at) == execution


def test_it_cannot_be_reinstated(nightly: Schedule, owed: SlotFate, op: Actor) -> None:
    with pytest.raises(Conflict, match="has passed; run it now, move it or skip it"):
        slots.reinstate(nightly, owed.slot_at, actor=op)


# -- what is told and refused ------------------------------------------------------------------------------------------
def test_a_moved_run_of_a_paused_schedule_is_told_to_be_paused(nightly: Schedule, op: Actor) -> None:
    assert nightly.next_at is not None
    slots.move(nightly, nightly.next_at, nightly.next_at + HOUR, actor=op)
    schedules.pause(nightly, actor=op, reason="holidays")

    runs, _ = planned(None, of=nightly, hours=30)
    assert [(run.slot_at, run.state, run.reason) for run in runs if run.is_moved] == [
        (nightly.next_at, "paused", "holidays")
    ]


@pytest.mark.parametrize(
    "deed",
    [
        lambda nightly, op: slots.move(nightly, nightly.next_at, END_OF_TIME, actor=op),
        lambda nightly, op: schedules.pause(nightly, actor=op, until=END_OF_TIME),
        lambda nightly, op: verbs.hold(nightly.job, actor=op, until=END_OF_TIME),
        lambda nightly, op: trigger(nightly.job, actor=op, run_at=END_OF_TIME),
    ],
    ids=["move", "pause", "hold", "trigger"],
)
def test_a_time_that_no_zone_could_show_is_refused(
    nightly: Schedule, op: Actor, deed: Callable[[Schedule, Actor], object]
) -> None:
    with pytest.raises(Invalid, match="wanted a year from 1970 to 2199, not 9999"):
        deed(nightly, op)


@pytest.mark.django_db(transaction=True)
def test_deeds_at_once_wait_for_each_other(nightly: Schedule, op: Actor) -> None:
    for slot_at in coming(nightly, 5):
        deeds = [
            partial(slots.skip, nightly, slot_at, actor=op),
            partial(slots.move, nightly, slot_at, slot_at + HOUR, actor=op),
            partial(slots.run, nightly, slot_at, actor=op),
            partial(slots.reinstate, nightly, slot_at, actor=op),
        ]
        errors = [one for one in at_once(4, lambda number, deeds=deeds: deeds[number]()) if isinstance(one, Exception)]
        assert all(isinstance(error, Conflict) for error in errors), errors
    assert JobExecution.objects.filter(schedule=nightly).count() == 5

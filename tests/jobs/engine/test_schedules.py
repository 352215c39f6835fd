"""The schedules of a job: set as a whole, kept where nothing changes, paused and released."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from jobs.engine import schedules, slots
from jobs.engine.define import define
from jobs.engine.documents import document_of
from jobs.engine.rights import Actor, actor_for
from jobs.engine.schedules import find_schedule, set_schedules
from jobs.errors import Forbidden, Invalid, NotFound
from jobs.models import AuditEvent, Job, Schedule, SlotFate, User
from tests.conftest import NOOP, MakeJob

NIGHTLY = {"name": "nightly", "cron": "30 2 * * *", "zone": "Europe/Berlin"}


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("photos/backup", schedules=[NIGHTLY])


@pytest.fixture
def nightly(job: Job) -> Schedule:
    return find_schedule(job)


# -- setting them ------------------------------------------------------------------------------------------------------
def test_a_job_is_given_its_schedules(job: Job, op: Actor) -> None:
    made = set_schedules(job, [{"interval": "15m"}, {"fields": {"hour": 3}}, {"at": "2099-01-01"}], actor=op)

    assert [(one.name, one.dialect) for one in made] == [("1", "interval"), ("2", "fields"), ("3", "at")]


def test_the_next_run_is_known_at_once(nightly: Schedule) -> None:
    assert nightly.next_at == nightly.timetable().next_after(timezone.now())


def test_a_schedule_that_is_as_it_was_is_left_alone(job: Job, nightly: Schedule, op: Actor) -> None:
    schedules.pause(nightly, actor=op, reason="holidays")
    version = nightly.version

    set_schedules(job, [NIGHTLY, {"interval": "1h"}], actor=op)

    nightly.refresh_from_db()
    assert (nightly.version, nightly.is_paused) == (version, True)


def test_setting_what_is_there_does_not_change_the_job(job: Job, op: Actor) -> None:
    version = job.version

    set_schedules(job, [NIGHTLY], actor=op)

    assert job.version == version
    assert not AuditEvent.objects.filter(deed="schedule").exists()


def test_another_time_is_planned_anew_and_forgets_what_was_moved(job: Job, nightly: Schedule, op: Actor) -> None:
    assert nightly.next_at is not None
    slots.skip(nightly, nightly.next_at, actor=op)

    set_schedules(job, [{**NIGHTLY, "cron": "30 4 * * *"}], actor=op)

    nightly.refresh_from_db()
    assert nightly.next_at == nightly.timetable().next_after(timezone.now())
    assert not SlotFate.objects.exists()


def test_what_the_list_does_not_name_goes(job: Job, op: Actor) -> None:
    set_schedules(job, [], actor=op)

    assert not Schedule.objects.exists()


def test_a_schedule_that_is_switched_off_has_no_next_run(job: Job, nightly: Schedule, op: Actor) -> None:
    set_schedules(job, [{**NIGHTLY, "enabled": False}], actor=op)

    nightly.refresh_from_db()
    assert nightly.next_at is None


def test_it_comes_again_when_it_is_switched_on(job: Job, nightly: Schedule, op: Actor) -> None:
    set_schedules(job, [{**NIGHTLY, "enabled": False}], actor=op)
    set_schedules(job, [NIGHTLY], actor=op)

    nightly.refresh_from_db()
    assert nightly.next_at is not None


def test_a_broken_schedule_is_mended_by_saving_it(job: Job, nightly: Schedule, op: Actor) -> None:
    Schedule.objects.update(broken="no such zone", next_at=None)

    set_schedules(job, [NIGHTLY], actor=op)

    nightly.refresh_from_db()
    assert (nightly.broken, nightly.next_at is None) == ("", False)


def test_a_time_that_has_passed_is_no_mistake_of_an_unchanged_schedule(job: Job, op: Actor) -> None:
    once = {"at": f"{timezone.now() + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
    set_schedules(job, [once], actor=op)

    with time_machine.travel(timezone.now() + timedelta(days=1)):
        made = set_schedules(job, [once, NIGHTLY], actor=op)

    assert len(made) == 2


def test_start_and_end_are_times_in_its_zone(job: Job, op: Actor) -> None:
    made = set_schedules(job, [{**NIGHTLY, "start": "2099-07-01", "end": "2099-08-01T00:00Z"}], actor=op)

    assert f"{made[0].starts_at:%Y-%m-%d %H:%M} {made[0].ends_at:%Y-%m-%d %H:%M}" == "2099-06-30 22:00 2099-08-01 00:00"


REFUSED = [
    ([{}], "schedules.0: wanted exactly one of interval, cron"),
    ([{"cron": "0 0 * * *", "interval": "5m"}], "schedules.0: wanted exactly one of"),
    ([NIGHTLY, {"cron": "0 0 31 2 *"}], "schedules.1.cron: 31 February never comes"),
    ([{"cron": "0 0 * * *", "zone": "Mars"}], "schedules.0.zone: 'Mars' is not"),
    ([{"fields": {"hour": "25"}}], "schedules.0.fields.hour: '25' is not within"),
    ([{"fields": {"hour": [1]}}], "schedules.0.fields.hour: wanted a text or a number"),
    ([{"fields": {"hour": True}}], "schedules.0.fields.hour: wanted a text or a number"),
    ([{"fields": {"hour": " "}}], "schedules.0.fields: wanted at least one field"),
    ([NIGHTLY, NIGHTLY], "schedules.1.name: there is another schedule 'nightly'"),
    ([{"interval": "1h", "start": "soon"}], "schedules.0.start: wanted a date"),
    ([{"interval": "1h", "end": "2020-01-01"}], "schedules.0.end: 2020-01-01 00:00 UTC has passed"),
    (
        [{"interval": "1h", "start": "2099-05-01", "end": "2099-04-01"}],
        "schedules.0.end: is before its start, 2099-05-01",
    ),
    (
        [{**NIGHTLY, "start": "2099-05-01T03:00", "end": "2099-05-01T04:00"}],
        "schedules.0.cron: '30 2 * * *' does not come between 2099-05-01",
    ),
    ([{"interval": "1h", "catch_up": "never"}], "schedules.0.catch_up"),
    ([{"interval": "1h", "grace_s": 0}], "schedules.0.grace_s"),
    ([{"cron": "0 0 * * *\0"}], "schedules.0.cron"),
    ([{"name": "every hour", "interval": "1h"}], "schedules.0.name: wanted letters, digits and . _ : -"),
    ([{"intervall": "1h"}], "schedules.0.intervall: unknown field"),
    (["1h"], "schedules.0: wanted an object"),
    ([{"interval": "1h"}] * 51, "schedules: wanted at most 50"),
]


@pytest.mark.parametrize(("raw", "why"), REFUSED)
def test_it_refuses_and_says_why(job: Job, op: Actor, raw: list[object], why: str) -> None:
    with pytest.raises(Invalid) as caught:
        set_schedules(job, raw, actor=op)

    assert why in caught.value.message


def test_nothing_is_written_when_one_of_them_is_refused(job: Job, op: Actor) -> None:
    with pytest.raises(Invalid):
        set_schedules(job, [{"interval": "1h"}, {"cron": "0 0 31 2 *"}], actor=op)

    assert [one.name for one in job.schedules.all()] == ["nightly"]


# -- as a part of the job ----------------------------------------------------------------------------------------------
def test_a_document_brings_its_schedules_back(job: Job, op: Actor) -> None:
    document = document_of(job)

    define(document, actor=op, job=job)

    assert document_of(job)["schedules"] == document["schedules"]
    assert document["schedules"][0]["cron"] == "30 2 * * *"


def test_a_document_without_schedules_leaves_them_alone(job: Job, op: Actor) -> None:
    define({"name": job.name, "actions": [NOOP]}, actor=op)

    assert job.schedules.count() == 1


def test_a_job_is_not_made_with_a_schedule_that_never_comes(make_job: MakeJob) -> None:
    with pytest.raises(Invalid, match=r"schedules\.0\.cron: 31 February never comes"):
        make_job(schedules=[{"cron": "0 0 31 2 *"}])

    assert not Job.objects.exists()


# -- pausing -----------------------------------------------------------------------------------------------------------
def test_a_pause_says_who_and_why(nightly: Schedule, bob: User) -> None:
    schedules.pause(nightly, actor=actor_for(bob, face="test"), reason="holidays")

    assert (nightly.is_paused, nightly.paused_by, nightly.pause_reason) == (True, "bob", "holidays")


def test_a_release_ends_the_pause_and_says_until_when_slots_were_missed(nightly: Schedule, op: Actor) -> None:
    schedules.pause(nightly, actor=op, reason="holidays")
    schedules.release(nightly, actor=op)

    assert not nightly.is_paused
    assert nightly.missed_until is not None
    assert "holidays" in nightly.missed_reason


def test_a_pause_that_was_prolonged_is_not_over(nightly: Schedule, op: Actor) -> None:
    schedules.pause(nightly, actor=op, until=timezone.now() + timedelta(hours=1))

    schedules.release(nightly, actor=op, only_if_over=True)

    assert nightly.is_paused


def test_a_pause_cannot_end_in_the_past(nightly: Schedule, op: Actor) -> None:
    with pytest.raises(Invalid, match="until"):
        schedules.pause(nightly, actor=op, until=timezone.now())


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_reader_may_not_set_or_pause_them(job: Job, nightly: Schedule, rita: User) -> None:
    actor = actor_for(rita, face="test")

    with pytest.raises(Forbidden):
        set_schedules(job, [], actor=actor)
    with pytest.raises(Forbidden):
        schedules.pause(nightly, actor=actor)


def test_a_stranger_does_not_know_the_job(job: Job, charlie: User) -> None:
    with pytest.raises(NotFound):
        set_schedules(job, [], actor=actor_for(charlie, face="test"))


# -- finding one -------------------------------------------------------------------------------------------------------
def test_the_only_schedule_needs_no_name(job: Job) -> None:
    assert find_schedule(job).name == "nightly"


def test_an_unknown_name_is_told_the_known_ones(job: Job) -> None:
    with pytest.raises(NotFound, match="known: nightly"):
        find_schedule(job, "weekly")

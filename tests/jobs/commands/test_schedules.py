"""`manage.py planned` and `schedule`."""

import pytest

from jobs.engine.schedules import find_schedule
from jobs.models import Job, JobExecution, Schedule
from tests.conftest import MakeJob
from tests.jobs.commands.conftest import Run

pytestmark = pytest.mark.django_db
NIGHTLY = {"name": "nightly", "cron": "30 2 * * *", "zone": "Europe/Berlin"}


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("photos/backup", schedules=[NIGHTLY])


@pytest.fixture
def slot(job: Job) -> str:
    at = find_schedule(job).next_at
    assert at is not None
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


# -- planned -----------------------------------------------------------------------------------------------------------
def test_planned_runs_are_told_in_both_times(run: Run, job: Job, slot: str) -> None:
    line = run("planned").lines[1]

    assert line.startswith(slot[:19].replace("T", " "))
    assert "photos/backup  nightly" in line
    assert "02:30:00 CE" in line


def test_planned_as_json(run: Run, job: Job, slot: str) -> None:
    told = run("planned", "--hours", "24", "--job", "photos/backup", "--json").json

    assert [(one["slot_at"], one["state"]) for one in told["results"]] == [(slot, "planned")]


def test_nothing_planned_is_said_on_standard_error(run: Run) -> None:
    done = run("planned", "--hours", "3")

    assert (done.out, done.err) == ("", "nothing is planned for the next 3 hours\n")


def test_too_many_of_them_are_cut_and_told_so(run: Run, make_job: MakeJob) -> None:
    make_job(schedules=[{"interval": "10s"}])

    done = run("planned")
    assert (len(done.lines), "look less far ahead" in done.err) == (1001, True)


# -- schedule ----------------------------------------------------------------------------------------------------------
def test_a_list_says_what_they_mean(run: Run, job: Job) -> None:
    assert "nightly   at 02:30  Europe/Berlin" in run("schedule", "list", "--project", "alpha").lines[1]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"broken": "no such zone"}, "broken: no such zone"),
        ({"enabled": False}, "switched off"),
        ({"is_paused": True, "paused_by": "bob"}, "paused by bob: no reason given"),
        ({"next_at": None}, "ended"),
        ({}, ""),
    ],
)
def test_a_list_says_what_stops_them(run: Run, job: Job, fields: dict[str, object], state: str) -> None:
    Schedule.objects.update(**fields)

    assert run("schedule", "list", "--job", "photos/backup", "--json").json[0]["state"] == state


def test_a_schedule_is_paused_and_released(run: Run, job: Job) -> None:
    paused = run("schedule", "pause", "photos/backup", "--reason", "holidays", "--until", "2d")
    assert paused.out.startswith("photos/backup: nightly: paused until ")

    assert run("schedule", "release", "photos/backup").out == "photos/backup: nightly: released\n"
    assert not find_schedule(job).is_paused


def test_a_run_is_skipped_moved_and_reinstated(run: Run, job: Job, slot: str) -> None:
    assert "is left out" in run("schedule", "skip", "photos/backup", slot, "--reason", "holiday").out
    assert "skipped" in run("planned").out

    assert " comes at " in run("schedule", "move", "photos/backup", slot, "5m").out
    assert "UTC (operator)" in run("planned").out

    assert "comes as planned" in run("schedule", "reinstate", "photos/backup", slot).out
    assert [one["state"] for one in run("planned", "--json").json["results"]] == ["planned"]


def test_a_run_is_started_now(run: Run, job: Job) -> None:
    done = run("schedule", "run", "photos/backup", "--schedule", "nightly", "--json")

    assert done.json["did"] == f"started as {JobExecution.objects.get().handle}"


def test_a_time_without_a_run_is_refused(run: Run, job: Job) -> None:
    done = run("schedule", "skip", "photos/backup", "2099-01-01")

    assert (done.code, "has no run to come at" in done.err) == (2, True)


@pytest.mark.parametrize("far", ["9999-12-31T23:59:59", "0001-01-01T00:00:00+14:00", "999999w"])
def test_a_time_near_the_end_of_the_calendar_is_refused(run: Run, job: Job, far: str) -> None:
    done = run("schedule", "pause", job.name, "--until", far)

    assert f"{far!r} is too far away" in done.err


def test_an_unknown_schedule_is_refused(run: Run, job: Job) -> None:
    done = run("schedule", "pause", "photos/backup", "--schedule", "weekly")

    assert (done.code, "known: nightly" in done.err) == (2, True)

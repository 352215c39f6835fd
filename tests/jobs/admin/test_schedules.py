"""Schedules in the admin: in a job's form, paused, and their single runs skipped, moved and run by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine.documents import document_of
from jobs.engine.schedules import find_schedule
from jobs.models import AuditEvent, Job, JobExecution, Project, Schedule, SlotFate, User
from tests.conftest import MakeJob
from tests.jobs.admin.conftest import Look, page, told
from tests.jobs.admin.test_job_form import ADD, SAFE, change_url, form

NIGHTLY = {"name": "nightly", "cron": "30 2 * * *", "zone": "Europe/Berlin"}
PLANNED = "/admin/jobs/schedule/planned/"


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("photos/backup", actions=[SAFE], schedules=[NIGHTLY])


@pytest.fixture
def nightly(job: Job) -> Schedule:
    return find_schedule(job)


def url_of(schedule: Schedule, verb: str = "change") -> str:
    return f"/admin/jobs/schedule/{schedule.pk}/{verb}/"


def with_slot(schedule: Schedule, verb: str) -> str:
    assert schedule.next_at is not None
    return f"{url_of(schedule, verb)}?slot={schedule.next_at:%Y-%m-%dT%H:%M:%SZ}"


def scheduled(name: str, *schedules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What a browser sends of a job with schedules."""
    data = form(name, SAFE, **fields)
    data |= {"schedules-TOTAL_FORMS": len(schedules), "schedules-INITIAL_FORMS": 0}
    for number, schedule in enumerate(schedules):
        given = {"kind": "cron", "zone": "UTC", "catch_up": "once", "policy": "once", "enabled": "on", **schedule}
        data |= {f"schedules-{number}-{key}": value for key, value in given.items()}
    return data


# -- in a job's form ---------------------------------------------------------------------------------------------------
def test_a_job_is_made_with_its_schedules(look: Look, alice: User, alpha: Project) -> None:
    fields = {"kind": "fields", "text": '{"hour": 3}', "catch_up": "skip"}
    look(alice).post(ADD, scheduled("a", {"text": "0 2 * * *"}, fields, project=alpha.pk))

    made = document_of(Job.objects.get())["schedules"]
    assert [(one.get("cron"), one.get("fields"), one["catch_up"]) for one in made] == [
        ("0 2 * * *", None, "once"),
        (None, {"hour": 3}, "skip"),
    ]


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"text": "0 0 31 2 *"}, "text", "31 February never comes"),
        ({"kind": "fields", "text": "hour=3"}, "text", "wanted a JSON object"),
        ({"kind": "fields", "text": '{"hour": 25}'}, "text", "hour: '25' is not within 0-23"),
        ({"text": "0 2 * * *", "zone": "Mars"}, "zone", "not a time zone"),
        ({"text": "0 2 * * *", "start": "soon"}, "start", "wanted a date"),
        ({"text": "0 2 * * *", "grace_s": 0}, "grace_s", "wanted at least 1"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    look: Look, alice: User, alpha: Project, given: dict[str, Any], field: str, why: str
) -> None:
    answer = look(alice).post(ADD, scheduled("a", given, project=alpha.pk))

    assert why in answer.context["schedules"].forms[0].errors[field][0]
    assert not Job.objects.exists()


def test_a_schedule_without_a_time_is_refused(look: Look, alice: User, job: Job) -> None:
    response = look(alice).post(change_url(job), scheduled(job.name, {"text": "", "name": "nightly"}))

    assert "tick “Remove this schedule”" in response.content.decode()
    assert job.schedules.get().text == NIGHTLY["cron"]


def test_continuous_is_shown_without_times(look: Look, alice: User, make_job: MakeJob) -> None:
    always = make_job(actions=[SAFE], schedules=[{"interval": "continuous"}])

    text = page(look(alice), change_url(always))
    assert "again as soon as the last run has ended" in text
    assert "hub-times" not in text


def test_saving_a_job_as_it_is_leaves_its_schedules_alone(look: Look, alice: User, job: Job, nightly: Schedule) -> None:
    client = look(alice)
    shown = client.get(change_url(job)).context["schedules"].forms[0].initial

    client.post(change_url(job), scheduled(job.name, {**shown, "start": "", "end": ""}))

    assert Schedule.objects.get().version == nightly.version


def test_a_schedule_is_removed(look: Look, alice: User, job: Job) -> None:
    look(alice).post(change_url(job), scheduled(job.name, {"text": "30 2 * * *", "name": "nightly", "DELETE": "on"}))

    assert not Schedule.objects.exists()


def test_a_form_without_schedules_leaves_them_alone(look: Look, alice: User, job: Job) -> None:
    look(alice).post(change_url(job), form(job.name, SAFE))

    assert Schedule.objects.exists()


def test_the_page_of_a_job_tells_what_they_mean_and_when_they_come(look: Look, alice: User, job: Job) -> None:
    text = page(look(alice), change_url(job))

    assert "at 02:30" in text
    assert text.count(":30:00 UTC") == 5


# -- pauses ------------------------------------------------------------------------------------------------------------
def test_a_schedule_is_paused_and_released(look: Look, bob: User, nightly: Schedule) -> None:
    client = look(bob)
    client.post(url_of(nightly, "pause"), {"_confirmed": "1", "reason": "holidays"})
    assert "Paused by bob: holidays" in " ".join(page(client, url_of(nightly)).split())

    client.post(url_of(nightly, "release"))
    nightly.refresh_from_db()
    assert not nightly.is_paused


def test_many_are_paused_at_once(look: Look, bob: User, nightly: Schedule) -> None:
    given = {"action": "pause_selected", "_selected_action": [nightly.pk], "_confirmed": "1", "reason": "move"}
    answer = look(bob).post("/admin/jobs/schedule/", given)

    assert "Paused photos/backup: nightly" in told(answer)


# -- single runs -------------------------------------------------------------------------------------------------------
def test_planned_runs_are_shown(look: Look, rita: User, nightly: Schedule) -> None:
    text = page(look(rita), PLANNED)

    assert "02:30:00 CE" in text
    assert "Run now" not in text


def test_a_run_is_skipped_and_reinstated(look: Look, bob: User, nightly: Schedule) -> None:
    client = look(bob)
    client.post(with_slot(nightly, "skip"), {"_confirmed": "1", "reason": "holiday"})
    assert "holiday" in page(client, PLANNED)

    client.post(with_slot(nightly, "reinstate"))
    assert not SlotFate.objects.exists()


def test_a_run_is_moved(look: Look, bob: User, nightly: Schedule) -> None:
    to = timezone.localtime() + timedelta(hours=1)
    look(bob).post(with_slot(nightly, "move"), {"_confirmed": "1", "to": f"{to:%Y-%m-%dT%H:%M}"})

    fate = SlotFate.objects.get()
    assert (fate.fate, fate.slot_at, fate.is_waiting) == ("moved", nightly.next_at, True)


def test_a_run_is_started_now_and_one_is_back_where_one_was(look: Look, bob: User, nightly: Schedule) -> None:
    answer = look(bob).post(f"{with_slot(nightly, 'run')}&from=planned")

    assert JobExecution.objects.get().slot_at == nightly.next_at
    assert answer.headers["Location"] == PLANNED
    assert AuditEvent.objects.get(deed="trigger").username == "bob"


def test_a_run_that_is_none_is_told(look: Look, bob: User, nightly: Schedule) -> None:
    answer = look(bob).post(f"{url_of(nightly, 'skip')}?slot=2099-01-01T00:00:00Z", {"_confirmed": "1"})

    assert "has no run to come at 2099-01-01T00:00:00Z" in told(answer)


@pytest.mark.parametrize("slot", ["x", "2099-99-99T00:00:00Z", "2099-01-01T00:00:00"])
def test_a_time_that_cannot_be_read_is_not_found(look: Look, bob: User, nightly: Schedule, slot: str) -> None:
    assert look(bob).get(f"{url_of(nightly, 'skip')}?slot={slot}").status_code == 404


def test_the_page_of_a_schedule_tells_what_was_not_run(look: Look, rita: User, nightly: Schedule) -> None:
    now = timezone.now()
    SlotFate.objects.create(
        schedule=nightly, slot_at=now, until_at=now, n=3, fate="missed", reason="no worker", by="schedule"
    )

    assert "missed, 3 runs" in page(look(rita), url_of(nightly))


def test_the_overview_leads_to_the_next_run(look: Look, rita: User, nightly: Schedule) -> None:
    assert nightly.next_at is not None
    text = " ".join(page(look(rita), "/admin/").split())

    at = timezone.localtime(nightly.next_at)
    assert f'<a href="{PLANNED}"><strong>{at:%H:%M}</strong> {at:%Z}: next planned run</a>' in text

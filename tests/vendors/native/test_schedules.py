"""Schedules in the job's document, their pauses, and the runs to come."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import AuditEvent, Job, JobExecution, Project, Role, Schedule, User
from tests.conftest import NOOP, ClientOf, MakeJob, join
from tests.vendors.conftest import basic, fields_of

HUB = "/hub/v1"
NIGHTLY = {"name": "nightly", "cron": "30 2 * * *", "zone": "Europe/Berlin"}


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job("photos/backup", schedules=[NIGHTLY])


@pytest.fixture
def url(job: Job) -> str:
    return f"{HUB}/jobs/{job.pk}/schedules/nightly"


def next_slot(job: Job) -> str:
    slot = job.schedules.get().next_at
    assert slot is not None
    return f"{slot:%Y-%m-%dT%H:%M:%SZ}"


def planned(client: APIClient, **query: Any) -> list[dict[str, Any]]:
    response = client.get(f"{HUB}/planned", query)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


# -- in the job --------------------------------------------------------------------------------------------------------
def test_a_job_is_made_with_its_schedules(client: APIClient) -> None:
    made = client.post(f"{HUB}/jobs", {"name": "a", "actions": [NOOP], "schedules": [NIGHTLY]}, format="json")

    assert made.status_code == 201
    assert made.json()["schedules"][0]["cron"] == "30 2 * * *"


def test_a_schedule_that_never_comes_is_refused_by_its_path(client: APIClient) -> None:
    made = client.post(
        f"{HUB}/jobs", {"name": "a", "actions": [NOOP], "schedules": [{"cron": "0 0 31 2 *"}]}, format="json"
    )

    assert (made.status_code, fields_of(made)) == (400, ["schedules.0.cron"])
    assert "31 February never comes" in made.json()["detail"]


def test_patching_something_else_leaves_them_alone(client: APIClient, job: Job) -> None:
    Schedule.objects.update(broken="no such zone", zone="Europe/Atlantis")

    response = client.patch(f"{HUB}/jobs/{job.pk}", {"description": "new"}, format="json")

    assert (response.status_code, job.schedules.count()) == (200, 1)


def test_putting_a_document_without_them_takes_them_away(client: APIClient, job: Job) -> None:
    client.put(f"{HUB}/jobs/{job.pk}", {"name": job.name, "actions": [NOOP]}, format="json")

    assert not job.schedules.exists()


def test_they_are_listed_with_their_meaning_and_the_next_five_times(client: APIClient, job: Job) -> None:
    shown = client.get(f"{HUB}/jobs/photos/backup/schedules").json()["results"]

    assert [(one["name"], one["means"], len(one["next"])) for one in shown] == [("nightly", "at 02:30", 5)]
    assert all(datetime.fromisoformat(one["local"]).strftime("%H:%M") == "02:30" for one in shown[0]["next"])


# -- pauses ------------------------------------------------------------------------------------------------------------
def test_a_schedule_is_paused_and_released(client: APIClient, url: str) -> None:
    paused = client.post(f"{url}/pause", {"reason": "holidays", "until": "2099-01-01T00:00:00Z"}, format="json").json()
    released = client.post(f"{url}/release").json()

    assert paused["pause"] == {"reason": "holidays", "until": "2099-01-01T00:00:00Z", "by": "alice"}
    assert released["pause"] is None


def test_a_deed_is_audited(client: APIClient, url: str) -> None:
    client.post(f"{url}/pause", {"reason": "holidays"}, format="json")

    event = AuditEvent.objects.get(deed="pause schedule")
    assert (event.username, event.subject, event.detail["reason"]) == ("alice", "photos/backup", "holidays")


def test_an_unknown_schedule_is_a_404_that_names_the_known(client: APIClient, job: Job) -> None:
    response = client.post(f"{HUB}/jobs/{job.pk}/schedules/weekly/pause")

    assert response.status_code == 404
    assert "known: nightly" in response.json()["detail"]


# -- the runs to come --------------------------------------------------------------------------------------------------
def test_the_runs_of_a_day_are_told_in_both_times(client: APIClient, job: Job) -> None:
    run = planned(client)[0]

    assert (run["at"], run["job"], run["schedule"]) == (next_slot(job), "photos/backup", "nightly")
    assert (run["state"], run["local"][11:16]) == ("planned", "02:30")


def test_one_looks_as_far_ahead_as_one_likes(client: APIClient, job: Job) -> None:
    assert len(planned(client, hours=7 * 24)) in (7, 8)


def test_a_skipped_run_stands_among_them_with_its_reason(client: APIClient, job: Job, url: str) -> None:
    client.post(f"{url}/skip", {"slot_at": next_slot(job), "reason": "holiday"}, format="json")

    assert [(run["state"], run["reason"], run["by"]) for run in planned(client)] == [("skipped", "holiday", "alice")]


def test_a_moved_run_stands_at_its_new_time(client: APIClient, job: Job, url: str) -> None:
    to = f"{timezone.now() + timedelta(minutes=5):%Y-%m-%dT%H:%M:00Z}"
    client.post(f"{url}/move", {"slot_at": next_slot(job), "to": to}, format="json")

    assert [(run["state"], run["at"], run["slot_at"]) for run in planned(client)] == [("moved", to, next_slot(job))]


def test_a_run_that_was_moved_out_of_sight_is_not_there(client: APIClient, job: Job, url: str) -> None:
    to = f"{timezone.now() + timedelta(days=3):%Y-%m-%dT%H:%M:00Z}"
    client.post(f"{url}/move", {"slot_at": next_slot(job), "to": to}, format="json")

    assert planned(client) == []
    assert [run["at"] for run in planned(client, hours=96) if run["state"] == "moved"] == [to]


def test_a_run_can_be_reinstated(client: APIClient, job: Job, url: str) -> None:
    client.post(f"{url}/skip", {"slot_at": next_slot(job)}, format="json")
    client.post(f"{url}/reinstate", {"slot_at": next_slot(job)}, format="json")

    assert [run["state"] for run in planned(client)] == ["planned"]


def test_one_is_run_now_and_does_not_come_again(client: APIClient, job: Job, url: str) -> None:
    slot = next_slot(job)
    response = client.post(f"{url}/run")

    execution = JobExecution.objects.get()
    assert (response.status_code, response.json()["id"]) == (202, execution.pk)
    assert f"{execution.slot_at:%Y-%m-%dT%H:%M:%SZ}" == slot
    assert planned(client) == []


def test_a_time_that_is_none_of_its_runs_is_told_the_next_ones(client: APIClient, job: Job, url: str) -> None:
    response = client.post(f"{url}/skip", {"slot_at": "2099-01-01T00:00:01Z"}, format="json")

    assert (response.status_code, fields_of(response)) == (400, ["slot_at"])
    assert next_slot(job) in response.json()["detail"]


@pytest.mark.parametrize(
    ("deed", "state"), [("pause", "paused"), ("hold", "held")], ids=["a paused schedule", "a held job"]
)
def test_what_will_not_come_says_so(client: APIClient, job: Job, url: str, deed: str, state: str) -> None:
    client.post(f"{url}/pause" if deed == "pause" else f"{HUB}/jobs/{job.pk}/hold", {"reason": "x"}, format="json")

    assert [(run["state"], run["reason"]) for run in planned(client)] == [(state, "x")]


def test_what_comes_after_the_end_of_a_pause_is_planned(client: APIClient, job: Job, url: str) -> None:
    until = f"{timezone.now() + timedelta(hours=30):%Y-%m-%dT%H:%M:%SZ}"
    client.post(f"{url}/pause", {"until": until}, format="json")

    states = [run["state"] for run in planned(client, hours=72)]
    assert states == sorted(states)
    assert set(states) == {"paused", "planned"}


def test_more_than_a_thousand_are_cut_and_told_so(client: APIClient, make_job: MakeJob) -> None:
    make_job("often", schedules=[{"interval": "10s"}])

    body = client.get(f"{HUB}/planned").json()
    assert (len(body["results"]), body["is_complete"]) == (1000, False)


def test_what_runs_continuously_is_not_planned(client: APIClient, make_job: MakeJob) -> None:
    make_job("always", schedules=[{"interval": "continuous"}])

    assert planned(client) == []


def test_one_sees_the_runs_of_ones_own_projects(job: Job, charlie: User, client_of: ClientOf) -> None:
    client = client_of(charlie)

    assert planned(client) == planned(client, project="*") == []
    assert client.get(f"{HUB}/planned", {"project": "alpha"}).status_code == 404
    assert client.get(f"{HUB}/planned", {"job": job.pk}).status_code == 404


def test_a_job_is_looked_for_in_the_project_that_is_named(
    anybody: APIClient, alice: User, make_job: MakeJob, beta: Project
) -> None:
    join(alice, beta, Role.READER)
    make_job("same", schedules=[{"interval": "1h"}])
    make_job("same", project=beta, schedules=[{"interval": "2h"}])
    anybody.credentials(HTTP_AUTHORIZATION=basic(alice.username))

    found = planned(anybody, job="same", project=beta.name)
    assert {run["project"] for run in found} == {beta.name}


@pytest.mark.parametrize(
    ("query", "field"),
    [({"hours": "many"}, "hours"), ({"hours": 0}, "hours"), ({"hours": "nan"}, "hours"), ({"days": 1}, "days")],
)
def test_a_bad_question_is_refused_by_name(client: APIClient, query: dict[str, Any], field: str) -> None:
    response = client.get(f"{HUB}/planned", query)

    assert (response.status_code, fields_of(response)) == (400, [field])


@pytest.mark.parametrize("n", [2, 20])
def test_the_list_costs_the_same_for_many_schedules(client: APIClient, make_job: MakeJob, n: int) -> None:
    for number in range(n):
        make_job(f"job/{number}", schedules=[{"cron": "0 * * * *"}])
    client.get(f"{HUB}/planned")

    with CaptureQueriesContext(connection) as queries:
        assert len(planned(client)) >= n

    assert len(queries) == 4

"""Triggering, holding and releasing jobs in the admin."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job, JobExecution, User
from tests.conftest import MakeJob
from tests.jobs.admin.conftest import Look, page, told

LIST = "/admin/jobs/job/"
GIVEN = {"_confirmed": "1", "params": "{}", "token": "t"}


def url_of(job: Job, verb: str) -> str:
    return f"{LIST}{job.pk}/{verb}/"


def selected(action: str, *jobs: Job, **more: str) -> dict[str, object]:
    return {"action": action, "_selected_action": [job.pk for job in jobs], **more}


# -- triggering --------------------------------------------------------------------------------------------------------
def test_the_trigger_page_asks_for_params(look: Look, alice: User, make_job: MakeJob) -> None:
    job = make_job(params={"level": 1})
    text = page(look(alice), url_of(job, "trigger"))
    assert '"level": 1' in text
    assert not JobExecution.objects.exists()


def test_a_trigger_makes_an_execution_with_its_params(look: Look, bob: User, make_job: MakeJob) -> None:
    job = make_job(params={"level": 1, "deep": True})
    answer = look(bob).post(url_of(job, "trigger"), {**GIVEN, "params": '{"level": 2}'})
    execution = JobExecution.objects.get()
    assert execution.params == {"level": 2, "deep": True}
    assert (execution.requested_by, execution.requested_face) == ("bob", "admin")
    assert answer.headers["Location"] == f"/admin/jobs/jobexecution/{execution.pk}/change/"


def test_a_double_click_starts_it_once(look: Look, bob: User, make_job: MakeJob) -> None:
    job, client = make_job(), look(bob)
    client.post(url_of(job, "trigger"), GIVEN)
    client.post(url_of(job, "trigger"), GIVEN)
    assert JobExecution.objects.count() == 1


def test_a_trigger_can_wait_for_its_time(look: Look, bob: User, make_job: MakeJob) -> None:
    at = timezone.localtime(timezone.now() + timedelta(hours=1)).replace(second=0, microsecond=0)
    look(bob).post(url_of(make_job(), "trigger"), {**GIVEN, "run_at": f"{at:%Y-%m-%dT%H:%M}"})
    assert JobExecution.objects.get().run_at == at


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"params": "{"}, "not JSON"),
        ({"params": "[1]"}, "wanted a JSON object"),
        ({"params": '{"a": {}}'}, "a: wanted a string, a number, a boolean or null"),
        ({"run_at": "2020-01-01T00:00"}, "wanted a time in the future"),
    ],
)
def test_bad_answers_are_asked_again(
    look: Look, bob: User, make_job: MakeJob, fields: dict[str, str], text: str
) -> None:
    answer = look(bob).post(url_of(make_job(), "trigger"), {**GIVEN, **fields})
    assert text in answer.content.decode().replace("&#x27;", "'")
    assert not JobExecution.objects.exists()


def test_a_held_job_tells_why_it_was_not_triggered(look: Look, bob: User, make_job: MakeJob) -> None:
    job, client = make_job("frozen"), look(bob)
    client.post(url_of(job, "hold"), {"_confirmed": "1", "reason": "disk is full"})
    answer = client.post(url_of(job, "trigger"), GIVEN)
    assert "the job 'frozen' is on hold: disk is full" in told(answer)
    assert not JobExecution.objects.exists()


def test_many_are_triggered_after_one_question(look: Look, bob: User, make_job: MakeJob) -> None:
    jobs, client = [make_job("one"), make_job("two"), make_job("other")], look(bob)
    client.post(url_of(jobs[1], "hold"), {"_confirmed": "1", "reason": ""})
    asked = client.post(LIST, {**selected("trigger_selected", *jobs[:2]), "index": 0})
    assert "Trigger 2 jobs" in asked.content.decode()
    answer = client.post(LIST, {**selected("trigger_selected", *jobs[:2]), **GIVEN, "params": '{"n": 1}'})
    assert JobExecution.objects.values_list("job_name", "params").get() == ("one", {"n": 1})
    assert "two: the job 'two' is on hold" in told(answer)


# -- holding -----------------------------------------------------------------------------------------------------------
def test_hold_and_release(look: Look, bob: User, make_job: MakeJob) -> None:
    job, client = make_job(), look(bob)
    until = timezone.localtime(timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    client.post(url_of(job, "hold"), {"_confirmed": "1", "reason": "moving", "until": f"{until:%Y-%m-%dT%H:%M}"})
    held = Job.objects.get(pk=job.pk)
    assert (held.is_held, held.hold_reason, held.held_by, held.hold_until) == (True, "moving", "bob", until)
    assert "On hold by bob" in page(client, url_of(job, "change"))
    client.post(url_of(job, "release"))
    assert not Job.objects.get(pk=job.pk).is_held


def test_many_are_held_and_released(look: Look, bob: User, make_job: MakeJob) -> None:
    jobs, client = [make_job(), make_job()], look(bob)
    client.post(LIST, {**selected("hold_selected", *jobs), "_confirmed": "1", "reason": "all"})
    assert Job.objects.filter(is_held=True, hold_reason="all").count() == 2
    client.post(LIST, {**selected("release_selected", *jobs), "index": 0})
    assert not Job.objects.filter(is_held=True).exists()


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_reader_cannot_trigger_hold_or_release(look: Look, rita: User, bob: User, make_job: MakeJob) -> None:
    job, client = make_job(), look(rita)
    assert "may only see" in told(client.post(LIST, {**selected("trigger_selected", job), **GIVEN}))
    assert "triggering a job needs" in told(client.post(url_of(job, "trigger"), GIVEN))
    assert "holding a job needs" in told(client.post(url_of(job, "hold"), {"_confirmed": "1"}))
    assert "not trigger it" in told(client.get(url_of(job, "trigger")))
    look(bob).post(url_of(job, "hold"), {"_confirmed": "1"})
    assert "may only see" in told(client.post(url_of(job, "release")))
    assert Job.objects.get(pk=job.pk).is_held
    assert not JobExecution.objects.exists()


def test_a_stranger_can_do_nothing(look: Look, charlie: User, make_job: MakeJob) -> None:
    job, client = make_job(), look(charlie)
    answers = [client.post(url_of(job, verb), GIVEN).status_code for verb in ("trigger", "hold", "release")]
    client.post(LIST, {**selected("trigger_selected", job), **GIVEN})
    assert answers == [404, 404, 404]
    assert not JobExecution.objects.exists()


def test_a_release_is_never_a_get(look: Look, alice: User, make_job: MakeJob) -> None:
    assert look(alice).get(url_of(make_job(), "release")).status_code == 405


def test_a_trigger_needs_the_csrf_token(alice: User, make_job: MakeJob) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(url_of(make_job(), "trigger"), GIVEN).status_code == 403
    assert not JobExecution.objects.exists()

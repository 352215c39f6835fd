"""The form of a job: everything goes through `define`, and its refusals come back at the fields."""

import json
from typing import Any

import pytest
from django.test import Client

from jobs.engine.define import define_action
from jobs.engine.documents import ActionDocument, document_of
from jobs.engine.rights import Actor
from jobs.models import AuditEvent, Job, JobExecution, Project, User
from tests.conftest import NOOP, MakeExecution, MakeJob
from tests.jobs.admin.conftest import Look, page, told

ADD = "/admin/jobs/job/add/"
SAFE = {"runner": "archive_list", "spec": {"container": "nightly"}}
PLAIN = {
    "description": "",
    "kind": "",
    "params": "{}",
    "priority": 0,
    "node": "",
    "timeout_s": "",
    "soft_timeout_s": "",
    "after_success": "",
    "after_failure": "",
    "after_end": "",
    "retries": 0,
    "retry_delay_s": 10,
    "on_lost": "",
    "when_active": "queue",
    "concurrency_limit": 1,
    "concurrency_key": "",
    "keep": "",
    "notify": "",
}


def form(name: str, /, *actions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What a browser sends."""
    data: dict[str, Any] = {**PLAIN, "name": name, **fields}
    data |= {"actions-TOTAL_FORMS": len(actions), "actions-INITIAL_FORMS": 0}
    for number, action in enumerate(actions):
        given = {"ORDER": number + 1, **action}
        given["spec"] = given["spec"] if isinstance(given.get("spec"), str) else json.dumps(given.get("spec", {}))
        data |= {f"actions-{number}-{key}": value for key, value in given.items()}
    return data


def change_url(job: Job) -> str:
    return f"/admin/jobs/job/{job.pk}/change/"


def errors_of(answer: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    assert answer.status_code == 200, "it was saved"
    return answer.context["form"].errors, [one.errors for one in answer.context["actions"].forms]


# -- it works ----------------------------------------------------------------------------------------------------------
def test_a_new_job_is_defined_by_the_engine(look: Look, alice: User, alpha: Project) -> None:
    answer = look(alice).post(ADD, form("nightly/db", NOOP, project=alpha.pk, retries=2, params='{"level": 1}'))
    job = Job.objects.get(name="nightly/db")
    assert answer.headers["Location"] == change_url(job)
    assert document_of(job)["actions"] == [
        {**NOOP, "description": "", "timeout_s": None, "retries": 0, "retry_delay_s": None, "mandatory": False}
    ]
    assert (job.retries, job.params, job.owner, job.edited_by, job.kind) == (2, {"level": 1}, alice, "alice", "python")
    assert AuditEvent.objects.filter(deed="create", subject="nightly/db", face="admin", username="alice").exists()


def test_saving_an_unchanged_form_changes_nothing_but_the_version(look: Look, alice: User, make_job: MakeJob) -> None:
    job = make_job(
        "same",
        actions=[NOOP, {**NOOP, "mandatory": True, "retries": 3}],
        params={"a": "b"},
        keep={"last": 4, "failed": {"days": 9}},
        remove_archives=True,
        notify=[{"webhook": "https://hooks.example.org/", "events": ["failed"]}],
        soft_timeout_s=9,
        after=[{"job": make_job("x").name, "on": "end"}],
    )
    before = document_of(job)
    client = look(alice)
    answer = client.post(change_url(job), browser_data(client, job))
    assert answer.status_code == 302, errors_of(answer)
    job = Job.objects.get(pk=job.pk)
    assert document_of(job) == before
    assert job.version == 2


def test_actions_are_ordered_removed_and_added(look: Look, alice: User, make_job: MakeJob) -> None:
    job = make_job("three")
    steps = [
        {**NOOP, "description": "last", "ORDER": 9},
        {**NOOP, "description": "gone", "DELETE": "on"},
        {**NOOP, "description": "first", "ORDER": 1, "timeout_s": 5},
        {},
    ]
    look(alice).post(change_url(job), form("three", *steps))
    saved = document_of(Job.objects.get(pk=job.pk))["actions"]
    assert [(one["description"], one["timeout_s"]) for one in saved] == [("first", 5), ("last", None)]


def test_a_shared_action_can_be_used(look: Look, alice: User, alpha: Project, op: Actor) -> None:
    define_action(ActionDocument(**NOOP), actor=op, project_id=alpha.pk, key="common")
    assert "common (python; alpha)" in page(look(alice), ADD)
    look(alice).post(ADD, form("sharing", {"runner": "use:common"}, project=alpha.pk))
    assert document_of(Job.objects.get(name="sharing"))["actions"] == [{"use": "common", "mandatory": False}]


def test_the_jobs_that_it_comes_after_stand_one_a_line(look: Look, alice: User, make_job: MakeJob) -> None:
    for name in ("a", "b", "c d"):
        make_job(name)
    job = make_job("last")
    look(alice).post(change_url(job), form("last", NOOP, after_success=" a\r\n\r\nc d ", after_end="b"))
    saved = document_of(Job.objects.get(pk=job.pk))["after"]
    assert saved == [{"job": "a", "on": "success"}, {"job": "b", "on": "end"}, {"job": "c d", "on": "success"}]


def test_a_job_shows_what_it_starts(look: Look, alice: User, make_job: MakeJob) -> None:
    job = make_job("first")
    follower = make_job("second", after=[{"job": "first", "on": "failure"}])
    assert f'<a href="{change_url(follower)}">second</a>' in page(look(alice), change_url(job))


def test_save_and_trigger_leads_to_the_trigger_page(look: Look, alice: User, alpha: Project) -> None:
    answer = look(alice).post(ADD, form("now", NOOP, project=alpha.pk, _trigger="1"))
    job = Job.objects.get(name="now")
    assert answer.headers["Location"] == f"/admin/jobs/job/{job.pk}/trigger/"


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_a_bad_spec_is_an_error_at_its_own_field(look: Look, alice: User, alpha: Project) -> None:
    bad = {"runner": "backup", "spec": {"sorce": "/srv"}}
    head, actions = errors_of(look(alice).post(ADD, form("bad", NOOP, bad, project=alpha.pk)))
    assert head == {}
    assert actions[0] == {}
    assert "sorce: unknown field" in actions[1]["spec"]
    assert "source: this field is required" in actions[1]["spec"]
    assert not Job.objects.exists()


def test_an_error_keeps_to_its_action_when_others_move(look: Look, alice: User, alpha: Project) -> None:
    steps = [{**NOOP, "ORDER": 2}, {"runner": "python", "spec": {"callable": "no-such"}, "ORDER": 1}]
    _, actions = errors_of(look(alice).post(ADD, form("moved", *steps, project=alpha.pk)))
    assert actions[0] == {}
    assert "no-such" in str(actions[1]["spec"])


def test_text_that_is_no_json_says_where(look: Look, alice: User, alpha: Project) -> None:
    data = form("json", {"runner": "python", "spec": '{"callable":\n  noop}'}, project=alpha.pk)
    answer = look(alice).post(ADD, data)
    _, actions = errors_of(answer)
    assert actions[0]["spec"] == ["not JSON: expecting value in line 2, column 3"]
    assert "noop}" in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"name": "12345"}, "name", "or be a number"),
        ({"name": " padded"}, "name", "without blanks"),
        ({"name": ""}, "name", "required"),
        ({"priority": 101}, "priority", "wanted at most 100"),
        ({"timeout_s": 0}, "timeout_s", "wanted at least 1"),
        ({"kind": "Not A Kind"}, "kind", "pattern"),
        ({"params": '{"a": [1]}'}, "params", "a"),
        ({"params": "[1]"}, "params", "wanted an object"),
        ({"retries": "many"}, "retries", "whole number"),
        ({"after_failure": "nobody"}, "after_failure", "nobody: there is no job"),
        ({"after_end": "fine"}, "after_end", "fine: goes round: fine → fine"),
    ],
)
def test_a_wrong_field_is_told_at_the_field(
    look: Look, alice: User, alpha: Project, fields: dict[str, Any], field: str, text: str
) -> None:
    head, _ = errors_of(look(alice).post(ADD, form("fine", NOOP, **{"project": alpha.pk, **fields})))
    assert text in str(head[field])
    assert not Job.objects.exists()


def test_a_job_needs_an_action(look: Look, alice: User, alpha: Project) -> None:
    head, _ = errors_of(look(alice).post(ADD, form("empty", {}, project=alpha.pk)))
    assert "actions" in str(head)


def test_a_spec_without_a_runner_is_refused(look: Look, alice: User, alpha: Project) -> None:
    _, actions = errors_of(look(alice).post(ADD, form("half", {"spec": {"a": 1}}, project=alpha.pk)))
    assert "wanted either 'runner' or 'use'" in actions[0]["__all__"]


def test_a_new_job_does_not_replace_one_of_its_name(look: Look, alice: User, alpha: Project, make_job: MakeJob) -> None:
    make_job("taken", description="the old one")
    head, _ = errors_of(look(alice).post(ADD, form("taken", NOOP, project=alpha.pk)))
    assert "there is a job of that name in alpha" in head["name"]
    assert Job.objects.get().description == "the old one"


def test_two_editors_do_not_overwrite_each_other(look: Look, alice: User, root: User, make_job: MakeJob) -> None:
    job = make_job("contested")
    client = look(alice)
    opened = browser_data(client, job)
    look(root).post(change_url(job), form("contested", NOOP, description="by root"))
    head, _ = errors_of(client.post(change_url(job), {**opened, "description": "by alice"}))
    assert "root changed this job after you opened it" in str(head)
    assert Job.objects.get(pk=job.pk).description == "by root"


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_member_may_define_what_is_harmless(look: Look, bob: User, alpha: Project) -> None:
    look(bob).post(ADD, form("harmless", SAFE, project=alpha.pk))
    assert Job.objects.get().edited_by == "bob"


def test_a_member_may_not_define_privileged_runners(look: Look, bob: User, alpha: Project) -> None:
    command = {"runner": "command", "spec": {"argv": ["/bin/true"]}}
    head, _ = errors_of(look(bob).post(ADD, form("risky", command, project=alpha.pk)))
    assert head["__all__"] == ["the runner 'command' needs the right to administer; bob may only edit"]
    assert not Job.objects.exists()


def test_a_member_may_not_edit_a_privileged_job(look: Look, bob: User, make_job: MakeJob) -> None:
    job = make_job("guarded")
    head, _ = errors_of(look(bob).post(change_url(job), form("guarded", SAFE)))
    assert "needs the right to administer" in str(head)


def test_a_reader_looks_at_a_locked_form(look: Look, rita: User, make_job: MakeJob) -> None:
    job = make_job("shown")
    text = page(look(rita), change_url(job))
    assert 'name="_save"' not in text
    assert look(rita).post(change_url(job), form("renamed", NOOP)).status_code == 403
    assert look(rita).get(ADD).status_code == 403
    assert look(rita).post(f"/admin/jobs/job/{job.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_stranger_finds_no_job(look: Look, charlie: User, alpha: Project, make_job: MakeJob) -> None:
    job = make_job("theirs")
    client = look(charlie)
    assert client.get(change_url(job)).status_code == 404
    assert client.post(change_url(job), form("mine", NOOP)).status_code == 404
    head, _ = errors_of(client.post(ADD, form("smuggled", NOOP, project=alpha.pk)))
    assert "project" in head
    assert list(Job.objects.values_list("name", flat=True)) == ["theirs"]


# -- deleting ----------------------------------------------------------------------------------------------------------
def test_deleting_aborts_what_is_active_and_keeps_the_history(
    look: Look, alice: User, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    job = make_job("leaving")
    make_execution(job)
    answer = look(alice).post(f"/admin/jobs/job/{job.pk}/delete/", {"post": "yes"})
    assert "was deleted" in told(answer)
    assert not Job.objects.exists()
    assert JobExecution.objects.values_list("state", "job_name").get() == ("aborted", "leaving")
    assert AuditEvent.objects.filter(deed="delete", subject="leaving", username="alice").exists()


def test_several_jobs_are_deleted_through_the_engine(look: Look, alice: User, make_job: MakeJob) -> None:
    jobs = [make_job(), make_job()]
    data = {"action": "delete_selected", "_selected_action": [job.pk for job in jobs], "post": "yes"}
    look(alice).post("/admin/jobs/job/", data)
    assert not Job.objects.exists()
    assert AuditEvent.objects.filter(deed="delete").count() == 2


def browser_data(client: Client, job: Job) -> dict[str, Any]:
    """The form of a job as its page fills it in."""
    context = client.get(change_url(job)).context
    forms = [context["form"], context["actions"].management_form, *context["actions"].forms]
    fields = [field for one in forms for field in one]
    values = {field.html_name: field.value() for field in fields if not field.field.disabled}
    texts = {field.html_name: field.field.prepare_value(field.value()) for field in fields}
    return {name: texts[name] for name, value in values.items() if value is not None and value is not False}

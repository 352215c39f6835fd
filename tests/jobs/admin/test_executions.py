"""Executions in the admin: looked at, asked for things through the engine, and never written."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from jobs.models import JobExecution, Output, Project, User
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.admin.conftest import Look, page, told

LIST = "/admin/jobs/jobexecution/"


def url_of(execution: JobExecution, verb: str = "change") -> str:
    return f"{LIST}{execution.pk}/{verb}/"


def state_of(execution: JobExecution) -> str:
    return JobExecution.objects.values_list("state", flat=True).get(pk=execution.pk)


def select(client: Client, action: str, *executions: JobExecution) -> str:
    data = {"action": action, "_selected_action": [one.pk for one in executions], "index": 0}
    return told(client.post(LIST, data))


# -- it works ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", [state.value for state in State])
def test_the_list_and_the_page_show_every_state(
    look: Look, alice: User, make_execution: MakeExecution, state: str
) -> None:
    execution = make_execution(state=state)
    mark = f'class="hub-state hub-{state}"'
    assert mark in page(look(alice), LIST)
    assert mark in page(look(alice), url_of(execution))


def test_a_running_one_has_a_progress_bar(look: Look, alice: User, make_execution: MakeExecution) -> None:
    execution = make_execution(state="running", progress_done=40, progress_total=200, progress_unit="files")
    bar = f'<progress aria-label="Progress of {execution.job_name}" max="200" value="40">'
    assert bar in page(look(alice), url_of(execution))
    assert "40 / 200 files" in page(look(alice), LIST)


def test_a_queued_one_says_why_it_waits(
    look: Look, alice: User, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    job = make_job()
    first = make_execution(job, "running")
    second = make_execution(job)
    why = f"one of 1 slots, held by {first.handle}"
    assert why in page(look(alice), url_of(second))
    assert why in page(look(alice), LIST)


def test_one_is_kept_by_its_button(look: Look, bob: User, make_execution: MakeExecution) -> None:
    execution, client = make_execution(state="failed"), look(bob)
    client.post(url_of(execution, "keep"))
    kept = page(client, url_of(execution))
    client.post(url_of(execution, "unkeep"))
    assert "never: it is kept" in kept
    assert "never: it is kept" not in page(client, url_of(execution))


def test_a_failed_one_tells_its_errors(look: Look, alice: User, make_execution: MakeExecution) -> None:
    execution = make_execution(state="failed", errors=["no such file", "disk gone"], exit_code=2)
    text = page(look(alice), url_of(execution))
    assert "<strong>no such file</strong>" in text
    assert "<li>disk gone</li>" in text


def test_the_page_shows_the_end_of_the_output(look: Look, alice: User, make_execution: MakeExecution) -> None:
    execution = make_execution(state="succeeded")
    Output.objects.create(execution=execution, seq=1, stream="stdout", text="begin" + "x" * 70_000)
    Output.objects.create(execution=execution, seq=2, stream="stderr", text="<end>")
    answer = look(alice).get(url_of(execution))
    tail = answer.context["tail"]
    assert sum(len(piece.text) for piece in tail.pieces) == 65536
    assert tail.is_cut
    assert '<span class="hub-stderr">&lt;end&gt;</span>' in answer.content.decode()


def test_only_an_active_one_is_followed(look: Look, alice: User, make_execution: MakeExecution) -> None:
    running, done = make_execution(state="running"), make_execution(state="succeeded")
    assert f'data-follow="/hub/v1/executions/{running.pk}/output"' in page(look(alice), url_of(running))
    assert "data-follow" not in page(look(alice), url_of(done))


def test_the_follower_is_let_in_by_the_session(look: Look, alice: User, make_execution: MakeExecution) -> None:
    execution = make_execution(state="running")
    answer = look(alice).get(f"/hub/v1/executions/{execution.pk}/output?after=0")
    assert answer.status_code == 200
    assert {"results", "next_after", "is_final"} <= answer.json().keys()


# -- the verbs ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [("abort", "queued", "aborted"), ("abort", "running", "aborting"), ("resume", "paused", "queued")],
)
def test_a_button_asks_the_engine(
    look: Look, bob: User, make_execution: MakeExecution, verb: str, before: str, after: str
) -> None:
    execution = make_execution(state=before)
    answer = look(bob).post(url_of(execution, verb))
    assert answer.headers["Location"] == url_of(execution)
    assert state_of(execution) == after


def test_retry_makes_another_execution(look: Look, bob: User, make_execution: MakeExecution) -> None:
    execution = make_execution(state="failed")
    answer = look(bob).post(url_of(execution, "retry"))
    again = JobExecution.objects.get(retry_of=execution)
    assert again.requested_face == "admin"
    assert again.handle in told(answer)


def test_a_button_tells_why_it_was_refused(look: Look, bob: User, make_execution: MakeExecution) -> None:
    execution = make_execution(state="succeeded")
    assert "has already succeeded" in told(look(bob).post(url_of(execution, "abort")))


def test_a_list_action_tells_about_each(look: Look, bob: User, make_execution: MakeExecution) -> None:
    waiting, done = make_execution(), make_execution(state="succeeded")
    said = select(look(bob), "abort_selected", waiting, done)
    assert f"{waiting}: its end was asked for" in said
    assert f"{done}: execution {done} has already succeeded" in said
    assert state_of(waiting) == "aborted"


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_reader_sees_and_cannot_abort(look: Look, rita: User, make_execution: MakeExecution) -> None:
    execution = make_execution()
    assert ">Abort</button>" not in page(look(rita), url_of(execution))
    assert "rita may only see" in told(look(rita).post(url_of(execution, "abort")))
    assert "rita may only see" in select(look(rita), "abort_selected", execution)
    assert state_of(execution) == "queued"


def test_a_stranger_finds_nothing(look: Look, charlie: User, make_execution: MakeExecution) -> None:
    execution = make_execution()
    client = look(charlie)
    assert execution.handle not in page(client, LIST)
    assert client.get(url_of(execution)).status_code == 404
    assert client.post(url_of(execution, "abort")).status_code == 404
    select(client, "abort_selected", execution)
    assert state_of(execution) == "queued"


def test_a_superuser_sees_all_projects(
    look: Look, root: User, beta: Project, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    here, there = make_execution(), make_execution(make_job(project=beta))
    text = page(look(root), LIST)
    assert here.handle in text
    assert there.handle in text


def test_someone_who_is_no_staff_is_sent_to_the_login(alice: User, make_execution: MakeExecution) -> None:
    client = Client()
    client.force_login(alice)
    answer = client.get(url_of(make_execution()))
    assert answer.status_code == 302
    assert "/admin/login/" in answer.headers["Location"]


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", ["abort", "pause", "resume", "retry"])
def test_a_verb_is_never_a_get(look: Look, root: User, make_execution: MakeExecution, verb: str) -> None:
    assert look(root).get(url_of(make_execution(), verb)).status_code == 405


def test_a_verb_needs_the_csrf_token(root: User, make_execution: MakeExecution) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    execution = make_execution()
    assert client.post(url_of(execution, "abort")).status_code == 403
    assert state_of(execution) == "queued"


def test_nobody_writes_a_state_by_hand(look: Look, root: User, make_execution: MakeExecution) -> None:
    execution = make_execution()
    client = look(root)
    form = {"state": "succeeded", "_save": "Save"}
    assert client.post(url_of(execution), form).status_code == 403
    assert client.post(f"{LIST}add/", form).status_code == 403
    assert client.post(url_of(execution, "delete"), {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [execution.pk], "index": 0, "post": "yes"})
    client.post(LIST, {"form-TOTAL_FORMS": 1, "form-0-id": execution.pk, "form-0-state": "succeeded", "_save": "Save"})
    assert state_of(execution) == "queued"
    assert JobExecution.objects.count() == 1


def test_only_jobhubs_own_pages_are_there() -> None:
    assert {model._meta.app_label for model in admin.site._registry} == {"jobs"}


def test_no_list_lets_anybody_edit_in_place() -> None:
    found = [model for model, page_of_it in admin.site._registry.items() if page_of_it.list_editable]
    assert found == []


# -- search and filters ------------------------------------------------------------------------------------------------
def test_search_finds_by_number_uuid_handle_and_name(
    look: Look, alice: User, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    wanted, other = make_execution(make_job("nightly/db")), make_execution(make_job("weekly/mail"))
    client = look(alice)
    for term in (str(wanted.pk), str(wanted.uuid), str(wanted.log_uuid), wanted.handle, "ghtly/d"):
        text = page(client, f"{LIST}?q={term}")
        assert wanted.handle in text, term
        assert other.handle not in text, term


@pytest.mark.parametrize("term", ["9" * 30, "no such job", "'; drop", "٣"])
def test_search_for_nonsense_finds_nothing(look: Look, alice: User, make_execution: MakeExecution, term: str) -> None:
    execution = make_execution()
    assert execution.handle not in page(look(alice), f"{LIST}?q={term}")


@pytest.mark.parametrize(
    "query", ["state=queued", "state=active", "project={p}", "kind=python", "job={j}", "before={next}"]
)
def test_filters_keep_what_fits(look: Look, alice: User, make_execution: MakeExecution, query: str) -> None:
    wanted = make_execution()
    values = {"p": wanted.project_id, "j": wanted.job_id, "next": wanted.pk + 1}
    assert wanted.handle in page(look(alice), f"{LIST}?{query.format(**values)}")


@pytest.mark.parametrize("query", ["state=failed", "kind=other", "node=gone", "before=1", "project=0", "job=0"])
def test_filters_drop_what_does_not(look: Look, alice: User, make_execution: MakeExecution, query: str) -> None:
    execution = make_execution()
    assert execution.handle not in page(look(alice), f"{LIST}?{query}")


@pytest.mark.parametrize("query", ["before=x", "project=x", "job=-1", "before=99999999999999999999", "nonsense=1"])
def test_a_wrong_filter_leads_back_to_the_list(look: Look, alice: User, query: str) -> None:
    answer = look(alice).get(f"{LIST}?{query}")
    assert answer.headers["Location"] == f"{LIST}?e=1"


def test_pages_go_on_by_id_and_miss_nothing(
    look: Look, alice: User, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    job = make_job(concurrency_limit=0)
    first = make_execution(job)
    JobExecution.objects.bulk_create(copies_of(first, 60))
    client = look(alice)
    newest = client.get(LIST).context["cl"]
    older = client.get(LIST + newest.older).context["cl"]
    seen = [one.pk for one in (*newest.result_list, *older.result_list)]
    assert seen == sorted(JobExecution.objects.values_list("pk", flat=True), reverse=True)
    assert older.older == ""


def copies_of(execution: JobExecution, count: int) -> list[JobExecution]:
    now = timezone.now()
    return [
        JobExecution(
            project_id=execution.project_id,
            job_id=execution.job_id,
            job_name=execution.job_name,
            kind=execution.kind,
            plan=execution.plan,
            handle=f"{execution.handle}-{number}",
            requested_by="somebody",
            requested_face="test",
            queued_at=now + timedelta(milliseconds=number),
        )
        for number in range(count)
    ]

"""What every page must be: cheap, within a strict content security policy, and only for those who may see it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.models import Archive, AuditEvent, JobExecution, Node, Project, Schedule, User
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.admin.conftest import Look, page, told

EXECUTIONS = "/admin/jobs/jobexecution/"
LISTS = {
    "/admin/": 17,
    EXECUTIONS: 13,
    "/admin/jobs/job/": 12,
    "/admin/jobs/schedule/": 9,
    "/admin/jobs/schedule/planned/": 8,
    "/admin/jobs/archive/": 7,
    "/admin/jobs/auditevent/": 7,
    "/admin/jobs/apikey/": 9,
    "/admin/jobs/membership/": 8,
    "/admin/jobs/node/": 8,
    "/admin/jobs/project/": 7,
    "/admin/jobs/user/": 7,
}
"""Each with the queries that it may ask, session and rights included."""

Fill = Callable[[int], None]


@pytest.fixture
def fill(alpha: Project, make_job: MakeJob, make_execution: MakeExecution) -> Fill:
    """`fill(n)`: so many rows of everything that has a list."""

    def make(count: int) -> None:
        for state in ("queued", "running", "failed", "succeeded"):
            for _ in range(count):
                execution = make_execution(make_job(schedules=[{"cron": "0 2 * * *"}]), state)
                add_archive(alpha, execution)
        for number in range(count):
            Node.objects.create(name=f"{alpha.executions.count()}-{number}", workers=2)

    return make


def add_archive(project: Project, execution: JobExecution) -> None:
    Archive.objects.create(
        project=project,
        execution=execution,
        job_name=execution.job_name,
        container="nightly",
        name="home",
        level=0,
        path=f"/archives/{execution.pk}",
        size_bytes=1,
        sha256="0" * 64,
        created_at=timezone.now(),
    )


def queries_of(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        page(client, url)
        return [query["sql"] for query in captured.captured_queries]


# -- cheap -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("url", "budget"), LISTS.items())
def test_a_list_keeps_its_budget_however_long_it_is(
    look: Look, root: User, alice: User, fill: Fill, url: str, budget: int
) -> None:
    client = look(root)
    fill(1)
    short = len(queries_of(client, url))
    fill(3)
    long = len(queries_of(client, url))
    assert long <= budget
    assert long <= short + 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite how it would answer")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=active",
        "state=failed",
        "kind=python",
        "node=node-1",
        "project=1",
        "job=1",
        "chain=1",
        "q=job",
        "before=100",
    ],
)
@pytest.mark.parametrize("who", ["root", "alice"])
def test_no_question_about_executions_reads_the_whole_table(
    look: Look, root: User, alice: User, fill: Fill, query: str, who: str
) -> None:
    fill(1)
    client = look({"root": root, "alice": alice}[who])
    url = f"{EXECUTIONS}?{query}" if query else "/admin/"
    asked = [sql for sql in queries_of(client, url) if sql.startswith("SELECT") and "jobs_jobexecution" in sql]
    plans = [step for sql in asked for step in plan_of(sql)]
    assert asked
    assert [step for step in plans if re.fullmatch(r"SCAN jobs_jobexecution", step)] == []


def plan_of(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall()]


def test_no_list_of_millions_is_counted(look: Look, root: User, fill: Fill) -> None:
    fill(1)
    client = look(root)
    urls = (EXECUTIONS, "/admin/jobs/auditevent/", "/admin/jobs/archive/")
    asked = [sql for url in urls for sql in queries_of(client, url)]
    assert [sql for sql in asked if "COUNT(*)" in sql or "OFFSET" in sql] == []


# -- within default-src 'self' -----------------------------------------------------------------------------------------
PAGES = [
    *LISTS,
    "/admin/login/",
    "/admin/password_change/",
    "/admin/jobs/",
    "/admin/jobs/job/add/",
    "/admin/jobs/job/{job}/change/",
    "/admin/jobs/job/{job}/trigger/",
    "/admin/jobs/job/{job}/hold/",
    "/admin/jobs/job/{job}/delete/",
    "/admin/jobs/jobexecution/{execution}/change/",
    "/admin/jobs/schedule/",
    "/admin/jobs/schedule/planned/",
    "/admin/jobs/schedule/{schedule}/change/",
    "/admin/jobs/schedule/{schedule}/pause/",
    "/admin/jobs/schedule/{schedule}/move/",
    "/admin/jobs/apikey/add/",
    "/admin/jobs/project/add/",
    "/admin/jobs/membership/add/",
    "/admin/jobs/user/add/",
    "/admin/jobs/user/{user}/change/",
    "/admin/jobs/user/{user}/password/",
]


@pytest.mark.parametrize("url", PAGES)
def test_a_page_has_no_inline_script_or_style_and_no_stranger(
    look: Look, root: User, make_job: MakeJob, make_execution: MakeExecution, url: str
) -> None:
    execution = make_execution(make_job(schedules=[{"cron": "0 2 * * *"}]), state="running")
    schedule = Schedule.objects.get().pk
    client = Client() if "login" in url else look(root)
    text = page(client, url.format(job=execution.job_id, execution=execution.pk, user=root.pk, schedule=schedule))
    scripts = re.findall(r"<script\b[^>]*>", text)
    assert [one for one in scripts if " src=" not in one and "application/json" not in one] == []
    assert re.findall(r"<style\b|\sstyle=|\son\w+=\"|javascript:", text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]+", text) == []


@pytest.mark.parametrize("name", ["hub.css", "live.js", "follow.js", "actions.js", "icon.svg"])
def test_own_static_files_are_found(name: str) -> None:
    assert finders.find(f"jobs/{name}")


# -- the overview ------------------------------------------------------------------------------------------------------
def test_the_overview_tells_what_goes_on(look: Look, alice: User, make_execution: MakeExecution) -> None:
    running = make_execution(state="running", progress_done=3, progress_total=4)
    failed = make_execution(state="failed", message="disk is full")
    waiting = make_execution()
    Node.objects.create(name="node-1", workers=3)
    answer = look(alice).get("/admin/")
    board, text = answer.context["board"], answer.content.decode()
    assert (board.running, board.failures, board.oldest) == ([running], [failed], waiting)
    assert (board.now["queued"], board.n_workers) == (1, 3)
    assert "disk is full" in text
    assert f'<progress aria-label="Progress of {running.job_name}" max="4" value="3">' in text


def test_a_node_is_silent_only_after_its_own_time(look: Look, alice: User) -> None:
    minute_ago = timezone.now() - timedelta(minutes=1)
    Node.objects.create(name="gone", workers=2, seen_at=minute_ago)
    Node.objects.create(name="polls", workers=1, seen_at=minute_ago, interval_s=30)
    client = look(alice)
    assert client.get("/admin/").context["board"].n_workers == 1
    text = page(client, "/admin/jobs/node/")
    assert text.count("</span> up</span>") == 1
    assert text.count("</span> silent</span>") == 1


def test_the_picture_counts_the_last_24_hours(look: Look, alice: User, make_execution: MakeExecution) -> None:
    make_execution(state="succeeded", queued_at=timezone.now() - timedelta(days=2))
    make_execution(state="succeeded")
    make_execution(state="failed")
    picture = look(alice).get("/admin/").context["board"].picture
    assert dict(picture.totals)["succeeded"] == 1
    assert dict(picture.totals)["failed"] == 1
    assert [bar.segments != [] for bar in picture.bars] == [False] * 23 + [True]


def test_the_overview_shows_nothing_of_others(look: Look, charlie: User, make_execution: MakeExecution) -> None:
    executions = [make_execution(state=state) for state in ("running", "failed", "queued")]
    board = look(charlie).get("/admin/").context["board"]
    assert (board.running, board.failures, board.oldest) == ([], [], None)
    assert board.picture.total == 0
    assert len(executions) == 3


def test_an_empty_hub_has_an_overview(look: Look, root: User) -> None:
    text = page(look(root), "/admin/")
    assert "Nothing runs." in text
    assert "No worker has ever run." in text


def test_staff_without_a_project_sees_an_empty_overview(look: Look, db: None) -> None:
    lonely = User.objects.create(username="lonely")
    text = page(look(lonely), "/admin/")
    assert "Nothing runs." in text
    assert look(lonely).get(EXECUTIONS).status_code == 403


# -- read-only lists ---------------------------------------------------------------------------------------------------
def test_audit_and_archives_are_only_read(look: Look, root: User, fill: Fill) -> None:
    fill(1)
    client = look(root)
    rows = {"auditevent": AuditEvent.objects.first(), "archive": Archive.objects.first()}
    for name, row in rows.items():
        assert row is not None
        assert page(client, f"/admin/jobs/{name}/{row.pk}/change/")
        assert client.post(f"/admin/jobs/{name}/{row.pk}/change/", {}).status_code == 403
        assert client.post(f"/admin/jobs/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert client.get(f"/admin/jobs/{name}/add/").status_code == 403
    assert len(rows) == 2


def test_the_audit_is_for_admins_of_the_project(
    look: Look, alice: User, bob: User, charlie: User, make_job: MakeJob
) -> None:
    make_job("audited")
    assert "audited" in page(look(alice), "/admin/jobs/auditevent/")
    assert "audited" not in page(look(charlie), "/admin/jobs/auditevent/")
    assert look(bob).get("/admin/jobs/auditevent/").status_code == 403


def test_the_audit_is_searched_by_user(look: Look, root: User, alice: User, make_job: MakeJob) -> None:
    job = make_job("by-the-shell")
    look(alice).post(f"/admin/jobs/job/{job.pk}/hold/", {"_confirmed": "1", "reason": "x"})
    text = page(look(root), "/admin/jobs/auditevent/?q=alice")
    assert '<td class="field-deed">hold</td>' in text
    assert '<td class="field-deed">create</td>' not in text


def test_archives_are_found_by_their_whole_name(look: Look, alice: User, fill: Fill) -> None:
    fill(1)
    client = look(alice)
    assert "4 newest archives" in page(client, "/admin/jobs/archive/?q=home")
    assert "no archives" in page(client, "/admin/jobs/archive/?q=hom")


@pytest.mark.parametrize(("name", "title"), [("user", "Users"), ("jobexecution", "Executions")])
def test_a_list_is_called_by_what_it_lists(look: Look, root: User, name: str, title: str) -> None:
    assert f"<h1>{title}</h1>" in page(look(root), f"/admin/jobs/{name}/")


def test_nothing_selected_is_told(look: Look, alice: User) -> None:
    answer = look(alice).post(EXECUTIONS, {"action": "abort_selected", "index": 0})
    assert "Items must be selected" in told(answer)

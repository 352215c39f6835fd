"""Who may see and do what in the admin: every URL that it has, got and posted to by everybody.

The URLs come from the URL table. One without a row fails, and so does a row without a URL.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from jobs.engine.keys import create_key
from jobs.engine.notices import subscribe
from jobs.engine.tokens import issue
from jobs.models import (
    ApiKey,
    Archive,
    AuditEvent,
    Delivery,
    Job,
    JobExecution,
    Membership,
    Node,
    Project,
    Schedule,
    SlotFate,
    Subscription,
    Token,
    User,
)
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.admin.conftest import Look
from tests.jobs.admin.test_lists import add_archive
from tests.jobs.receivers import tell

WHO = ("nobody", "reader", "member", "admin", "stranger", "superuser")
ANSWERS = {200: "+", 403: "-", 404: "0", 405: "x"}
"""`+` a page, `-` refused, `0` there is no such thing, `x` not this way.

`l` is sent to the login page; `d` is sent on, done or told why not; `o` is sent on to the overview, Django's way to say
that there is no such thing.
"""
ROWS: dict[str, tuple[str, str]] = {
    "index": ("l+++++", "l+++++"),
    "password_change": ("l+++++", "l+++++"),
    "password_change_done": ("l+++++", "lxxxxx"),
    "autocomplete": ("l-----", "lxxxxx"),
    "jsi18n": ("l+++++", "lxxxxx"),
    "jobs_archive_changelist": ("l+++++", "l+++++"),
    "jobs_archive_add": ("l-----", "l-----"),
    "jobs_archive_history": ("l+++o+", "l+++o+"),
    "jobs_archive_delete": ("l-----", "l-----"),
    "jobs_archive_change": ("l+++o+", "l-----"),
    "jobs_auditevent_changelist": ("l--+++", "l--+++"),
    "jobs_auditevent_add": ("l-----", "l-----"),
    "jobs_auditevent_history": ("loo+o+", "loo+o+"),
    "jobs_auditevent_delete": ("l-----", "l-----"),
    "jobs_auditevent_change": ("l--+o+", "l-----"),
    "jobs_jobexecution_abort": ("lxxxxx", "lddd0d"),
    "jobs_jobexecution_pause": ("lxxxxx", "lddd0d"),
    "jobs_jobexecution_resume": ("lxxxxx", "lddd0d"),
    "jobs_jobexecution_retry": ("lxxxxx", "lddd0d"),
    "jobs_jobexecution_restart": ("lxxxxx", "lddd0d"),
    "jobs_jobexecution_keep": ("lxxxxx", "lddd0d"),
    "jobs_jobexecution_unkeep": ("lxxxxx", "lddd0d"),
    "jobs_retry_failed": ("l-++++", "l-++++"),
    "jobs_jobexecution_changelist": ("l+++++", "l+++++"),
    "jobs_jobexecution_add": ("l-----", "l-----"),
    "jobs_jobexecution_history": ("l+++o+", "l+++o+"),
    "jobs_jobexecution_delete": ("l-----", "l-----"),
    "jobs_jobexecution_change": ("l+++0+", "l-----"),
    "jobs_job_trigger": ("ld++0+", "ld++0+"),
    "jobs_job_hold": ("ld++0+", "lddd0d"),
    "jobs_job_release": ("lxxxxx", "lddd0d"),
    "jobs_job_changelist": ("l+++++", "l+++++"),
    "jobs_job_add": ("l-++++", "l-++++"),
    "jobs_job_history": ("l+++o+", "l+++o+"),
    "jobs_job_delete": ("l-++o+", "l-ddod"),
    "jobs_job_change": ("l+++0+", "l-++0+"),
    "jobs_planned": ("l+++++", "lxxxxx"),
    "jobs_schedule_pause": ("ld++0+", "lddd0d"),
    "jobs_schedule_release": ("lxxxxx", "lddd0d"),
    "jobs_schedule_skip": ("ld++0+", "lddd0d"),
    "jobs_schedule_move": ("ld++0+", "ld++0+"),
    "jobs_schedule_run": ("lxxxxx", "lddd0d"),
    "jobs_schedule_reinstate": ("lxxxxx", "lddd0d"),
    "jobs_schedule_changelist": ("l+++++", "l+++++"),
    "jobs_schedule_add": ("l-----", "l-----"),
    "jobs_schedule_history": ("l+++o+", "l+++o+"),
    "jobs_schedule_delete": ("l-----", "l-----"),
    "jobs_schedule_change": ("l+++0+", "l-----"),
    "jobs_apikey_changelist": ("l--+++", "l--+++"),
    "jobs_apikey_add": ("l--+++", "l--+++"),
    "jobs_apikey_history": ("loo+o+", "loo+o+"),
    "jobs_apikey_delete": ("l-----", "l-----"),
    "jobs_apikey_change": ("l--+o+", "l-----"),
    "jobs_subscription_changelist": ("l+++++", "l+++++"),
    "jobs_subscription_add": ("l-++++", "l-++++"),
    "jobs_subscription_history": ("l+++o+", "l+++o+"),
    "jobs_subscription_delete": ("l-----", "l-----"),
    "jobs_subscription_change": ("l+++o+", "l-----"),
    "jobs_delivery_changelist": ("l+++++", "l+++++"),
    "jobs_delivery_add": ("l-----", "l-----"),
    "jobs_delivery_history": ("l+++o+", "l+++o+"),
    "jobs_delivery_delete": ("l-----", "l-----"),
    "jobs_delivery_change": ("l+++o+", "l-----"),
    "jobs_token_changelist": ("l----+", "l----+"),
    "jobs_token_add": ("l-----", "l-----"),
    "jobs_token_history": ("l----+", "l----+"),
    "jobs_token_delete": ("l-----", "l-----"),
    "jobs_token_change": ("l----+", "l-----"),
    "jobs_node_drain": ("lxxxxx", "lddddd"),
    "jobs_node_undrain": ("lxxxxx", "lddddd"),
    "jobs_node_changelist": ("l+++++", "l+++++"),
    "jobs_node_add": ("l-----", "l-----"),
    "jobs_node_history": ("l+++++", "l+++++"),
    "jobs_node_delete": ("l-----", "l-----"),
    "jobs_node_change": ("l+++++", "l----d"),
    "jobs_project_changelist": ("l+++++", "l+++++"),
    "jobs_project_add": ("l----+", "l----+"),
    "jobs_project_history": ("l+++o+", "l+++o+"),
    "jobs_project_delete": ("l-----", "l-----"),
    "jobs_project_change": ("l+++o+", "l--+-+"),
    "jobs_membership_changelist": ("l--+++", "l--+++"),
    "jobs_membership_add": ("l--+++", "l--+++"),
    "jobs_membership_history": ("loo+o+", "loo+o+"),
    "jobs_membership_delete": ("l--+o+", "l--dod"),
    "jobs_membership_change": ("l--+o+", "l--+o+"),
    "auth_user_password_change": ("l----+", "l----+"),
    "jobs_user_changelist": ("l----+", "l----+"),
    "jobs_user_add": ("l----+", "l----+"),
    "jobs_user_history": ("l----+", "l----+"),
    "jobs_user_delete": ("l-----", "l-----"),
    "jobs_user_change": ("l----+", "l----+"),
    "app_list": ("l+++++", "l+++++"),
}
"""By the URL's name: what GET and POST answer to each of WHO. Charlie, the stranger, rules another project."""
RULERS = {"member", "admin", "superuser"}
"""The others change nothing, whatever they are answered."""
LIKE_ANY = {"login", "logout", "view_on_site"}
"""Django's own, tested elsewhere or by Django."""


def urls() -> Iterator[tuple[str, str]]:
    """(name, path) of every URL of the admin that has a name."""
    for one, above in _patterns(get_resolver(), ""):
        if one.name and above.startswith("admin/") and one.name not in LIKE_ANY:
            yield one.name, f"/{above}{one.pattern}"


def _patterns(resolver: URLResolver, above: str) -> Iterator[tuple[URLPattern, str]]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield one, above
        else:
            yield from _patterns(one, above + str(one.pattern))


@pytest.fixture
def path_of(alpha: Project, bob: User, op: Any, make_job: MakeJob, make_execution: MakeExecution) -> Callable[..., str]:
    """The path with the id of a thing of the project `alpha` in it."""
    job = make_job("nightly", schedules=[{"cron": "0 2 * * *"}])
    execution = make_execution(job, State.QUEUED)
    add_archive(alpha, execution)
    Node.objects.create(name="node")
    create_key(bob, alpha, "normal", actor=op)
    issue(bob, alpha, methods="password", face="identity", address="")
    subscribe({"webhook": "https://hooks.example.org/"}, actor=op)
    tell(execution, "failed")
    models = (ApiKey, Archive, Delivery, Job, JobExecution, Membership, Node, Project, Schedule, Subscription, Token)
    ids: dict[str, int] = {model._meta.model_name or "": model.objects.latest("pk").pk for model in models}
    ids |= {"user": bob.pk, "auditevent": AuditEvent.objects.filter(project=alpha).latest("pk").pk}
    ids["project"], ids["membership"] = alpha.pk, bob.memberships.get().pk

    def fill(path: str) -> str:
        model = path.split("/")[3] if path.count("/") > 3 else ""
        for place in ("<path:object_id>", "<id>"):
            path = path.replace(place, str(ids.get(model, "")))
        return path.replace("^(?P<app_label>jobs)/$", "jobs/")

    return fill


@pytest.fixture
def browser_of(look: Look, rita: User, bob: User, alice: User, charlie: User, root: User) -> Callable[[str], Client]:
    people = {"reader": rita, "member": bob, "admin": alice, "stranger": charlie, "superuser": root}
    return lambda who: look(people[who]) if who in people else Client()


def answer(response: Any) -> str:
    if response.status_code == 302:
        return "l" if "/login/" in response.url else "o" if response.url == "/admin/" else "d"
    return ANSWERS.get(response.status_code, str(response.status_code))


def test_every_url_has_its_row_and_every_row_its_url() -> None:
    assert sorted(name for name, _ in urls()) == sorted(ROWS)


def test_every_row_has_an_answer_for_each() -> None:
    assert {len(answers) for row in ROWS.values() for answers in row} == {len(WHO)}
    assert all(row[0][0] == row[1][0] == "l" for row in ROWS.values())


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("name", ROWS)
def test_each_gets_what_the_table_says(
    name: str, who: str, path_of: Callable[[str], str], browser_of: Callable[[str], Client]
) -> None:
    path, client = path_of(dict(urls())[name]), browser_of(who)
    place = WHO.index(who)

    before = everything()

    assert answer(client.get(path)) == ROWS[name][0][place]
    assert answer(client.post(path, {"post": "yes", "_confirmed": "1"})) == ROWS[name][1][place]
    assert who in RULERS or everything() == before


def everything() -> list[Any]:
    states = list(JobExecution.objects.order_by("pk").values_list("pk", "state", "version"))
    jobs = list(Job.objects.order_by("pk").values_list("pk", "version", "is_held"))
    return [states, jobs, *(model.objects.count() for model in (ApiKey, Membership, Node, Project, Archive, SlotFate))]

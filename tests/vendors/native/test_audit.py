"""`GET /hub/v1/audit`: who did what."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine import refusals
from jobs.models import AuditEvent, Project, User
from tests.conftest import PASSWORD, ClientOf, MakeJob
from tests.vendors.conftest import basic

AUDIT = "/hub/v1/audit"


def deeds(client: APIClient, **query: Any) -> list[tuple[str, str]]:
    answer = client.get(AUDIT, query)
    assert answer.status_code == 200, answer.content
    return [(row["deed"], row["subject"]) for row in answer.json()["results"]]


# -- it works ----------------------------------------------------------------------------------------------------------
def test_a_deed_is_told_with_all_that_is_known(client_of: ClientOf, alice: User, make_job: MakeJob) -> None:
    job, client = make_job("nightly"), client_of(alice)
    client.post(f"/hub/v1/jobs/{job.pk}/hold", {"reason": "why"}, format="json", REMOTE_ADDR="10.0.0.7")
    row = client.get(AUDIT, {"deed": "hold"}).json()["results"][0]

    assert row.pop("key")
    assert {name: row[name] for name in row if name not in ("id", "at")} == {
        "who": "alice",
        "face": "native",
        "project": "alpha",
        "deed": "hold",
        "subject": "nightly",
        "address": "10.0.0.7",
        "count": 1,
        "detail": {"reason": "why"},
    }


def test_it_can_be_searched(client_of: ClientOf, alice: User, make_job: MakeJob) -> None:
    job, client = make_job("nightly"), client_of(alice)
    client.post(f"/hub/v1/jobs/{job.pk}/trigger", {}, format="json")
    soon = (timezone.now() + timedelta(minutes=1)).isoformat()

    assert [deed for deed, _ in deeds(client, who="alice")] == ["trigger"]
    assert deeds(client, subject="nightly") == [("create", "nightly")]
    assert [deed for deed, _ in deeds(client, deed="trigger")] == ["trigger"]
    assert deeds(client, at_from=soon) == []
    assert len(deeds(client, at_to=soon, project="alpha")) == 3


def test_it_comes_in_pages(client_of: ClientOf, alice: User, make_job: MakeJob) -> None:
    for number in range(5):
        make_job(f"job-{number}")
    client = client_of(alice)
    first = client.get(AUDIT, {"limit": 2, "deed": "create"}).json()
    second = client.get(first["next"]).json()

    found = [row["subject"] for page in (first, second) for row in page["results"]]
    assert found == ["job-4", "job-3", "job-2", "job-1"]


# -- who may -----------------------------------------------------------------------------------------------------------
def test_admins_see_their_projects_and_superusers_everything(
    alice: User, charlie: User, root: User, make_job: MakeJob, beta: Project
) -> None:
    make_job("ours")
    make_job("theirs", project=beta)
    AuditEvent.objects.create(username="operator", face="shell", deed="create user", subject="x")
    seen = {name: deeds(APIClient(HTTP_AUTHORIZATION=basic(name))) for name in ("alice", "charlie", "root")}

    assert seen["alice"] == [("create", "ours")]
    assert seen["charlie"] == [("create", "theirs")]
    assert seen["root"] == [("create user", "x"), ("create", "theirs"), ("create", "ours")]


@pytest.mark.parametrize(("query", "status"), [({}, 200), ({"project": "alpha"}, 404), ({"project": "beta"}, 200)])
def test_a_foreign_project_does_not_exist(charlie: User, alpha: Project, query: Any, status: int) -> None:
    assert APIClient(HTTP_AUTHORIZATION=basic("charlie")).get(AUDIT, query).status_code == status


def test_a_refused_deed_is_there_as_well(bob: User, root: User) -> None:
    client = APIClient(HTTP_AUTHORIZATION=basic("bob"))
    assert [client.get(AUDIT).status_code for _ in range(3)] == [403] * 3
    refusals.flush()
    row = APIClient(HTTP_AUTHORIZATION=basic("root")).get(AUDIT).json()["results"][0]

    assert (row["who"], row["deed"], row["subject"], row["count"]) == ("bob", "refuse deed", "reading the audit", 3)


def test_another_sites_page_is_told(client_of: ClientOf, alice: User, make_job: MakeJob) -> None:
    job = make_job("x")
    answer = client_of(alice).post(f"/hub/v1/jobs/{job.pk}/trigger", HTTP_SEC_FETCH_SITE="cross-site")
    refusals.flush()

    assert answer.status_code == 403
    assert AuditEvent.objects.filter(deed="refuse deed", subject="POST native:job-trigger").exists()


# -- the login pages ---------------------------------------------------------------------------------------------------
def test_logins_and_logouts_of_browsers_are_told(root: User) -> None:
    client = Client(REMOTE_ADDR="10.0.0.7")
    client.post("/admin/login/", {"username": "root", "password": "wrong"})
    client.post("/admin/login/", {"username": "root", "password": PASSWORD})
    client.post("/admin/logout/")
    refusals.flush()

    found = AuditEvent.objects.order_by("pk").values_list("deed", "subject", "username", "face", "address")
    assert sorted(found) == [
        ("log in", "root", "root", "admin", "10.0.0.7"),
        ("log out", "root", "root", "admin", "10.0.0.7"),
        ("refuse login", "root", "", "admin", "10.0.0.7"),
    ]


def test_ones_own_new_password_is_told(root: User) -> None:
    client = Client()
    client.force_login(root)
    new = "another long phrase 77"
    given = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    answer = client.post("/admin/password_change/", given)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/password_change/done/")
    assert AuditEvent.objects.filter(deed="set password", subject="root", username="root").exists()
    assert new not in str(list(AuditEvent.objects.values()))


def test_a_form_without_its_token_is_told(root: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    assert client.post("/admin/password_change/", {}).status_code == 403
    refusals.flush()

    assert AuditEvent.objects.filter(deed="refuse deed", subject="POST admin:password_change").exists()

"""Jobs: `/hub/v1/jobs` and `/hub/v1/jobs/{ref}`."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution, Project, User
from jobs.states import State
from tests.conftest import NOOP, ClientOf, MakeExecution, MakeJob
from tests.vendors.conftest import fields_of

JOBS = "/hub/v1/jobs"


# -- it works ----------------------------------------------------------------------------------------------------------
def test_it_creates_a_job(client: APIClient) -> None:
    response = client.post(JOBS, {"name": "nightly/db", "actions": [NOOP], "retries": 2}, format="json")

    job = Job.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://testserver{JOBS}/{job.pk}"
    assert (job.name, job.retries, job.owner.username) == ("nightly/db", 2, "alice")


def test_a_job_is_its_document_and_what_the_hub_knows(client: APIClient, make_job: MakeJob, alpha: Project) -> None:
    job = make_job("nightly/db", description="the books")
    shown = client.get(f"{JOBS}/{job.pk}").json()

    assert shown["actions"] == [
        {**NOOP, "description": "", "timeout_s": None, "retries": 0, "retry_delay_s": None, "mandatory": False}
    ]
    assert {name: shown[name] for name in ("id", "uuid", "project", "name", "kind", "description", "version")} == {
        "id": job.pk,
        "uuid": str(job.uuid),
        "project": "alpha",
        "name": "nightly/db",
        "kind": "python",
        "description": "the books",
        "version": 1,
    }
    assert shown["hold"] is None


def test_it_shows_what_a_job_comes_after_as_it_was_put(client: APIClient, make_job: MakeJob) -> None:
    make_job("a")
    document = {"name": "b", "actions": [NOOP], "after": [{"job": "a", "on": "failure"}]}
    made = client.post(JOBS, document, format="json").json()

    assert made["after"] == document["after"]
    assert [job["after"] for job in client.get(JOBS).json()["results"]] == [[], document["after"]]


def test_a_circle_is_spelled_out(client: APIClient, make_job: MakeJob) -> None:
    make_job("a"), make_job("b", after=[{"job": "a"}])
    answer = client.patch(f"{JOBS}/a", {"after": [{"job": "b"}]}, format="json")

    assert answer.json()["errors"] == [{"field": "after.0.job", "message": "goes round: a → b → a"}]


@pytest.mark.parametrize("name", ["plain", "nightly/db", "a/b/c", "ä ö", "50% & more?", "with:colon.dot", "x#y", "p+q"])
def test_it_finds_a_job_by_its_name(name: str, client: APIClient, make_job: MakeJob) -> None:
    job = make_job(name)

    assert client.get(f"{JOBS}/{quote(name)}").json()["id"] == job.pk
    assert client.get(f"{JOBS}/{quote(name, safe='')}").json()["id"] == job.pk


def test_it_finds_a_job_by_its_uuid(client: APIClient, make_job: MakeJob) -> None:
    job = make_job()

    assert client.get(f"{JOBS}/{job.uuid}").json()["id"] == job.pk
    assert client.get(f"{JOBS}/{job.uuid.hex.upper()}").json()["id"] == job.pk


def test_what_it_shows_can_be_put_again(client: APIClient, make_job: MakeJob) -> None:
    job = make_job("nightly/db", params={"day": 1}, concurrency_key="disk")
    shown = client.get(f"{JOBS}/{job.pk}").json()
    known = ("id", "uuid", "project", "owner", "place", "hold", "created_at", "updated_at", "version")
    document = {name: value for name, value in shown.items() if name not in known}
    again = client.put(f"{JOBS}/{job.pk}", document, format="json")

    assert again.status_code == 200
    changing = ("updated_at", "version")
    assert {k: v for k, v in again.json().items() if k not in changing} == {
        k: v for k, v in shown.items() if k not in changing
    }


def test_put_replaces_the_whole_document(client: APIClient, make_job: MakeJob) -> None:
    job = make_job("nightly/db", retries=5)
    client.put(f"{JOBS}/nightly/db", {"name": "nightly/books", "actions": [NOOP]}, format="json")

    job.refresh_from_db()
    assert (job.name, job.retries, job.version) == ("nightly/books", 0, 2)


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
def test_patch_changes_some_fields(media_type: str, client: APIClient, make_job: MakeJob) -> None:
    job = make_job("nightly/db", retries=5, description="old")
    response = client.patch(f"{JOBS}/{job.pk}", '{"description": "new"}', content_type=media_type)

    assert (response.json()["description"], response.json()["retries"]) == ("new", 5)


def test_delete_aborts_and_keeps_the_history(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    job = make_job("nightly/db")
    execution = make_execution(job)
    response = client.delete(f"{JOBS}/nightly/db")

    execution.refresh_from_db()
    assert (response.status_code, response.content) == (204, b"")
    assert (execution.state, execution.job_name, execution.job_id) == (State.ABORTED, "nightly/db", None)


# -- lists -------------------------------------------------------------------------------------------------------------
def test_the_list_goes_by_name(client: APIClient, make_job: MakeJob) -> None:
    for name in ("c", "a", "b"):
        make_job(name)
    shown = client.get(JOBS).json()

    assert [job["name"] for job in shown["results"]] == ["a", "b", "c"]
    assert (shown["next"], shown["previous"]) == (None, None)


@pytest.mark.parametrize(("order", "names"), [("name", "abcde"), ("-name", "edcba"), ("id", "cabde"), ("-id", "edbac")])
def test_pages_follow_one_another_both_ways(order: str, names: str, client: APIClient, make_job: MakeJob) -> None:
    for name in "cabde":
        make_job(name)
    first = client.get(JOBS, {"order": order, "limit": 2}).json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    back = client.get(third["previous"]).json()

    pages = ["".join(job["name"] for job in page["results"]) for page in (first, second, third, back)]
    assert pages == [names[:2], names[2:4], names[4:], names[2:4]]
    assert (first["previous"], third["next"]) == (None, None)


def test_the_first_page_is_reached_backwards(client: APIClient, make_job: MakeJob) -> None:
    for name in "abc":
        make_job(name)
    second = client.get(client.get(JOBS, {"limit": 2}).json()["next"]).json()
    first = client.get(second["previous"]).json()

    assert [job["name"] for job in first["results"]] == ["a", "b"]
    assert first["previous"] is None


def test_a_job_that_vanishes_between_pages_hides_no_other(client: APIClient, make_job: MakeJob) -> None:
    for name in "abcd":
        make_job(name)
    first = client.get(JOBS, {"limit": 2}).json()
    Job.objects.filter(name="b").delete()

    assert [job["name"] for job in client.get(first["next"]).json()["results"]] == ["c", "d"]


def test_it_filters_by_name_and_kind(client: APIClient, make_job: MakeJob) -> None:
    make_job("a", kind="backup")
    make_job("b", kind="report")

    assert [job["name"] for job in client.get(JOBS, {"kind": "report"}).json()["results"]] == ["b"]
    assert [job["name"] for job in client.get(JOBS, {"name": "a"}).json()["results"]] == ["a"]


def test_a_page_costs_the_same_however_many_jobs(
    client: APIClient, make_job: MakeJob, django_assert_max_num_queries: Callable
) -> None:
    for _ in range(10):
        make_job(schedules=[{"interval": "1h"}])
    client.get(JOBS)

    with django_assert_max_num_queries(6):
        assert len(client.get(JOBS).json()["results"]) == 10


def test_a_job_costs_six_queries(client: APIClient, make_job: MakeJob, django_assert_max_num_queries: Callable) -> None:
    job = make_job()
    client.get(JOBS)

    with django_assert_max_num_queries(6):
        client.get(f"{JOBS}/{job.pk}")


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_it_refuses_a_second_job_of_that_name(client: APIClient, make_job: MakeJob) -> None:
    make_job("nightly/db", description="first")
    response = client.post(JOBS, {"name": "nightly/db", "actions": [NOOP]}, format="json")

    assert response.status_code == 409
    assert Job.objects.get().description == "first"


def test_it_refuses_another_jobs_name(client: APIClient, make_job: MakeJob) -> None:
    make_job("a")
    make_job("b")

    assert client.patch(f"{JOBS}/b", {"name": "a"}, format="json").status_code == 409


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({}, ["name", "actions"]),
        ({"name": "a"}, ["actions"]),
        ({"name": "a", "actions": []}, ["actions"]),
        ({"name": "a", "actions": [NOOP], "retires": 1}, ["retires"]),
        ({"name": "a", "actions": [{"runner": "nope"}]}, ["actions.0.runner"]),
        ({"name": "a", "actions": [NOOP, {"runner": "python", "spec": {}}]}, ["actions.1.spec.callable"]),
        ({"name": "a", "actions": [{**NOOP, "retries": -1}]}, ["actions.0.retries"]),
        ({"name": "/a", "actions": [NOOP]}, ["name"]),
        ({"name": "12", "actions": [NOOP]}, ["name"]),
        ({"name": "a" * 201, "actions": [NOOP]}, ["name"]),
        ({"name": "a", "actions": [NOOP], "params": {"x": {}}}, ["params.x.str"]),
        ({"name": "a", "actions": [NOOP], "priority": 101, "timeout_s": 0}, ["priority", "timeout_s"]),
        ([], [""]),
        ("text", [""]),
        (None, ["name", "actions"]),
        (7, [""]),
    ],
)
def test_it_names_every_wrong_field(document: object, fields: list[str], client: APIClient) -> None:
    response = client.post(JOBS, document, format="json")

    assert set(fields) <= set(fields_of(response))
    assert not Job.objects.exists()


def test_a_wrong_patch_changes_nothing(client: APIClient, make_job: MakeJob) -> None:
    job = make_job("a", description="old")

    assert fields_of(client.patch(f"{JOBS}/a", {"description": "new", "x": 1}, format="json")) == ["x"]
    job.refresh_from_db()
    assert (job.description, job.version) == ("old", 1)


# -- who may -----------------------------------------------------------------------------------------------------------
def test_a_foreign_job_is_unknown(client_of: ClientOf, charlie: User, make_job: MakeJob) -> None:
    job = make_job("nightly/db")
    stranger = client_of(charlie)
    refs = [str(job.pk), str(job.uuid), "nightly/db"]

    assert [stranger.get(f"{JOBS}/{ref}").status_code for ref in refs] == [404] * 3
    assert stranger.get(JOBS).json()["results"] == []


def test_the_same_name_may_stand_in_two_projects(
    client_of: ClientOf, alice: User, charlie: User, beta: Project, make_job: MakeJob
) -> None:
    mine, theirs = make_job("nightly/db"), make_job("nightly/db", project=beta)

    assert client_of(alice).get(f"{JOBS}/nightly/db").json()["id"] == mine.pk
    assert client_of(charlie).get(f"{JOBS}/nightly/db").json()["id"] == theirs.pk


def test_a_member_may_not_use_a_privileged_runner(client_of: ClientOf, bob: User) -> None:
    response = client_of(bob).post(JOBS, {"name": "a", "actions": [NOOP]}, format="json")

    assert response.status_code == 403
    assert not Job.objects.exists()


# -- edges -------------------------------------------------------------------------------------------------------------
def test_an_unchanged_job_is_not_sent_again(client: APIClient, make_job: MakeJob) -> None:
    job = make_job()
    etag = client.get(f"{JOBS}/{job.pk}").headers["ETag"]
    again = client.get(f"{JOBS}/{job.pk}", headers={"If-None-Match": etag})

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)


def test_a_hold_changes_the_etag(client: APIClient, make_job: MakeJob) -> None:
    job = make_job()
    etag = client.get(f"{JOBS}/{job.pk}").headers["ETag"]
    client.post(f"{JOBS}/{job.pk}/hold", {}, format="json")

    assert client.get(f"{JOBS}/{job.pk}", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nobody_overwrites_what_they_have_not_seen(method: str, client: APIClient, make_job: MakeJob) -> None:
    job = make_job("a")
    stale = client.get(f"{JOBS}/a").headers["ETag"]
    client.patch(f"{JOBS}/a", {"description": "somebody was faster"}, format="json")
    body = {"name": "a", "actions": [NOOP]}
    response = getattr(client, method)(f"{JOBS}/a", body, format="json", headers={"If-Match": stale})

    assert response.status_code == 412
    job.refresh_from_db()
    assert job.description == "somebody was faster"


def test_the_newest_version_may_be_changed(client: APIClient, make_job: MakeJob) -> None:
    make_job("a")
    etag = client.get(f"{JOBS}/a").headers["ETag"]
    response = client.patch(f"{JOBS}/a", {"retries": 1}, format="json", headers={"If-Match": etag})

    assert response.status_code == 200
    assert response.headers["ETag"] != etag


def test_a_job_named_like_a_verb_is_reached_by_its_id(client: APIClient, make_job: MakeJob) -> None:
    job = make_job("a/trigger")

    assert client.post(f"{JOBS}/{job.pk}/trigger").status_code == 202
    assert JobExecution.objects.get().job == job

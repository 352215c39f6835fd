"""Many at once: `POST /hub/v1/executions/abort`."""

import pytest
from rest_framework.test import APIClient

from jobs.models import JobExecution, Membership, Project, Role, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution, MakeJob
from tests.vendors.conftest import basic, fields_of

URL = "/hub/v1/executions/abort"


def aborted() -> set[int]:
    return set(JobExecution.objects.filter(state__in=["aborted", "aborting"]).values_list("pk", flat=True))


def test_it_aborts_what_matches(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job("nightly/db")
    wanted = {make_execution(job).pk, make_execution(job, State.RUNNING).pk}
    make_execution(job, State.SUCCEEDED)
    make_execution()
    response = client.post(URL, {"job": "nightly/db"}, format="json")

    assert response.json() == {"matched": 2, "aborted": sorted(wanted), "is_complete": True}
    assert aborted() == wanted


def test_a_dry_run_only_says_which(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution()
    response = client.post(URL, {"state": ["queued"], "dry_run": True}, format="json")

    assert response.json() == {"matched": 1, "aborted": [execution.pk], "is_complete": True}
    assert aborted() == set()


@pytest.mark.parametrize("body", [{}, {"dry_run": True}, {"project": "alpha"}, {"state": []}, {"job": ""}])
def test_it_refuses_to_abort_all_by_omission(body: dict, client: APIClient, make_execution: MakeExecution) -> None:
    make_execution()

    assert fields_of(client.post(URL, body, format="json")) == ["all"]
    assert aborted() == set()


def test_all_must_be_said(client: APIClient, make_execution: MakeExecution) -> None:
    execution = make_execution()
    client.post(URL, {"all": True}, format="json")

    assert aborted() == {execution.pk}


def test_all_means_ones_own_project(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution, beta: Project
) -> None:
    make_execution(make_job(project=beta))

    assert client.post(URL, {"all": True}, format="json").json()["matched"] == 0
    assert client.post(URL, {"all": True, "project": "beta"}, format="json").status_code == 404


def test_everywhere_means_where_one_may_abort(
    alice: User, beta: Project, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    Membership.objects.create(user=alice, project=beta, role=Role.READER)
    mine = make_execution()
    make_execution(make_job(project=beta))
    client = APIClient(HTTP_AUTHORIZATION=basic("alice"))

    assert client.post(URL, {"all": True, "project": "*"}, format="json").json()["aborted"] == [mine.pk]
    assert client.post(URL, {"all": True, "project": "beta"}, format="json").status_code == 403


def test_a_reader_aborts_nothing(rita: User, client_of: ClientOf, make_execution: MakeExecution) -> None:
    make_execution()
    client = client_of(rita)
    answers = [client.post(URL, {"all": True, "project": where}, format="json") for where in ("alpha", "*")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert aborted() == set()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "queued"}, "state"),
        ({"state": ["done"]}, "state.0"),
        ({"queued_from": "x"}, "queued_from"),
        ({"jobs": "x"}, "jobs"),
        ({"job": "a\u0000"}, None),
        ({"all": "maybe"}, "all"),
        ({"chain": 0}, "chain"),
    ],
)
def test_it_names_what_is_wrong(
    body: dict, field: str | None, client: APIClient, make_execution: MakeExecution
) -> None:
    make_execution()
    response = client.post(URL, body, format="json")

    assert response.status_code == 400
    assert [error["field"] for error in response.json().get("errors", [{"field": None}])] == [field]
    assert aborted() == set()


def test_times_filter_too(client: APIClient, make_execution: MakeExecution) -> None:
    make_execution()
    body = {"queued_from": "2020-01-01T00:00:00Z", "queued_to": "2020-01-02T00:00:00Z"}

    assert client.post(URL, body, format="json").json()["matched"] == 0

"""All that failed: `POST /hub/v1/executions/retry`, and one of them at its failed action."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.engine import verbs
from jobs.engine.rights import Actor
from jobs.models import JobExecution, Membership, Project, Role, User
from jobs.states import State
from tests.conftest import NOOP, ClientOf, MakeExecution, MakeJob
from tests.vendors.conftest import basic, fields_of

URL = "/hub/v1/executions/retry"


@pytest.fixture
def broken(make_execution: MakeExecution) -> list[JobExecution]:
    """Two that failed, one of them an hour ago; and others that did not."""
    for state in (State.SUCCEEDED, State.ABORTED, State.RUNNING):
        make_execution(state=state)
    ago = timezone.now() - timedelta(hours=1)
    return [make_execution(state=State.FAILED, finished_at=ago), make_execution(state=State.FAILED)]


def retried() -> set[int | None]:
    return set(JobExecution.objects.filter(retry_of__isnull=False).values_list("retry_of", flat=True))


# -- it works ----------------------------------------------------------------------------------------------------------
def test_it_retries_what_failed_since(client: APIClient, broken: list[JobExecution]) -> None:
    since = (timezone.now() - timedelta(minutes=30)).isoformat()
    answer = client.post(URL, {"finished_from": since}, format="json").json()

    again = JobExecution.objects.get(retry_of=broken[1])
    assert answer == {
        "matched": 1,
        "retried": [{"execution": broken[1].pk, "retried_as": again.pk}],
        "refused": [],
        "is_complete": True,
    }


def test_the_second_time_there_is_nothing_left(client: APIClient, broken: list[JobExecution]) -> None:
    client.post(URL, {"all": True}, format="json")

    assert client.post(URL, {"all": True}, format="json").json()["matched"] == 0
    assert retried() == {one.pk for one in broken}


def test_a_dry_run_only_says_which(client: APIClient, broken: list[JobExecution]) -> None:
    answer = client.post(URL, {"all": True, "dry_run": True}, format="json").json()

    assert answer["retried"] == [{"execution": one.pk, "retried_as": None} for one in broken]
    assert retried() == set()


def test_one_that_cannot_be_retried_is_told_with_the_reason(
    client: APIClient, op: Actor, make_job: MakeJob, make_execution: MakeExecution, broken: list[JobExecution]
) -> None:
    job = make_job("held")
    held = make_execution(job, State.FAILED)
    verbs.hold(job, actor=op, reason="disk is full")
    answer = client.post(URL, {"all": True}, format="json").json()

    assert answer["refused"] == [{"execution": held.pk, "reason": "the job 'held' is on hold: disk is full"}]
    assert len(answer["retried"]) == 2


def test_it_filters_by_job(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    wanted = make_execution(make_job("nightly/db"), State.FAILED)
    make_execution(state=State.FAILED)
    client.post(URL, {"job": "nightly/db"}, format="json")

    assert retried() == {wanted.pk}


def test_one_goes_on_at_its_failed_action(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    failed = make_execution(make_job(actions=[NOOP, NOOP]), State.FAILED)
    failed.steps.create(position=0, attempt=1, key="a", runner="python", state="succeeded")
    failed.steps.create(position=1, attempt=1, key="b", runner="python", state="failed")
    client.post(f"/hub/v1/executions/{failed.pk}/retry", {"from": "failed"}, format="json")

    assert JobExecution.objects.get(retry_of=failed).position == 1


def test_a_retry_of_a_retry_names_the_first(client: APIClient, make_execution: MakeExecution) -> None:
    first = make_execution(state=State.FAILED)
    second = client.post(f"/hub/v1/executions/{first.pk}/retry").json()
    client.post(f"/hub/v1/executions/{second['id']}/abort")
    third = client.post(f"/hub/v1/executions/{second['id']}/retry").json()

    assert (second["first"], third["first"], third["retry_of"]) == (first.pk, first.pk, second["id"])


# -- who may -----------------------------------------------------------------------------------------------------------
def test_everywhere_means_where_one_may_retry(
    alice: User, beta: Project, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    Membership.objects.create(user=alice, project=beta, role=Role.READER)
    mine = make_execution(state=State.FAILED)
    make_execution(make_job(project=beta), State.FAILED)
    client = APIClient(HTTP_AUTHORIZATION=basic("alice"))
    client.post(URL, {"all": True, "project": "*"}, format="json")

    assert retried() == {mine.pk}


def test_a_reader_retries_nothing(rita: User, client_of: ClientOf, broken: list[JobExecution]) -> None:
    client = client_of(rita)
    answers = [client.post(URL, {"all": True, "project": where}, format="json") for where in ("alpha", "*")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert retried() == set()


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "all"),
        ({"dry_run": True}, "all"),
        ({"from": "failed"}, "all"),
        ({"all": True, "from": "middle"}, "from"),
        ({"all": True, "from_": "failed"}, "from_"),
        ({"finished_from": "1h"}, "finished_from"),
        ({"state": ["failed"]}, "state"),
        ({"chain": "x"}, "chain"),
        ([], ""),
    ],
)
def test_it_names_what_is_wrong(body: Any, field: str, client: APIClient, broken: list[JobExecution]) -> None:
    assert fields_of(client.post(URL, body, format="json")) == [field]
    assert retried() == set()


def test_a_wrong_beginning_of_one_is_named(client: APIClient, broken: list[JobExecution]) -> None:
    url = f"/hub/v1/executions/{broken[0].pk}/retry"

    assert fields_of(client.post(url, {"from": 2}, format="json")) == ["from"]
    assert retried() == set()

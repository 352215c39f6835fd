"""`GET /rest/jobs/list-running`: what is active in the acting project."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.models import Project
from jobs.states import FINAL, State
from tests.conftest import MakeExecution, MakeJob
from vendors.datameer.views import reading

LIST = "/rest/jobs/list-running"


def test_it_lists_what_is_queued_waits_or_runs(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    one, other = make_job(), make_job()
    running = make_execution(one, State.RUNNING)
    behind, queued = make_execution(one), make_execution(other)
    second = make_execution(other)
    chained = trigger(make_job(), actor=operator("test"), after=[running])[0]
    for state in FINAL:
        make_execution(None, state)

    assert client.get(LIST).json() == [
        {"id": running.pk, "jobStatus": "RUNNING"},
        {"id": behind.pk, "jobStatus": "WAITING_FOR_OTHER_JOB"},
        {"id": queued.pk, "jobStatus": "QUEUED"},
        {"id": second.pk, "jobStatus": "WAITING_FOR_OTHER_JOB"},
        {"id": chained.pk, "jobStatus": "WAITING_FOR_OTHER_JOB"},
    ]


def test_nothing_active_is_an_empty_list(client: APIClient, make_execution: MakeExecution) -> None:
    make_execution(None, State.SUCCEEDED)

    assert client.get(LIST).content == b"[]"


def test_other_projects_are_not_listed(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution, beta: Project
) -> None:
    make_execution(make_job(project=beta), State.RUNNING)

    assert client.get(LIST).json() == []


def test_a_long_backlog_is_cut(
    client: APIClient, make_execution: MakeExecution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LISTED", 2)
    ids = [make_execution().pk for _ in range(3)]

    assert [run["id"] for run in client.get(LIST).json()] == ids[:2]


def test_a_long_backlog_costs_what_a_short_one_does(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    def n_queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST)
        return len(asked)

    make_execution()
    n_queries()
    few = n_queries()
    for _ in range(7):
        make_execution()

    assert n_queries() == few <= 8

"""A scheduler's poll: the jobs that its client has to do, from an index, page by page."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Node, Project, User
from tests.conftest import MakeJob
from tests.vendors.freezer.conftest import STEP, Api, Scheduler
from tests.vendors.freezer.making import HUB, make_client, make_freezer
from vendors.models import FreezerClient

BUDGET = 10


def test_it_gets_its_own_jobs_that_are_not_completed(api: Api, scheduler: Scheduler, alpha: Project) -> None:
    make_client(alpha, "mill")
    mine, done, _ = api.make(), api.make(job_schedule={"status": "completed"}), api.make(client_id="mill")

    assert [job["job_id"] for job in scheduler.poll()] == [mine]
    assert {job["job_id"] for job in api.get("jobs", {"match": [{"client_id": "shop"}]})["jobs"]} == {mine, done}


def test_pages_follow_one_another(api: Api, scheduler: Scheduler) -> None:
    made = [api.make() for _ in range(12)]

    assert [job["job_id"] for offset in (0, 10) for job in scheduler.poll(offset)] == made


def test_it_may_ask_for_more(api: Api, scheduler: Scheduler) -> None:
    api.make()
    made = api.make(description="wanted")
    search = {
        "match": [{"client_id": "shop"}, {"description": "wanted"}],
        "match_not": [{"status": "completed"}, {"status": "stop"}],
    }

    assert [job["job_id"] for job in api.get("jobs", search)["jobs"]] == [made]


def test_it_costs_the_same_whatever_there_is(api: Api, scheduler: Scheduler) -> None:
    api.make(job_actions=[STEP])
    scheduler.poll()
    first = n_queries(scheduler)
    for _ in range(8):
        api.make(job_actions=[STEP, STEP, STEP])

    assert n_queries(scheduler) == first <= BUDGET


def n_queries(scheduler: Scheduler) -> int:
    with CaptureQueriesContext(connection) as asked:
        scheduler.poll()
    return len(asked)


@pytest.mark.skipif(not settings.IS_SQLITE, reason="PostgreSQL reads so few rows without an index")
def test_it_is_read_from_its_index(api: Api, scheduler: Scheduler) -> None:
    api.make()
    with CaptureQueriesContext(connection) as asked:
        scheduler.poll()
    (sql,) = [one["sql"] for one in asked if "LIMIT" in one["sql"] and '"vendors_freezerjob"."actions"' in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = str(cursor.fetchall())

    assert "freezer_poll" in plan


def test_nobody_takes_the_place_of_the_hubs_own_nodes(api: Api, make_job: MakeJob, node: Node) -> None:
    make_freezer(make_job())

    assert Scheduler(api, HUB).poll() == []
    assert len(api.get("jobs", {"match": [{"client_id": HUB}]})["jobs"]) == 1
    assert api.ask("POST", "clients", {"client_id": HUB}).status_code == 409


def test_a_foreign_client_is_shown_nothing_of_ours(
    api: Api, api_of: Any, charlie: User, beta: Project, shop: FreezerClient
) -> None:
    api.make()
    stranger = Scheduler(Api(api_of(charlie).client, "/v2/beta"))

    assert stranger.poll() == []

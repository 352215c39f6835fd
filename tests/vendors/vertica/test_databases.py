"""The calls of a database: each starts one job, at its level, and passes no password on."""

from collections.abc import Callable

import pytest
from django.db import connection
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution
from jobs.states import State
from tests.conftest import MakeExecution
from tests.vendors.vertica.conftest import Agent

Database = Callable[[str], dict[str, Job]]
STARTS = [
    ("put", "?action=start", "normal", "start", "StartDatabase"),
    ("put", "?action=stop", "normal", "stop", "StopDatabase"),
    ("put", "?action=rebalance", "normal", "rebalance", "RebalanceData"),
    ("put", "?action=Workload%20Analyzer", "normal", "analyze", "AnalyzeWorkload"),
    ("delete", "", "admin", "drop", "DropDatabase"),
    ("post", "/process", "restricted", "start", "StartDatabase"),
    ("delete", "/process", "restricted", "stop", "StopDatabase"),
    ("post", "/rebalance/process", "restricted", "rebalance", "RebalanceData"),
    ("post", "/Workload%20analyzer/process", "restricted", "analyze", "AnalyzeWorkload"),
    ("post", "/hosts?hostname=10.0.0.9", "admin", "add-host", "AddHostToDatabase"),
    ("delete", "/hosts/h1", "admin", "remove-host", "RemoveHostFromDatabase"),
    ("post", "/hosts/h1/process", "restricted", "start-host", "StartHost"),
    ("delete", "/hosts/h1/process", "restricted", "stop-host", "StopHost"),
    ("post", "/hosts/h1/replace_with/h2", "admin", "replace-host", "ReplaceHost"),
]
BELOW = {"normal": "restricted", "admin": "normal"}


def call(client: APIClient, method: str, below: str) -> tuple[int, dict[str, str]]:
    response = getattr(client, method)(f"/databases/testDB{below}")
    return response.status_code, response.json()


# -- it works ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("method", "below", "level", "what", "verb"), STARTS)
def test_it_starts_the_job_of_that_name(
    agent: Agent, database: Database, method: str, below: str, level: str, what: str, verb: str
) -> None:
    jobs = database("testDB")
    status, said = call(agent(level), method, below)
    execution = JobExecution.objects.get()

    assert (status, said) == (200, {"id": execution.handle, "url": f"/jobs/{execution.handle}"})
    assert (execution.job, execution.handle.partition("-2")[0]) == (jobs[what], f"{verb}-testDB")


def test_parameters_reach_the_job_and_passwords_do_not(agent: Agent, database: Database) -> None:
    database("testDB")
    agent().post("/databases/testDB/hosts?hostname=10.0.0.9&user_id=dbadmin&passwd=hunter22&Password=hunter22")

    assert JobExecution.objects.get().params == {"hostname": "10.0.0.9", "user_id": "dbadmin"}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json"])
def test_parameters_may_come_in_the_body(agent: Agent, database: Database, content_type: str) -> None:
    database("testDB")
    body = {"application/json": '{"hostname": "h9", "passwd": "hunter22"}'}.get(
        content_type, "hostname=h9&passwd=hunter22"
    )
    agent().generic("POST", "/databases/testDB/hosts", body, content_type=content_type)

    assert JobExecution.objects.get().params == {"hostname": "h9"}


def test_no_password_is_left_anywhere(
    agent: Agent, database: Database, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    database("testDB")
    agent().put("/databases/testDB?user_id=dbadmin&passwd=hunter22&action=stop")
    agent().put("/databases/nothing?user_id=dbadmin&passwd=hunter22&action=stop")
    APIClient().put("/databases/testDB?user_id=dbadmin&passwd=hunter22&action=stop")

    assert "hunter22" not in f"{_database()}{caplog.text}{capfd.readouterr()}"


def _database() -> str:
    """Every value of every table."""
    said = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            said.append(str(cursor.fetchall()))
    return "".join(said)


def test_a_database_is_down_after_it_was_stopped(
    agent: Agent, database: Database, make_execution: MakeExecution
) -> None:
    jobs = database("testDB")
    make_execution(jobs["start"], State.SUCCEEDED)
    make_execution(jobs["stop"], State.SUCCEEDED)
    make_execution(jobs["start"], State.FAILED)

    assert agent().get("/databases/testDB/process").json()["body"] == {"database_id": "testDB", "status": "DOWN"}


def test_one_database(agent: Agent, database: Database) -> None:
    database("testDB")

    assert agent().get("/databases/testDB").json()["body"] == {
        "database_id": "testDB",
        "href": "/databases/testDB",
        "name": "testDB",
        "port": "5433",
        "status": "UP",
    }


# -- who may -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "below", "level"), [(one[0], one[1], BELOW[one[2]]) for one in STARTS if one[2] in BELOW]
)
def test_a_key_of_a_lower_level_starts_nothing(
    agent: Agent, database: Database, method: str, below: str, level: str
) -> None:
    database("testDB")
    status, said = call(agent(level), method, below)

    assert (status, list(said)) == (403, ["error"])
    assert not JobExecution.objects.exists()


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("put", "/databases/testDB", 400),
        ("put", "/databases/testDB?action=explode", 400),
        ("post", "/databases/testDB/hosts", 400),
        ("post", "/databases", 400),
        ("put", "/databases/nothing?action=stop", 404),
        ("post", "/databases?name=nothing", 404),
        ("get", "/databases/nothing", 404),
        ("get", "/databases/%00", 404),
        ("put", "/databases/%00?action=stop", 404),
        ("get", "/databases/testDB/configuration", 404),
    ],
)
def test_bad_calls(agent: Agent, database: Database, method: str, path: str, status: int) -> None:
    database("testDB")
    response = getattr(agent(), method)(path)

    assert (response.status_code, list(response.json())) == (status, ["error"])
    assert not JobExecution.objects.exists()

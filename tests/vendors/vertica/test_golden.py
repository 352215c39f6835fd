"""The documented exchanges, compared as whole texts. Only times, and addresses of hosts, are set aside."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, User
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.vertica.conftest import Agent

GOLDEN: dict[str, dict[str, Any]] = {
    one["name"]: one for one in json.loads((Path(__file__).parent / "golden/reference.json").read_text())
}
STARTS = [
    "put database stop",
    "delete database process",
    "drop database",
    "rebalance",
    "add host",
]
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")


def as_text(value: Any) -> str:
    """As Python's own json module writes it, which the agent is built on."""
    return json.dumps(value, indent=4, sort_keys=True)


def at(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def asked(client: APIClient, name: str) -> Any:
    golden = GOLDEN[name]
    response = getattr(client, golden["method"].lower())(golden["path"])
    assert response.status_code == golden["status"], response.content
    return response


def test_the_list_of_jobs(agent: Agent, make_job: MakeJob, make_execution: MakeExecution) -> None:
    job = make_job("VMart/backup", kind="backup", concurrency_limit=0)
    for state, began, ended in [
        (State.SUCCEEDED, "1405012447.75", 1405012461.18),
        (State.FAILED, "1405012454.88", 1405012455.18),
    ]:
        make_execution(job, state, handle=f"CreateBackup-VMart-{began}", finished_at=at(ended))

    assert asked(agent(), "list jobs").content.decode() == as_text(GOLDEN["list jobs"]["response"])


@pytest.mark.parametrize("name", STARTS)
def test_a_call_that_starts_a_job(agent: Agent, database: Callable[[str], dict[str, Job]], name: str) -> None:
    database("testDB"), database("TestDB")
    response = asked(agent(), name)

    said, wanted = response.content.decode(), as_text(GOLDEN[name]["response"])
    assert MOMENT.sub("TIME", said) == MOMENT.sub("TIME", wanted)
    assert len(set(MOMENT.findall(said))) == 1


def test_the_creation_of_a_database_answers_in_another_dialect(
    agent: Agent, database: Callable[[str], dict[str, Job]], alice: User
) -> None:
    database("testDB")
    response = agent().post("/databases?name=testDB")

    wanted = as_text({**GOLDEN["create database"]["response"], "userid": alice.username})
    assert MOMENT.sub("TIME", response.content.decode()) == MOMENT.sub("TIME", wanted)


def test_the_list_of_databases(
    agent: Agent, database: Callable[[str], dict[str, Job]], make_execution: MakeExecution
) -> None:
    make_execution(database("VMart")["start"], State.SUCCEEDED)
    make_execution(database("testDB")["stop"], State.SUCCEEDED)

    assert asked(agent(), "list databases").content.decode() == as_text(GOLDEN["list databases"]["response"])

"""`/webhooks`: who is told when a job ends, and what."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from jobs.engine import chains
from jobs.models import Delivery, Subscription
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.receivers import carry
from tests.jobs.servers import Server
from tests.vendors.vertica.conftest import Agent
from tests.vendors.vertica.test_golden import GOLDEN, as_text

pytestmark = pytest.mark.django_db(transaction=True)


def subscribe(agent: Agent, url: str, level: str = "restricted") -> Any:
    return agent(level).post("/webhooks/subscribe", query_params={"url": url})


def test_the_documented_list(agent: Agent) -> None:
    golden = GOLDEN["list webhooks"]
    for item in golden["response"]["body"]:
        subscriber = subscribe(agent, f"http://{item['host']}{item['url']}").content.decode()
        made_at = datetime.fromisoformat(item["timestamp"]).replace(tzinfo=UTC)
        Subscription.objects.filter(uuid=subscriber).update(uuid=item["id"], created_at=made_at)

    assert agent().get(golden["path"]).content.decode() == as_text(golden["response"])


def test_the_answer_is_the_bare_id(agent: Agent) -> None:
    golden = GOLDEN["subscribe webhook (text/plain)"]
    path, _, query = golden["path"].partition("?")
    response = agent("restricted").post("/", PATH_INFO=path, QUERY_STRING=query)

    assert response.headers["Content-Type"] == "text/plain"
    assert len(response.content) == len(golden["response"])
    assert response.content.decode() == Subscription.objects.get().uuid.hex


@pytest.mark.parametrize(("state", "exit_code"), [(State.SUCCEEDED, -9), (State.FAILED, 1)])
def test_a_subscriber_is_told_of_a_jobs_end(
    agent: Agent, make_job: MakeJob, make_execution: MakeExecution, server: Server, state: State, exit_code: int
) -> None:
    subscribe(agent, f"{server.url}/ended?by=hub")
    execution = make_execution(make_job("testDB/stop"), State.RUNNING)
    finish(execution, state)
    carry()

    told = json.loads(server.seen[0].body)
    assert server.seen[0].path == "/ended?by=hub"
    assert (told["href"], told["body"]["id"]) == (f"/jobs/{execution.handle}", execution.handle)
    assert (told["body"]["is_running"], told["body"]["exit_code"]) == (False, exit_code)


def finish(execution: Any, state: State) -> None:
    """As a worker does it: the move and the notice are one transaction."""
    with transaction.atomic():
        execution.move(state)
        chains.settle(execution)


def test_who_unsubscribed_is_not_told(
    agent: Agent, make_job: MakeJob, make_execution: MakeExecution, server: Server
) -> None:
    subscriber = subscribe(agent, server.url).content.decode()
    gone = agent("restricted").delete(f"/webhooks/{subscriber}")
    finish(make_execution(make_job("testDB/stop"), State.RUNNING), State.FAILED)

    assert (gone.status_code, gone.content) == (200, b"")
    assert agent().delete(f"/webhooks/{subscriber}").status_code == 404
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "ftp://192.0.2.7/", "http://169.254.169.254/latest", "http://[::1]:80/", "file:///etc/passwd"],
)
def test_targets_that_cannot_be(agent: Agent, url: str) -> None:
    response = subscribe(agent, url)

    assert (response.status_code, list(response.json())) == (400, ["error"])
    assert not Subscription.objects.exists()

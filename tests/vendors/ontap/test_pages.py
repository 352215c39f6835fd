"""`GET /api/cluster/jobs`, page by page and in any order."""

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.models import JobExecution
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.ontap.conftest import JOBS, error, pages, uuids
from tests.vendors.ontap.rights import UNKNOWN

ORDERS = [
    "",
    "description",
    "description desc",
    "start_time",
    "start_time desc",
    "end_time desc,description",
    "state,code desc",
    "message",
    "svm.name",
    "node.name desc",
    "uuid desc",
    "error.code,uuid",
]


def test_pages_are_the_list_cut_in_pieces(client: APIClient, seven: list[JobExecution]) -> None:
    cut = {
        (order, size): pages(client, f"{JOBS}?max_records={size}&order_by={quote(order)}")
        for order in ORDERS
        for size in (1, 2, 3, 6, 7, 8)
    }
    whole = {order: uuids([client.get(f"{JOBS}?order_by={quote(order)}").json()]) for order in ORDERS}

    assert {key: uuids(bodies) for key, bodies in cut.items()} == {key: whole[key[0]] for key in cut}
    assert {len(set(found)) for found in whole.values()} == {7}
    assert [body["num_records"] for body in cut["", 3]] == [3, 3, 1]


def test_a_link_repeats_the_parameters_as_they_were_sent(client: APIClient, seven: list[JobExecution]) -> None:
    sent = "fields=%2A%2A&state=success%7Cqueued&max_records=1&return_records=true"
    href = client.get(f"{JOBS}?{sent}").json()["_links"]["next"]["href"]
    after = client.get(href).json()["_links"]

    assert href.startswith(f"{JOBS}?start.uuid=")
    assert href.endswith(f"&{sent}")
    assert after["self"]["href"] == href
    assert after["next"]["href"].endswith(f"&{sent}")
    assert after["next"]["href"].count("start.uuid") == 1


def test_a_link_holds_the_sort_key(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    runs = [make_execution(make_job(name)) for name in ("a&b", "c=d+e")]
    href = client.get(f"{JOBS}?max_records=1&order_by=description").json()["_links"]["next"]["href"]

    assert href == (
        f"{JOBS}?start.uuid={runs[1].uuid}&start.description=%22c%3Dd%2Be%22&max_records=1&order_by=description"
    )


@pytest.mark.parametrize("order", ["", "description", "start_time desc", "end_time", "message desc"])
def test_pages_go_on_where_a_record_has_expired(order: str, client: APIClient, seven: list[JobExecution]) -> None:
    query = f"max_records=2&order_by={quote(order)}" if order else "max_records=2"
    before = uuids([client.get(f"{JOBS}?order_by={quote(order)}" if order else JOBS).json()])
    first = client.get(f"{JOBS}?{query}").json()
    gone = JobExecution.objects.get(uuid=before[2])
    JobExecution.objects.filter(pk=gone.pk).delete()
    rest = pages(client, first["_links"]["next"]["href"])

    assert uuids(rest) == before[3:]


def test_pages_go_on_when_everything_ended_meanwhile(client: APIClient, seven: list[JobExecution]) -> None:
    first = client.get(f"{JOBS}?max_records=2&order_by=end_time%20desc").json()
    with time_machine.travel(seven[4].finished_at + timedelta(seconds=301), tick=False):  # type: ignore[operator]
        rest = pages(client, first["_links"]["next"]["href"])

    assert uuids(rest) == sorted(str(run.uuid) for run in seven[5:])


def test_a_link_that_kept_the_uuid_only_is_enough(client: APIClient, seven: list[JobExecution]) -> None:
    wanted = uuids([client.get(f"{JOBS}?order_by=description%20desc").json()])
    body = client.get(f"{JOBS}?start.uuid={wanted[3]}&order_by=description%20desc").json()

    assert uuids([body]) == wanted[3:]


def test_also_when_its_record_has_expired(client: APIClient, seven: list[JobExecution]) -> None:
    wanted = uuids([client.get(f"{JOBS}?order_by=start_time").json()])
    expired = JobExecution.objects.get(uuid=wanted[3])
    JobExecution.objects.filter(pk=expired.pk).update(finished_at=expired.finished_at - timedelta(hours=1))  # type: ignore[operator]

    assert uuids([client.get(f"{JOBS}?start.uuid={wanted[3]}&order_by=start_time").json()]) == wanted[4:]


def test_a_start_that_never_was(client: APIClient) -> None:
    assert error(client.get(f"{JOBS}?start.uuid={UNKNOWN}&order_by=state")) == (
        404,
        {"message": "entry doesn't exist", "code": "4", "target": "start.uuid"},
    )
    assert client.get(f"{JOBS}?start.uuid={UNKNOWN}").status_code == 200


@pytest.mark.parametrize(
    ("query", "code", "target"),
    [
        ("start.uuid=1", "2", "start.uuid"),
        ("start.uuid=null", "2", "start.uuid"),
        ("start.nonsense=1", "262179", None),
        ("start.state=success", "262179", None),
        ("start.state=success&order_by=state", "2", "start.uuid"),
        (f"start.end_time=yesterday&start.uuid={UNKNOWN}&order_by=end_time", "2", "start.end_time"),
    ],
)
def test_a_bad_start(query: str, code: str, target: str | None, client: APIClient) -> None:
    status, said = error(client.get(f"{JOBS}?{query}"))

    assert (status, said["code"], said.get("target")) == (400, code, target)


def test_a_page_ends_before_it_gets_too_large(
    client: APIClient, seven: list[JobExecution], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendors.ontap.parameters.LARGEST", 4)
    cut = pages(client, f"{JOBS}?max_records=4294967295")

    assert [body["num_records"] for body in cut] == [4, 3]


def test_long_texts_are_sorted_by_their_beginnings(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    for n in range(3):
        make_execution(make_job(f"j{n}"), State.FAILED, message="x" * 5000 + str(n))
    cut = pages(client, f"{JOBS}?max_records=1&order_by=message%20desc")

    assert len(set(uuids(cut))) == 3
    assert len(cut[0]["_links"]["next"]["href"]) < 400


# -- order -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "order",
    ["description desc", "description%20desc", "description+desc", "description%20DESC", "description%20%20desc"],
)
def test_a_blank_arrives_in_many_forms(order: str, client: APIClient, seven: list[JobExecution]) -> None:
    records = client.get(f"{JOBS}?order_by={order}").json()["records"]
    names = [record["description"] for record in records]

    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize("order", ["state,description%20asc", "state%20,%20description", "state%2Cdescription"])
def test_several_fields(order: str, client: APIClient, seven: list[JobExecution]) -> None:
    records = client.get(f"{JOBS}?order_by={order}").json()["records"]
    keys = [(record["state"], record["description"]) for record in records]

    assert keys == sorted(keys)


def test_what_is_not_set_comes_first_or_last(client: APIClient, seven: list[JobExecution]) -> None:
    up = [record.get("end_time") for record in client.get(f"{JOBS}?order_by=end_time").json()["records"]]
    down = [record.get("end_time") for record in client.get(f"{JOBS}?order_by=end_time%20desc").json()["records"]]

    assert (up[:2], down[-2:]) == ([None, None], [None, None])
    assert None not in (*up[2:], *down[:-2])


def test_a_field_that_is_never_set_changes_no_order(client: APIClient, three: list[str]) -> None:
    assert uuids([client.get(f"{JOBS}?order_by=error.target").json()]) == three


@pytest.mark.parametrize("order", ["nonsense", "description%20up", "description%20asc%20desc", "error", "state,x"])
def test_an_order_that_is_none(order: str, client: APIClient) -> None:
    status, said = error(client.get(f"{JOBS}?order_by={order}"))

    assert (status, said["code"], said["target"]) == (400, "262197", "order_by")


# -- what it costs -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "query", ["", "fields=**", "state=success", "description=job*", "code=0", "order_by=description", "svm.name=alpha"]
)
def test_what_ended_long_ago_is_not_looked_at(query: str, client: APIClient, three: list[str]) -> None:
    """Only what is recent is read, by the index of times; SQLite's planner has no statistics that help it."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's plan")
    with CaptureQueriesContext(connection) as asked:
        client.get(f"{JOBS}?{query}")
    sql = next(one["sql"] for one in asked if "UNION ALL" in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = [row[-1] for row in cursor.fetchall() if "jobs_jobexecution" in row[-1]]

    assert [step.partition(" (")[0] for step in plan] == ["SEARCH jobs_jobexecution USING INDEX exec_by_finished"] * 2
    assert [step.partition(" (")[2] for step in plan] == [
        "project_id=? AND finished_at=?)",
        "project_id=? AND finished_at>?)",
    ]

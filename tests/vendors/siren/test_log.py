"""`GET jobs/_search`: the log of what has ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution
from jobs.states import FINAL, State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.siren.conftest import JOBS, reason_of
from vendors.siren import log
from vendors.wire.times import epoch_millis, from_epoch_millis

LOG = f"{JOBS}/_search"
NOON = 1_538_740_800_000
Ended = Callable[..., JobExecution]


@pytest.fixture
def ended(make_job: MakeJob, make_execution: MakeExecution) -> Ended:
    """`ended("events", 5, kind=…, state=…)`: a run of that job which began 5 ms after noon."""
    jobs: dict[str, Job] = {}

    def make(name: str, millis: int = 0, *, kind: str = "ingestion", state: State = State.SUCCEEDED) -> JobExecution:
        job = jobs.get(name) or make_job(name, kind=kind, concurrency_limit=0)
        jobs[name] = job
        return make_execution(job, state, started_at=from_epoch_millis(NOON + millis))

    return make


def found(client: APIClient, **params: Any) -> list[str]:
    """The ids of the jobs, in the log's order."""
    response = client.get(LOG, params)
    assert response.status_code == 200, response.content
    hits = response.json()["hits"]
    return [status["id"] for hit in hits["hits"] for status in hit["_source"].values()]


def total(client: APIClient, **params: Any) -> int:
    count: int = client.get(LOG, params).json()["hits"]["total"]
    return count


# -- it works ----------------------------------------------------------------------------------------------------------
def test_an_empty_log(client: APIClient) -> None:
    assert client.get(LOG).json() == {"hits": {"total": 0, "hits": []}}


def test_the_last_started_comes_first(client: APIClient, ended: Ended) -> None:
    for name, millis, state in (("b", 2, State.FAILED), ("c", 3, State.ABORTED), ("a", 1, State.SUCCEEDED)):
        ended(name, millis, state=state)

    assert found(client) == ["c", "b", "a"]


def test_an_entry_is_the_status_under_its_type(client: APIClient, ended: Ended) -> None:
    execution = ended("events")
    [hit] = client.get(LOG).json()["hits"]["hits"]

    assert hit["_id"] == f"events{execution.log_uuid}"
    assert UUID(hit["_id"].removeprefix("events")).version == 1
    assert hit["_source"] == {"ingestion": client.get(f"{JOBS}/ingestion/events").json()["status"]}


def test_only_what_has_ended_is_in_it(client: APIClient, make_job: MakeJob, make_execution: MakeExecution) -> None:
    for state in State:
        make_execution(make_job(state.value), state)

    assert sorted(found(client)) == sorted(FINAL)
    assert total(client) == len(FINAL)


def test_foreign_ones_are_not_in_it(stranger: APIClient, ended: Ended) -> None:
    ended("events")

    assert found(stranger) == []


# -- the five filters --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"start_time_from": NOON}, ["d", "c", "b"]),
        ({"start_time_from": NOON + 1}, ["d", "c"]),
        ({"start_time_to": NOON}, ["b", "a"]),
        ({"start_time_to": NOON - 2}, []),
        ({"start_time_from": NOON, "start_time_to": NOON + 1}, ["c", "b"]),
        ({"start_time_from": -(2**63)}, ["d", "c", "b", "a"]),
        ({"start_time_to": 2**63 - 1}, ["d", "c", "b", "a"]),
        ({"start_time_from": 2**63 - 1}, []),
        ({"type": "ingestion"}, ["c", "a"]),
        ({"type": "export"}, []),
        ({"state": "error"}, ["b"]),
        ({"state": "running"}, []),
        ({"state": "nonsense"}, []),
        ({"id": "a"}, ["a"]),
        ({"id": "A"}, []),
        ({"id": "a", "type": "backup"}, []),
        ({"type": "backup", "state": "aborted", "id": "d", "start_time_from": NOON}, ["d"]),
        ({"type": "", "state": "", "id": "", "start_time_to": ""}, ["d", "c", "b", "a"]),
    ],
)
def test_all_filters_must_fit(client: APIClient, ended: Ended, params: dict[str, Any], names: list[str]) -> None:
    ended("a", -1)
    ended("b", 0, kind="backup", state=State.FAILED)
    ended("c", 1)
    ended("d", 2, kind="backup", state=State.ABORTED)

    assert found(client, **params) == names
    assert total(client, **params) == len(names)


def test_a_millisecond_is_found_by_itself(client: APIClient, ended: Ended) -> None:
    """A run began within it, not at its beginning."""
    JobExecution.objects.filter(pk=ended("a").pk).update(started_at=from_epoch_millis(NOON) + timedelta(microseconds=7))

    assert found(client, start_time_from=NOON, start_time_to=NOON) == ["a"]


def test_what_never_started_began_when_it_was_asked_for(
    client: APIClient, make_job: MakeJob, make_execution: MakeExecution
) -> None:
    execution = make_execution(make_job("a"), State.ABORTED)
    millis = epoch_millis(execution.queued_at)

    assert found(client, start_time_from=millis, start_time_to=millis) == ["a"]


# -- windows -----------------------------------------------------------------------------------------------------------
def test_ten_entries_unless_told_otherwise(client: APIClient, ended: Ended) -> None:
    for millis in range(12):
        ended("events", millis)
    starts = [
        [hit["_source"]["ingestion"]["start_time"] - NOON for hit in client.get(LOG, params).json()["hits"]["hits"]]
        for params in ({}, {"from": 10}, {"from": 3, "size": 2}, {"size": 0}, {"from": 12}, {"from": 10_000})
    ]

    assert starts == [[*range(11, 1, -1)], [1, 0], [8, 7], [], [], []]
    assert total(client, size=0) == 12


def test_a_window_may_be_as_large_as_elasticsearchs(client: APIClient, ended: Ended) -> None:
    ended("events")

    assert len(found(client, size=10_000)) == 1
    for params in ({"from": 1, "size": 10_000}, {"from": 10_001}):
        response = client.get(LOG, params)
        assert response.status_code == 400
        assert reason_of(response) == (
            "Result window is too large, from + size must be less than or equal to: [10000] but was [10001]."
        )


def test_the_total_is_exact_up_to_its_limit(client: APIClient, ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "COUNTED", 3)
    totals = []
    for millis in range(5):
        ended("events", millis)
        totals.append(total(client))

    assert totals == [1, 2, 3, 3, 3]


def test_it_costs_the_same_whatever_it_finds(client: APIClient, ended: Ended) -> None:
    ended("events")
    client.get(LOG, {"type": "ingestion"})
    before = queries(client)
    for millis in range(9):
        ended("events", millis)

    assert queries(client) == before <= 5


def queries(client: APIClient) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get(LOG, {"type": "ingestion"})
    return len(asked)


@pytest.mark.parametrize(
    ("params", "index"),
    [
        ({}, "exec_log"),
        ({"state": "error"}, "exec_log"),
        ({"start_time_from": NOON, "start_time_to": NOON + 5}, "exec_log"),
        ({"type": "ingestion"}, "exec_log_by_kind"),
        ({"type": "ingestion", "state": "error", "start_time_from": NOON}, "exec_log_by_kind"),
        ({"id": "events"}, "exec_log_by_name"),
        ({"id": "events", "type": "ingestion", "state": "error", "start_time_to": NOON}, "exec_log_by_name"),
    ],
)
def test_each_filter_is_read_from_an_index_in_its_order(
    client: APIClient, ended: Ended, params: dict[str, Any], index: str
) -> None:
    ended("events")
    with CaptureQueriesContext(connection) as asked:
        client.get(LOG, params)
    sql = next(one["sql"] for one in asked if "log_uuid" in one["sql"])

    assert index in plan_of(sql)
    assert connection.vendor != "sqlite" or "TEMP B-TREE" not in plan_of(sql)


def plan_of(sql: str) -> str:
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
            )
        cursor.execute(f"{explain} {sql}")
        return "\n".join(str(row) for row in cursor.fetchall())


# -- what is refused ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"start_time_to": "abc"}, "Failed to parse long parameter [start_time_to] with value [abc]"),
        ({"start_time_from": "1.5"}, "Failed to parse long parameter [start_time_from] with value [1.5]"),
        ({"start_time_from": str(2**63)}, f"Failed to parse long parameter [start_time_from] with value [{2**63}]"),
        ({"start_time_from": "9" * 5000}, f"Failed to parse long parameter [start_time_from] with value [{'9' * 100}]"),
        ({"start_time_from": "١٢"}, "Failed to parse long parameter [start_time_from] with value [١٢]"),
        ({"size": "ten"}, "Failed to parse int parameter [size] with value [ten]"),
        ({"from": str(2**31)}, f"Failed to parse int parameter [from] with value [{2**31}]"),
        ({"size": "-1"}, "[size] parameter cannot be negative, found [-1]"),
        ({"from": "-1"}, "[from] parameter cannot be negative, found [-1]"),
        ({"type": "nonsense"}, "Unknown job type [nonsense]."),
        ({"foo": "1"}, f"request [{LOG}] contains unrecognized parameter: [foo]"),
        ({"foo": "1", "bar": "2"}, f"request [{LOG}] contains unrecognized parameters: [bar], [foo]"),
    ],
)
def test_a_bad_parameter_is_named(client: APIClient, ended: Ended, params: dict[str, str], reason: str) -> None:
    response = client.get(LOG, params)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "illegal_argument_exception"
    assert reason_of(response) == reason


@pytest.mark.parametrize("name", ["id", "state", "type"])
def test_a_nul_is_no_value(client: APIClient, ended: Ended, name: str) -> None:
    assert client.get(f"{LOG}?{name}=a%00b").status_code == 400


@pytest.mark.parametrize("name", ["pretty", "human", "error_trace", "filter_path", "format"])
def test_the_common_parameters_are_taken(client: APIClient, ended: Ended, name: str) -> None:
    ended("events")

    assert found(client, **{name: "yaml"}) == ["events"]

"""The search in the body of a GET."""

from typing import Any

import pytest

from tests.vendors.freezer.conftest import STEP, Api, Scheduler
from tests.vendors.freezer.making import BACKUP
from vendors.freezer.search import CHUNK, Search, flat, page


def found(api: Api, search: Any, query: str = "limit=100") -> list[str]:
    return [one["description"] for one in api.get(f"jobs?{query}", search)["jobs"]]


@pytest.fixture
def three(api: Api, scheduler: Scheduler) -> None:
    for name in ("one", "two", "three"):
        step = {**STEP, "freezer_action": {**BACKUP, "backup_name": name}}
        api.make(description=name, job_actions=[step], session_id=f"s-{name}")


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ({"match": [{"description": "two"}]}, ["two"]),
        ({"match": [{"backup_name": "three"}]}, ["three"]),
        ({"match": [{"client_id": "shop"}, {"session_id": "s-one"}]}, ["one"]),
        ({"match": [{"client_id": "shop", "session_id": "s-one"}]}, ["one"]),
        ({"match_not": [{"description": "two"}]}, ["one", "three"]),
        ({"match_not": [{"status": "completed"}]}, ["one", "two", "three"]),
        ({"match": [{"status": ""}]}, []),
        ({"match": [{"time_ended": -1}], "match_not": [{"description": "one"}]}, ["two", "three"]),
        ({"match": [{"_all": '[{"description": "one"}]'}, {"description": "two"}]}, ["one"]),
        ({"match": [{"_all": "plain words"}]}, ["one", "two", "three"]),
        ({"match": [{"_all": "[1]"}]}, ["one", "two", "three"]),
        ({"match": [{"client_id": "shop\u0001"}]}, []),
        ({"match": [{"client_id": 5}]}, []),
        ({}, ["one", "two", "three"]),
    ],
)
def test_what_it_finds(api: Api, three: None, search: Any, names: list[str]) -> None:
    assert found(api, search) == names


def test_it_is_cut_after_it_was_searched(api: Api, three: None) -> None:
    assert found(api, {"match_not": [{"description": "one"}]}, "limit=1&offset=1") == ["three"]


@pytest.mark.parametrize(
    "search", [[1], '"x"', 5, {"match": {}}, {"match": [1]}, {"match_not": "x"}, {"match": [{"a": 1}] * 101}]
)
def test_what_is_no_search(api: Api, shop: Any, search: Any) -> None:
    assert api.get("jobs", search, 400)["title"] == "Bad request format"


@pytest.mark.parametrize(("limit", "status"), [("-1", 400), ("abc", 400), ("1.5", 400), ("9" * 30, 400), ("", 400)])
def test_what_is_no_limit(api: Api, limit: str, status: int) -> None:
    assert api.get(f"jobs?limit={limit}", None, status)["title"] == "Invalid parameter"


def test_the_last_place_of_a_name_counts() -> None:
    assert flat({"a": 1, "b": {"a": 2, "c": [{"a": 3}]}}) == {"a": 3, "b": {"a": 2, "c": [{"a": 3}]}, "c": [{"a": 3}]}


def test_it_reads_no_further_than_it_must() -> None:
    read: list[int] = []

    def shown(rows: Any) -> list[Any]:
        read.extend(rows)
        return [{"number": row % 2} for row in rows]

    rows: Any = list(range(10 * CHUNK))

    assert len(page(rows, Search((("number", 1),)), 10, 5, shown)) == 10
    assert len(read) == CHUNK

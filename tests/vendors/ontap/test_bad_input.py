"""Whatever is sent, the answer is ONTAP's error, never a 5xx, and nothing has changed."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from jobs.models import JobExecution
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.ontap.conftest import JOBS, error
from tests.vendors.ontap.rights import UNKNOWN

NAMES = ["description", "state", "code", "uuid", "start_time", "fields", "order_by", "max_records", "start.uuid"]
ODD = [
    "%00",
    "%ED%A0%80",
    "%FF%FE",
    "%",
    "%zz",
    "\u0663",
    "1" * 4000,
    "*" * 4000,
    "*a" * 1900,
    "|" * 4000,
    '"' * 4000,
    '"\\',
    "!",
    "!!",
    "!!!null",
    ">",
    ">=",
    ">>1",
    "..",
    "...",
    "a..b..c",
    "-9223372036854775809",
    "0x10",
    "1e5",
    "NaN",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00 00:00",
    "' OR 1=1 --",
    "%25s%28%29",
    "{}",
    "[[:alpha:]]",
]


@pytest.fixture
def run(make_execution: MakeExecution) -> JobExecution:
    return make_execution(state=State.FAILED, message="disk full")


def test_odd_values_of_every_parameter(client: APIClient, run: JobExecution) -> None:
    answers = {(name, odd): client.get(f"{JOBS}?{name}={odd}") for name in NAMES for odd in ODD}
    wrong = {
        case: answer.status_code
        for case, answer in answers.items()
        if answer.status_code not in (200, 400, 404) or (answer.status_code != 200 and not error(answer))
    }

    assert len(answers) > 250
    assert wrong == {}


@pytest.mark.parametrize("ref", ["%00", "%ED%A0%80", "%2F", "..", "%2e%2e", "a" * 9000, "?", "%", "\u00e9", "{uuid}"])
@pytest.mark.parametrize("method", ["get", "patch"])
def test_odd_paths(method: str, ref: str, client: APIClient) -> None:
    assert getattr(client, method)(f"{JOBS}/{ref}").status_code in (200, 400, 404)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"a": "\\ud800"}',
        b'{"\\u0000": 1}',
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b"\x00",
    ],
)
@pytest.mark.parametrize("path", [f"{JOBS}/{UNKNOWN}?action=cancel", f"{JOBS}?state=queued&action=cancel"])
def test_bodies_that_cannot_be_read(path: str, body: bytes, client: APIClient) -> None:
    status, said = error(client.generic("PATCH", path, body, content_type="application/json"))

    assert (status, said["code"]) == (400, "2")


def test_a_great_many_parameters(client: APIClient) -> None:
    assert error(client.get(f"{JOBS}?{'state=queued&' * 1001}"))[1]["code"] == "262179"
    assert error(client.get(f"{JOBS}?{'message=!a&' * 21}"))[1]["code"] == "262179"
    assert client.get(f"{JOBS}?{'message=!a|!b|c*|*d&' * 20}").status_code == 200


def test_a_great_many_alternatives(client: APIClient, run: JobExecution) -> None:
    some = f"{JOBS}?message={'|'.join(['!a', 'b*'] * 10)}"
    uuids = "|".join([UNKNOWN] * 100 + [str(run.uuid)])

    assert client.get(some).status_code == 200
    assert error(client.get(f"{some}|!x"))[1]["code"] == "2"
    assert client.get(f"{JOBS}?uuid={uuids}").json()["num_records"] == 1


def test_what_is_repeated_of_a_wrong_value_is_short(client: APIClient) -> None:
    names = [f"fields={'x' * 9000}", f"{'x' * 9000}=1", f"order_by={'x' * 9000}", f"max_records={'x' * 9000}"]

    assert max(len(client.get(f"{JOBS}?{name}").content) for name in names) < 600


def test_a_deep_body(client: APIClient, make_job: MakeJob) -> None:
    make_job("a")
    body = b'{"params": ' + b'{"a": ' * 500 + b"1" + b"}" * 501

    assert error(client.generic("POST", "/api/jobhub/jobs/a/trigger", body, content_type="application/json"))[0] == 400
    assert not JobExecution.objects.exists()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=20)), max_size=4))
def test_any_text_anywhere(pairs: list[tuple[str, str]], client: APIClient) -> None:
    query = "&".join(f"{name}={quote(text, errors='replace')}" for name, text in pairs)
    answer: Any = client.get(f"{JOBS}?{query}")

    assert answer.status_code in (200, 400, 404)

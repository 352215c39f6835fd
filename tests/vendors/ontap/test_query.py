"""Queries: `GET /api/cluster/jobs?field=value`, in all forms that a value can have."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from jobs.models import JobExecution
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.vendors.ontap.conftest import JOBS, Many, error
from vendors.ontap.jobs import JOBS as RESOURCE
from vendors.ontap.query.grammar import parse

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
UUIDS = {
    "waits": "11111111-1111-4111-8111-111111111111",
    "runs": "22222222-2222-4222-8222-222222222222",
    "rests": "33333333-3333-4333-8333-333333333333",
    "ends": "44444444-4444-4444-8444-444444444444",
    "breaks": "55555555-5555-4555-8555-555555555555",
    "stops": "66666666-6666-4666-8666-666666666666",
}


@pytest.fixture
def six(make_job: MakeJob, make_execution: MakeExecution) -> dict[str, JobExecution]:
    """A job of each state but `aborting`, started an hour apart."""
    states = dict(zip(UUIDS, [state for state in State if state is not State.ABORTING], strict=True))
    runs = {name: make_execution(make_job(name), state, uuid=UUIDS[name]) for name, state in states.items()}
    for hours, name in enumerate(UUIDS):
        if states[name] is not State.QUEUED:
            rows = JobExecution.objects.filter(pk=runs[name].pk)
            rows.update(started_at=AT + timedelta(hours=hours, microseconds=250_000))
    JobExecution.objects.filter(job_name="ends").update(message='100% "done" [a*b] \\ c_d')
    JobExecution.objects.filter(job_name="breaks").update(message="disk full", exit_code=3)
    JobExecution.objects.filter(job_name="stops").update(node="")
    return runs


NAMES = sorted(UUIDS)
ENDED = ["breaks", "ends", "stops"]
CASES = {
    # equal, or, not
    "state=running": ["runs"],
    "state=RUNNING": ["runs"],
    "state=success%7Cfailure": ENDED,
    "state=success|failure": ENDED,
    "state=success,failure": ENDED,
    "state=!running": [name for name in NAMES if name != "runs"],
    "state=!running|running": NAMES,
    "state=*": NAMES,
    "state=*u*e*": ["breaks", "ends", "rests", "stops", "waits"],
    "state=s*": ["ends"],
    "state=>queued": ["ends", "runs"],
    "state=paused..queued": ["rests", "waits"],
    "state=null": [],
    "state=!null": NAMES,
    "description=runs": ["runs"],
    "description=RUNS": [],
    "description=runs|rests|nothing": ["rests", "runs"],
    "description=runs,rests": [],
    "description=!runs": [name for name in NAMES if name != "runs"],
    "description=": [],
    # wildcards
    "description=*": NAMES,
    "description=r*": ["rests", "runs"],
    "description=*ts": ["rests", "waits"],
    "description=R*": [],
    "description=*s": NAMES,
    "description=r*s*s": ["rests"],
    "description=**u**": ["runs"],
    "description=r*|!*s": ["rests", "runs"],
    "description=!r*": ["breaks", "ends", "stops", "waits"],
    "description=%2Atop%2A": ["stops"],
    "message=*%25*": ["ends"],
    "message=*[a*": ["ends"],
    "message=*_d": ["ends"],
    "message=*%3F*": [],
    "message=disk+full": ["breaks"],
    "message=disk%20*": ["breaks"],
    # quotes
    'description="runs"': ["runs"],
    'description="r*"': [],
    'description="runs|rests"': [],
    'description="runs"|"rests"': ["rests", "runs"],
    'description="!runs"': [],
    'message=*"*b]"*': ["ends"],
    'message=*"\\"done\\""*': ["ends"],
    'message="100% \\"done\\" [a*b] \\\\ c_d"': ["ends"],
    'message=*"': [],
    'message="null"': [],
    # numbers
    "code=0": ["ends", "rests", "runs", "waits"],
    "code=>0": ["breaks", "stops"],
    "code=>=459753": ["breaks"],
    "code=<459753": ["ends", "rests", "runs", "stops", "waits"],
    "code=<=0": ["ends", "rests", "runs", "waits"],
    "code=%3C1": ["ends", "rests", "runs", "waits"],
    "code=!0": ["breaks", "stops"],
    "code=!>0": ["ends", "rests", "runs", "waits"],
    "code=1..459752": ["stops"],
    "code=1..": ["breaks", "stops"],
    "code=..0": ["ends", "rests", "runs", "waits"],
    "code=..": NAMES,
    "code=*": NAMES,
    "code=null": [],
    "code=+0": ["ends", "rests", "runs", "waits"],
    "code=-0": ["ends", "rests", "runs", "waits"],
    "code=99999999999999999999999": [],
    "code=<99999999999999999999999": NAMES,
    "code=>-99999999999999999999999": NAMES,
    # set or not
    "end_time=null": ["rests", "runs", "waits"],
    "end_time=!null": ENDED,
    "end_time=*": ENDED,
    "end_time=!*": [],
    "start_time=null": ["waits"],
    "message=null": ["waits"],
    "message=!success": ["breaks", "ends", "rests", "runs", "stops"],
    "error.code=null": ["ends", "rests", "runs", "waits"],
    "error.message=!null": ["breaks", "stops"],
    "error.target=null": NAMES,
    "error.target=!null": [],
    "error.target=x": [],
    "node.name=null": ["stops", "waits"],
    # times: whole seconds, as they are shown
    "start_time=2026-11-22T09:00:00Z": ["runs"],
    "start_time=2026-11-22T09:00:00%2B00:00": ["runs"],
    "start_time=2026-11-22T09:00:00+00:00": ["runs"],
    "start_time=2026-11-22T04:00:00-05:00": ["runs"],
    "start_time=2026-11-22T09:00:00.25Z": [],
    "start_time=!2026-11-22T09:00:00Z": ["breaks", "ends", "rests", "stops"],
    "start_time=>2026-11-22T09:00:00Z": ["breaks", "ends", "rests", "stops"],
    "start_time=>=2026-11-22T09:00:00Z": ["breaks", "ends", "rests", "runs", "stops"],
    "start_time=>=2026-11-22T09:00:00.1Z": ["breaks", "ends", "rests", "stops"],
    "start_time=<2026-11-22T10:00:00Z": ["runs"],
    "start_time=<=2026-11-22T10:00:00Z": ["rests", "runs"],
    "start_time=<2026-11-22T10:00:00.5Z": ["rests", "runs"],
    "start_time=2026-11-22T09:00:00Z..2026-11-22T10:00:00Z": ["rests", "runs"],
    "start_time=2026-11-22T12:00:00+00:00..": ["breaks", "stops"],
    # uuids
    f"uuid={UUIDS['runs']}": ["runs"],
    f"uuid={UUIDS['runs']}|{UUIDS['ends']}": ["ends", "runs"],
    f"uuid={UUIDS['runs']},{UUIDS['ends']}": ["ends", "runs"],
    f"uuid=!{UUIDS['runs']}": [name for name in NAMES if name != "runs"],
    f"uuid=>={UUIDS['breaks']}": ["breaks", "stops"],
    "uuid=2222*": ["runs"],
    "uuid=*-4444-*": ["ends"],
    "uuid=*": NAMES,
    # parts of members
    "error.code=459753": ["breaks"],
    "error.code=4*": ["breaks", "stops"],
    "error.message=disk*": ["breaks"],
    "error.arguments.code=exit_status": ["breaks"],
    "error.arguments.message=3": ["breaks"],
    "error.arguments.message=null": [name for name in NAMES if name != "breaks"],
    "node.name=node-1": ["breaks", "ends", "rests", "runs"],
    "svm.name=alpha": NAMES,
    "svm.name=al*a|beta": NAMES,
    # several: and
    "state=success|failure&code=0": ["ends"],
    "code=>0&code=<459753": ["stops"],
    "state=running&description=*&end_time=null": ["runs"],
    "description=r*&description=*ts": ["rests"],
}  # fmt: skip


def test_what_each_query_finds(six: dict[str, JobExecution], found: Many) -> None:
    assert len(CASES) > 100
    assert {query: found(query) for query in CASES} == {query: sorted(names) for query, names in CASES.items()}


def test_every_field_has_a_case() -> None:
    asked = {query.partition("=")[0] for query in CASES}

    assert {field.name for field in RESOURCE.fields} - asked == {"svm.uuid"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "cancelled"),
        ("state", ""),
        ("state", "success|explode"),
        ("code", "four"),
        ("code", "4.0"),
        ("code", ""),
        ("code", "1*"),
        ("code", ">"),
        ("code", "9" * 200),
        ("uuid", "1"),
        ("uuid", "b5145e1d-b53b-11e8-8252"),
        ("uuid", ""),
        ("svm.uuid", "alpha"),
        ("start_time", "yesterday"),
        ("start_time", "2026-11-22"),
        ("start_time", "2026-11-22T09:00:00"),
        ("start_time", "2026-13-22T09:00:00Z"),
        ("start_time", ">9999-12-31T23:59:59Z"),
        ("start_time", "2026*"),
        ("end_time", "2026-11-22T09:00:00Z..soon"),
        ("description", "x" * 4001),
        ("state", "x" * 4001),
    ],
)
def test_a_value_that_cannot_be(field: str, value: str, client: APIClient) -> None:
    status, said = error(client.get(f"{JOBS}?{field}={quote(value)}"))

    assert (status, said["code"], said["target"]) == (400, "2", field)
    assert said["message"].startswith(f'"{value[:200]}')


def test_what_is_wanted_instead_is_said(client: APIClient) -> None:
    said = error(client.get(f"{JOBS}?state=explode"))[1]

    assert said == {
        "message": '"explode" is an invalid value for field "state" (<queued|running|paused|success|failure>)',
        "code": "2",
        "target": "state",
    }


@pytest.mark.parametrize("state", State)
def test_what_is_shown_is_what_is_found(state: State, client: APIClient, make_execution: MakeExecution) -> None:
    run = make_execution(state=state)
    shown = client.get(f"{JOBS}/{run.uuid}").json()
    error_shown = shown.get("error", {})
    said = {name: shown.get(name) for name in ("state", "message", "code", "start_time", "end_time")}
    said |= {"error.code": error_shown.get("code"), "error.message": error_shown.get("message")}
    counts = {name: client.get(f"{JOBS}?{name}={_sent(value)}").json()["num_records"] for name, value in said.items()}

    assert counts == dict.fromkeys(said, 1)


def _sent(value: object) -> str:
    return "null" if value is None else quote(str(value))


@given(st.text(max_size=40))
def test_any_text_can_be_a_value(text: str) -> None:
    assert parse(text)


@given(st.text(alphabet=st.characters(exclude_characters='"\\'), max_size=40))
def test_quotes_keep_any_text_as_it_is(text: str) -> None:
    (alternative,) = parse(f'"{text}"')

    assert (alternative.test.text, alternative.is_negated) == (text, False)  # type: ignore[union-attr]

"""What every face refuses: in its own words, with its own statuses, and without a page or a change."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution, User
from jobs.states import State
from tests.conftest import ClientOf, MakeExecution
from tests.vendors.contract.conftest import ask
from tests.vendors.contract.speaker import Speaker
from vendors.wire.problems import Kind
from vendors.wire.vendor import Vendor

BROKEN = ["{", '{"a": 1', "[1, 2", "nonsense", '{"a": NaN}', '"\\ud800"', "[" * 5000, "\x00"]


def is_refused(face: Vendor, response: Any, kind: Kind) -> bool:
    """As the face's table says, and as the vendor's kind of text: never a page."""
    row = face.errors[kind]
    told = response.headers.get("Content-Type", "").split(";")[0]
    assert response.status_code == row.status, response.content
    assert told in (face.error_type.split(";")[0], "") or not response.content
    return True


def test_an_unknown_one(face: Vendor, speaker: Speaker, api: APIClient) -> None:
    assert is_refused(face, api.get(speaker.unknown), Kind.NOT_FOUND)


def test_a_foreign_one_as_an_unknown_one(
    face: Vendor,
    speaker: Speaker,
    client_of: ClientOf,
    charlie: User,
    a_job: Job,
    make_execution: MakeExecution,
) -> None:
    path = speaker.one(make_execution(a_job, State.SUCCEEDED))

    assert is_refused(face, client_of(charlie).get(path), speaker.foreign)


def test_an_unknown_path(face: Vendor, speaker: Speaker, api: APIClient) -> None:
    assert speaker.no_route
    assert all(is_refused(face, api.get(path), Kind.NO_ROUTE) for path in speaker.no_route)


def test_a_method_that_is_none_of_a_paths(face: Vendor, speaker: Speaker, api: APIClient) -> None:
    response = ask(api, speaker.wrong_method)

    assert is_refused(face, response, Kind.METHOD)
    assert response.headers["Allow"]


@pytest.mark.parametrize("credentials", [{}, {"Authorization": "Bearer 0000000000000000.wrong"}])
def test_nobody(face: Vendor, speaker: Speaker, a_job: Job, credentials: dict[str, str]) -> None:
    response = APIClient().get(speaker.all(), headers=credentials)

    assert is_refused(face, response, Kind.UNAUTHENTICATED)
    assert json.loads(response.content)


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_body(face: Vendor, speaker: Speaker, api: APIClient, a_job: Job, text: str) -> None:
    call = speaker.malformed
    if call is None:
        pytest.skip("it takes no bodies")
    before = _everything()
    response = getattr(api, call.method)(call.path, text, content_type="application/json")

    assert is_refused(face, response, Kind.MALFORMED)
    assert _everything() == before


def test_a_reader_who_aborts(
    face: Vendor,
    speaker: Speaker,
    client_of: ClientOf,
    rita: User,
    a_job: Job,
    make_execution: MakeExecution,
) -> None:
    if speaker.abort is None:
        pytest.skip("it aborts nothing")
    execution = make_execution(a_job, State.QUEUED)
    response = ask(client_of(rita), speaker.abort(execution))
    execution.refresh_from_db()

    assert is_refused(face, response, Kind.FORBIDDEN)
    assert execution.state == State.QUEUED


@pytest.mark.parametrize("query", ["\x00", "%00=%00", "a=%FF%FE", "x" * 5000, "=&=&&", "%ED%A0%80=1"])
def test_odd_queries_are_no_mistakes_of_ours(speaker: Speaker, api: APIClient, query: str) -> None:
    assert api.get(f"{speaker.all().partition('?')[0]}?{query}").status_code < 500


def _everything() -> tuple[int, int]:
    return Job.objects.count(), JobExecution.objects.count()

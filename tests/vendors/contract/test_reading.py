"""What every face shows: one execution in each state, and lists that cost the same whatever their length."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.models import Job
from jobs.states import State
from tests.conftest import MakeExecution
from tests.vendors.contract.speaker import Speaker
from vendors import registry
from vendors.wire.vendor import Vendor

BUDGET = 12
"""Queries of one list, rights included."""


def test_a_word_for_every_state_leads_back_to_it(face: Vendor) -> None:
    words = face.states

    assert set(words.words) == set(State)
    assert all(state in words.back[words.words[state]] for state in State)


@pytest.mark.parametrize("state", State)
def test_it_shows_an_execution_in_its_state(
    face: Vendor, speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution, state: State
) -> None:
    execution = make_execution(a_job, state)
    response = api.get(speaker.one(execution))
    body = response.json()

    assert (response.status_code, speaker.word_in(body)) == (200, face.states.words[state])
    assert speaker.id_in(body) == speaker.id_of(execution)


def test_times_are_written_as_the_vendor_does(
    speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution
) -> None:
    times = speaker.times_in(api.get(speaker.one(make_execution(a_job, State.SUCCEEDED))).json())

    assert times
    assert [time for time in times if not speaker.is_time(time)] == []


def test_the_list_shows_what_there_is(
    speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution
) -> None:
    execution = make_execution(a_job, next(iter(speaker.listed & {State.SUCCEEDED, State.RUNNING})))
    response = api.get(speaker.all())

    assert response.status_code == 200
    assert speaker.id_of(execution) in speaker.ids_in(response.json())


def test_a_list_costs_the_same_whatever_its_length(
    speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution
) -> None:
    state = next(iter(speaker.listed & {State.SUCCEEDED, State.RUNNING}))
    make_execution(a_job, state)
    api.get(speaker.all())
    first = _queries(api, speaker.all())
    for _ in range(7):
        make_execution(a_job, state)

    assert _queries(api, speaker.all()) == first <= BUDGET


def _queries(api: APIClient, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert api.get(path).status_code == 200
    return len(asked)


def test_a_browser_gets_a_page(speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution) -> None:
    page = api.get(speaker.one(make_execution(a_job, State.SUCCEEDED)), headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")


def test_the_same_bytes_below_its_own_mount(
    face: Vendor, speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution
) -> None:
    path = speaker.one(make_execution(a_job, State.SUCCEEDED))
    mounts = [mount for mount in face.mounts if mount and not path.startswith(f"/{mount}")]
    answers = [api.get(f"/{mount}{path.lstrip('/')}") for mount in mounts]

    assert [answer.status_code for answer in answers] == [200] * len(mounts)
    assert all(speaker.id_in(answer.json()) == speaker.id_in(api.get(path).json()) for answer in answers)


def test_every_face_says_how_it_sees_it(
    face: Vendor, speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution
) -> None:
    execution = make_execution(a_job, State.SUCCEEDED)
    seen = {vendor.name: one for vendor, one in registry.seen_by_all(execution)}[face.name]

    assert seen.id == speaker.id_of(execution)
    assert speaker.id_in(_as_sent(face, seen.body)) == speaker.id_of(execution)


def _as_sent(face: Vendor, body: Any) -> Any:
    return json.loads(face.json(body))

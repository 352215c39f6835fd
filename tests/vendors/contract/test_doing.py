"""What every face does: start, follow to the end, abort in each state; seen by all the others."""

import pytest
from rest_framework.test import APIClient

from jobs.models import Job, JobExecution
from jobs.states import State
from tests.conftest import MakeExecution
from tests.vendors.contract.conftest import ask
from tests.vendors.contract.speaker import Speaker
from vendors.wire.vendor import Vendor


def test_a_trigger_makes_an_execution_that_is_there_at_once(
    face: Vendor, speaker: Speaker, api: APIClient, a_job: Job
) -> None:
    if speaker.trigger is None:
        pytest.skip("it starts nothing")
    response = ask(api, speaker.trigger(a_job))
    execution = JobExecution.objects.get()

    assert response.status_code == speaker.triggered, response.content
    assert (execution.job_id, execution.requested_by, execution.requested_face) == (a_job.pk, "alice", face.name)
    assert speaker.word_in(api.get(speaker.one(execution)).json()) == face.states.words[State.QUEUED]


def test_it_is_followed_to_its_end(
    face: Vendor, speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution
) -> None:
    execution = make_execution(a_job, State.RUNNING)
    while_it_runs = speaker.word_in(api.get(speaker.one(execution)).json())
    execution.move(State.FAILED, message="it broke", errors=["it broke"])
    at_its_end = speaker.word_in(api.get(speaker.one(execution)).json())

    assert (while_it_runs, at_its_end) == (face.states.words[State.RUNNING], face.states.words[State.FAILED])


@pytest.mark.parametrize(
    ("state", "then"),
    [
        (State.QUEUED, State.ABORTED),
        (State.PAUSED, State.ABORTED),
        (State.RUNNING, State.ABORTING),
        (State.ABORTING, State.ABORTING),
    ],
)
def test_an_abort(
    speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution, state: State, then: State
) -> None:
    if speaker.abort is None:
        pytest.skip("it aborts nothing")
    execution = make_execution(a_job, state)
    response = ask(api, speaker.abort(execution))
    execution.refresh_from_db()

    assert (response.status_code, execution.state) == (speaker.aborted, then), response.content


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.ABORTED])
def test_an_abort_that_comes_too_late(
    speaker: Speaker, api: APIClient, a_job: Job, make_execution: MakeExecution, state: State
) -> None:
    if speaker.abort is None:
        pytest.skip("it aborts nothing")
    execution = make_execution(a_job, state)
    response = ask(api, speaker.abort(execution))
    execution.refresh_from_db()

    assert (response.status_code, execution.state) == (speaker.abort_of_ended, state), response.content

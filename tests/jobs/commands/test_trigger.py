"""`manage.py trigger`: starts jobs, and its exit code tells how they ended."""

from typing import Any

import pytest

from jobs.models import JobExecution
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.commands.conftest import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`ending("failed")`: whoever waits for an execution finds it ended so."""

    def end(state: str) -> None:
        def move(_: float) -> None:
            execution = JobExecution.objects.latest("pk")
            if not execution.is_final:
                execution.move(
                    State.RUNNING, attempt=1, lease_until=execution.queued_at, started_at=execution.queued_at
                )
                execution.output.create(seq=1, stream="stdout", text="what it said\n")
                moves = [State.ABORTING, State.ABORTED] if state == "aborted" else [State(state)]
                for to in moves:
                    execution.move(to)

        monkeypatch.setattr("jobs.management.follow.time.sleep", move)

    return end


def test_it_prints_the_handle_of_a_queued_execution(run: Run, make_job: MakeJob) -> None:
    make_job("nightly")

    done = run("trigger", "nightly", "--param", "table=users", "--priority", "7")

    execution = JobExecution.objects.get()
    assert done.lines == [execution.handle]
    assert (execution.params, execution.priority) == ({"table": "users"}, 7)


def test_it_tells_json_as_the_api_does(run: Run, make_job: MakeJob) -> None:
    make_job("nightly")

    found = run("trigger", "nightly", "--json", "--params", '{"n": 3}').json

    assert (found["job"], found["state"], found["waiting_for"][0]["kind"]) == ("nightly", "queued", "worker")


def test_it_waits_for_others(run: Run, make_job: MakeJob, make_execution: MakeExecution) -> None:
    make_job("report")
    first = make_execution()

    run("trigger", "report", "--after", str(first.pk), "--on", "end")

    assert JobExecution.objects.latest("pk").dependencies.get().after == first


def test_the_same_idempotency_key_starts_once(run: Run, make_job: MakeJob) -> None:
    make_job("nightly")

    first, second = (run("trigger", "nightly", "--idempotency-key", "k") for _ in range(2))

    assert first.out == second.out
    assert "before" in second.err


@pytest.mark.parametrize(("state", "code"), [("succeeded", 0), ("failed", 1), ("aborted", 3)])
def test_waiting_ends_with_the_outcome(run: Run, make_job: MakeJob, ending: Any, state: str, code: int) -> None:
    make_job("nightly")
    ending(state)

    done = run("trigger", "nightly", "--wait")

    assert done.code == code
    assert f": {state}" in done.err.splitlines()[-1]


def test_following_prints_the_output(run: Run, make_job: MakeJob, ending: Any) -> None:
    make_job("nightly")
    ending("succeeded")

    assert run("trigger", "nightly", "--follow").out == "what it said\n"


def test_waiting_ends_when_the_time_is_over(run: Run, make_job: MakeJob) -> None:
    make_job("nightly")

    assert run("trigger", "nightly", "--wait", "--timeout", "0").code == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "there is no job 'nothing'"),
        (["nightly", "--project", "nowhere"], "there is no project 'nowhere'; known: alpha"),
        (["nightly", "--after", "77"], "there is no execution '77'"),
    ],
)
def test_an_unknown_name_is_refused(run: Run, make_job: MakeJob, words: list[str], said: str) -> None:
    make_job("nightly")

    done = run("trigger", *words)

    assert (done.code, done.err) == (2, said)
    assert not JobExecution.objects.exists()


def test_a_held_job_is_refused_with_the_reason(run: Run, make_job: MakeJob) -> None:
    make_job("nightly")
    run("job", "hold", "nightly", "--reason", "disk is full")

    done = run("trigger", "nightly")

    assert done.code == 2
    assert "disk is full" in done.err


@pytest.mark.parametrize("words", [["--param", "x"], ["--params", "[1]"], ["--params", "{"], ["--at", "soon"]])
def test_a_bad_option_says_what_was_wanted(run: Run, make_job: MakeJob, words: list[str]) -> None:
    make_job("nightly")

    assert "wanted" in run("trigger", "nightly", *words).err

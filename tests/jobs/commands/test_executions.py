"""`manage.py executions`, `execution`, `abort`, `log` and `expire`."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.engine.execution_shape import fresh_json
from jobs.models import Job, JobExecution
from jobs.states import State
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.commands.conftest import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def nightly(make_job: MakeJob) -> Job:
    return make_job("nightly")


# -- executions --------------------------------------------------------------------------------------------------------
def test_the_newest_comes_first(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    made = [make_execution(nightly).pk for _ in range(3)]

    assert [row["id"] for row in run("executions", "--json", "--limit", "2").json] == made[:0:-1]


@pytest.mark.parametrize(
    ("words", "n"),
    [(["--state", "active"], 2), (["--state", "failed"], 1), (["--job", "nightly"], 2), (["--kind", "backup"], 0)],
)
def test_filters_choose(run: Run, nightly: Job, make_execution: MakeExecution, words: list[str], n: int) -> None:
    make_execution(nightly)
    make_execution(nightly, "failed")
    make_execution()

    assert len(run("executions", "--json", *words).json) == n


def test_a_queued_one_says_what_it_waits_for(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    make_execution(nightly)

    assert "waits for a worker: none is running" in run("executions").lines[1]


def test_a_message_cannot_play_with_the_terminal(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    make_execution(nightly, "failed", message="\x1b[2J\nboo")

    assert run("executions").lines[1].endswith("\\x1b[2J\\nboo")


def test_no_executions_is_said_on_standard_error(run: Run) -> None:
    done = run("executions")

    assert (done.out, done.err) == ("", "no executions\n")


def test_json_names_everything_as_the_rest_api_does(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(nightly, "failed", is_kept=True, expires_at=timezone.now())

    shown = run("executions", "--json").json[0]

    assert list(shown) == list(fresh_json(execution))
    assert (shown["progress"], shown["expires_at"], shown["is_kept"], shown["retry_of"]) == (None, None, True, None)


# -- execution ---------------------------------------------------------------------------------------------------------
def test_show_tells_everything(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(nightly, "failed", exit_code=4, errors=["no disk"])

    found = run("execution", "show", execution.handle).json[0]

    assert (found["uuid"], found["exit_code"], found["errors"]) == (str(execution.uuid), 4, ["no disk"])


def test_retry_makes_another(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    old = make_execution(nightly, "failed")

    done = run("execution", "retry", str(old.pk))

    new = JobExecution.objects.latest("pk")
    assert new.retry_of == old
    assert new.handle in done.out


def test_retry_makes_another_of_all_that_failed_since(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    make_execution(nightly, "failed", finished_at=timezone.now() - timedelta(days=1))
    failed = make_execution(nightly, "failed")
    dry = run("execution", "retry", "--failed-since", "1h", "--job", "nightly", "--dry-run")

    run("execution", "retry", "--failed-since", "1h", "--from", "failed")

    assert dry.lines == [f"{failed.handle}: would run again"]
    assert [one.retry_of for one in JobExecution.objects.filter(retry_of__isnull=False)] == [failed]
    assert run("execution", "retry", "--failed-since", "1h").err == "nothing to retry\n"


def test_retry_tells_in_json_which_is_the_retry_of_which(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    failed = make_execution(nightly, "failed")
    words = ["execution", "retry", "--failed-since", "1h", "--json"]
    dry, done = run(*words, "--dry-run").json, run(*words).json

    again = JobExecution.objects.get(retry_of=failed)
    assert dry == {"matched": 1, "retried": [{"execution": failed.pk, "retried_as": None}], "refused": []}
    assert done["retried"] == [{"execution": failed.pk, "retried_as": again.pk}]


def test_retry_tells_each_refusal(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    failed = make_execution(nightly, "failed")
    run("job", "hold", "nightly", "--reason", "move")
    done = run("execution", "retry", "--failed-since", "1h")

    assert (done.code, done.err) == (2, "1 of 1 refused")
    assert done.lines == [f"{failed.handle}: refused: the job 'nightly' is on hold: move"]


@pytest.mark.parametrize("words", [[], ["1", "--failed-since", "1h"], ["1", "--job", "nightly"], ["--job", "nightly"]])
def test_retry_wants_names_or_a_time(run: Run, words: list[str]) -> None:
    assert "not both" in run("execution", "retry", *words).err


def test_resume_queues_a_paused_one(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(nightly, "paused")

    run("execution", "resume", str(execution.pk))

    execution.refresh_from_db()
    assert execution.state == State.QUEUED


def test_pause_is_refused_for_a_queued_one(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    done = run("execution", "pause", str(make_execution(nightly).pk))

    assert done.code == 2
    assert "not running; hold its job" in done.err


def test_keep_and_unkeep_say_how_long_it_stays(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    pk = make_execution(nightly, "succeeded").pk
    said = []
    for deed in ("keep", "unkeep"):
        done = run("execution", deed, str(pk))
        said.append((done.out.strip().split(": ")[-1], JobExecution.objects.get(pk=pk).is_kept))

    assert said == [("kept for ever", True), ("kept as its job's rule says", False)]


def test_expire_tells_what_a_dry_run_would_free(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    for _ in range(11):
        make_execution(nightly, "succeeded", expires_at=timezone.now() - timedelta(days=1))
    done = run("expire", "--dry-run")

    assert done.lines[0] == "would delete 1 executions and the output of 0"
    assert [line.split()[:3] for line in done.lines[1:]] == [
        ["JOB", "STATE", "EXECUTIONS"],
        ["nightly", "succeeded", "1"],
        ["all", "1", "-"],
    ]


def test_delete_forgets_an_ended_one(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    assert run("execution", "delete", str(make_execution(nightly, "succeeded").pk)).code == 0
    assert not JobExecution.objects.exists()


# -- abort -------------------------------------------------------------------------------------------------------------
def test_abort_ends_what_is_named(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    queued, running = make_execution(nightly), make_execution(nightly, "running")

    done = run("abort", str(queued.uuid), running.handle)

    assert done.lines == [f"{queued.handle}: aborted", f"{running.handle}: aborting"]


def test_abort_by_filter_leaves_the_others(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    make_execution(nightly)
    other = make_execution()

    run("abort", "--job", "nightly", "--state", "queued")

    assert list(JobExecution.objects.active()) == [other]


def test_that_nothing_is_active_is_said(run: Run) -> None:
    done = run("abort", "--job", "nightly")

    assert (done.code, done.err, run("abort", "--job", "nightly", "--json").json) == (0, "nothing to abort\n", [])


def test_a_dry_run_aborts_nothing(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(nightly)

    done = run("abort", "--job", "nightly", "--dry-run")

    assert done.lines == [f"{execution.handle}: queued"]
    assert JobExecution.objects.active().exists()


def test_abort_of_an_ended_one_is_refused(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    done = run("abort", str(make_execution(nightly, "failed").pk), "--json")

    assert done.code == 2
    assert "has already failed" in done.json[0]["refused"]


@pytest.mark.parametrize("words", [[], ["1", "--state", "queued"]])
def test_abort_wants_names_or_filters(run: Run, words: list[str]) -> None:
    assert run("abort", *words).code == 2


# -- log ---------------------------------------------------------------------------------------------------------------
def test_log_prints_the_output_as_it_is(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(nightly, "failed")
    for seq, text in ((1, "be"), (2, "gin\n"), (9, "end\n")):
        execution.output.create(seq=seq, stream="stdout", text=text)

    assert run("log", str(execution.pk)).out == "begin\n[output that was not kept]\nend\n"


def test_log_as_json_is_a_line_a_piece(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(nightly, "succeeded", output_dropped=5)
    execution.output.create(seq=1, stream="stderr", text="oh\n")

    done = run("log", str(execution.pk), "--json")

    assert (done.json["stream"], done.json["text"]) == ("stderr", "oh\n")
    assert "5 bytes" in done.err


def test_following_an_ended_one_ends_with_its_outcome(run: Run, nightly: Job, make_execution: MakeExecution) -> None:
    execution = make_execution(nightly, "failed", message="exit code 4")

    done = run("log", str(execution.pk), "--follow")

    assert done.code == 1
    assert "exit code 4" in done.err


def test_log_of_an_unknown_one_is_refused(run: Run) -> None:
    assert run("log", "77").err == "there is no execution '77'"


# -- expire ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("words", "n_left"), [(["--dry-run"], 12), ([], 10)])
def test_expire_deletes_what_is_over(
    run: Run, nightly: Job, make_execution: MakeExecution, words: list[str], n_left: int
) -> None:
    long_ago = timezone.now() - timedelta(days=1)
    for _ in range(12):
        make_execution(nightly, "succeeded", expires_at=long_ago)

    found = run("expire", "--json", *words).json

    told = [(one["job"], one["state"], one["executions"]) for one in found["by_job"]]
    assert (found["executions"], told) == (2, [("nightly", "succeeded", 2)])
    assert JobExecution.objects.count() == n_left

"""An attempt from its claim to its end: steps, failures, reports."""

from typing import Any

import pytest

from jobs.engine.rights import operator
from jobs.engine.trigger import trigger
from jobs.errors import RunFailed, Stopped
from jobs.models import ActionExecution, JobExecution
from jobs.runners.base import Result
from jobs.runners.context import Context, Stop
from jobs.states import State
from jobs.worker.drain import drain
from jobs.worker.execute import MAX_ERROR_CHARS
from tests.conftest import MakeJob
from tests.jobs import puppets
from tests.jobs.conftest import Action, Again, Run
from tests.jobs.puppets import Fails, fail, output_of

pytestmark = pytest.mark.django_db


def warn(context: Context) -> None:
    context.warn("careful")


def state_after(execution: JobExecution) -> str:
    drain()
    execution.refresh_from_db()
    return execution.state


def steps_of(execution: JobExecution) -> list[str]:
    return list(execution.steps.values_list("state", flat=True))


# -- it works --------------------------------------------------------------------------------------------------
def test_a_run_that_ends_well_succeeds(run: Run, action: Action) -> None:
    execution = run(action(lambda context: Result(message="done", exit_code=0)))
    assert (execution.state, execution.message, execution.exit_code) == (State.SUCCEEDED, "done", 0)


def test_a_run_tells_its_progress_records_and_last_id(run: Run, action: Action) -> None:
    def work(context: Context) -> Result:
        context.progress(3, 4, "files")
        return Result(records=12, last_id="k9")

    execution = run(action(work))
    told = (execution.progress_done, execution.progress_total, execution.progress_unit)
    assert (told, execution.records, execution.last_id) == ((3, 4, "files"), 12, "k9")


def test_a_run_tells_what_it_read_and_dropped(run: Run, action: Action) -> None:
    def work(context: Context) -> Result:
        context.report(n_dropped=3, volume_bytes=2**70)
        return Result()

    execution = run(action(work))
    assert (execution.n_dropped, execution.volume_bytes) == (3, 2**63 - 1)


def test_a_warning_is_counted_and_its_text_is_in_the_output(run: Run, action: Action) -> None:
    execution = run(action(warn), action(warn))
    assert (execution.state, execution.n_warnings, output_of(execution).count("careful")) == (State.SUCCEEDED, 2, 2)


def test_the_steps_run_in_their_order(run: Run, action: Action) -> None:
    seen: list[str] = []
    run(*[action(lambda context, name=name: seen.append(name)) for name in "abc"])
    assert seen == ["a", "b", "c"]


def test_a_runner_knows_which_action_it_does(run: Run, action: Action, make_job: MakeJob) -> None:
    seen: list[str] = []
    run(action(lambda context: seen.append(context.info.action), key="first"))
    assert seen == ["first"]


def test_the_timeline_has_a_line_for_each_step(run: Run, action: Action) -> None:
    execution = run(action(), action(fail), action())
    lines = execution.steps.values_list("position", "state", "message", "exit_code")
    assert list(lines) == [(0, State.SUCCEEDED, "", None), (1, State.FAILED, "it broke", 7)]


def test_a_run_gets_the_params_of_its_trigger(run: Run, action: Action, make_job: MakeJob, quiet: None) -> None:
    seen: list[Any] = []
    job = make_job(actions=[action(lambda context: seen.append(dict(context.params)))], params={"a": 1, "b": 2})
    trigger(job, actor=operator("test"), params={"b": 3})
    drain()
    assert seen == [{"a": 1, "b": 3}]


def test_a_job_remembers_its_cursor_for_the_next_run(run: Run, action: Action, make_job: MakeJob, quiet: None) -> None:
    seen: list[Any] = []

    def work(context: Context) -> None:
        seen.append(context.cursor)
        context.save_cursor({"row": len(seen)})

    job = make_job(actions=[action(work)])
    for _ in range(3):
        trigger(job, actor=operator("test"))
        drain()
    assert seen == [None, {"row": 1}, {"row": 2}]


# -- failures --------------------------------------------------------------------------------------------------
def test_a_failure_has_its_causes_outermost_first(run: Run, action: Action) -> None:
    execution = run(action(fail))
    assert (execution.errors, execution.exit_code) == (["it broke", "because", "of this"], 7)


def test_an_exception_is_told_with_the_chain_of_its_causes(run: Run, action: Action) -> None:
    def work(context: Context) -> None:
        try:
            raise KeyError("deep")
        except KeyError as error:
            raise ValueError("shallow") from error

    execution = run(action(work))
    assert execution.errors == ["ValueError: shallow", "KeyError: 'deep'"]


def test_a_suppressed_cause_is_not_told(run: Run, action: Action) -> None:
    def work(context: Context) -> None:
        try:
            raise KeyError("deep")
        except KeyError:
            raise ValueError("shallow") from None

    assert run(action(work)).errors == ["ValueError: shallow"]


def test_causes_that_go_round_in_a_circle_end(run: Run, action: Action) -> None:
    def work(context: Context) -> None:
        one, two = ValueError("one"), ValueError("two")
        one.__cause__, two.__cause__ = two, one
        raise one

    assert run(action(work)).state == State.FAILED


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError()], ids=repr)
def test_a_run_that_raises_this_has_failed(run: Run, action: Action, error: BaseException) -> None:
    def work(context: Context) -> None:
        raise error

    execution = run(action(work))
    assert (execution.state, execution.message.startswith(type(error).__name__)) == (State.FAILED, True)


def test_an_exception_that_cannot_tell_itself_is_a_failure(run: Run, action: Action) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    def work(context: Context) -> None:
        raise Mute

    assert run(action(work)).message == "Mute: (its text cannot be told)"


@pytest.mark.parametrize("text", ["NUL \0", "surrogate \udc80"], ids=["NUL", "surrogate"])
def test_a_message_that_no_database_keeps_is_mended(run: Run, action: Action, text: str) -> None:
    def work(context: Context) -> None:
        raise RunFailed(text, causes=[text])

    execution = run(action(work))
    assert (execution.state, execution.errors) == (State.FAILED, [text[:-1] + "\ufffd"] * 2)


def test_a_huge_message_is_cut(run: Run, action: Action) -> None:
    def work(context: Context) -> None:
        raise RunFailed("x" * 1_000_000)

    assert len(run(action(work)).message) == MAX_ERROR_CHARS


def test_a_message_of_success_is_mended_too(run: Run, action: Action) -> None:
    assert run(action(lambda context: Result(message="a\0b"))).message == "a\ufffdb"


@pytest.mark.parametrize("n", [2**63, -(2**80)], ids=["too large", "too small"])
def test_a_number_that_fits_no_column_is_bounded(run: Run, action: Action, n: int) -> None:
    def work(context: Context) -> Result:
        context.progress(n, n)
        return Result(records=n, exit_code=n)

    assert run(action(work)).state == State.SUCCEEDED


@pytest.mark.parametrize(
    "value", [object(), float("nan"), {"a": "\0"}, ["\ud800"]], ids=["no JSON", "NaN", "NUL", "surrogate"]
)
def test_a_checkpoint_that_cannot_be_kept_is_the_runs_own_failure(run: Run, action: Action, value: Any) -> None:
    execution = run(action(lambda context: context.checkpoint(value)))
    assert (execution.state, execution.message.split(":")[0]) == (State.FAILED, "ValueError")


def test_a_cursor_that_cannot_be_kept_is_the_runs_own_failure(run: Run, action: Action) -> None:
    assert run(action(lambda context: context.save_cursor({"a": "\0"}))).state == State.FAILED


def test_a_step_that_reports_nonsense_fails_and_the_next_run_does_not(run: Run, action: Action) -> None:
    run(action(lambda context: context.progress("three")))  # type: ignore[arg-type]
    assert run(action()).state == State.SUCCEEDED


def test_a_runner_that_stops_unasked_has_failed(run: Run, action: Action) -> None:
    def work(context: Context) -> None:
        raise Stopped

    execution = run(action(work))
    assert (execution.state, execution.message) == (State.FAILED, "the runner stopped, but nobody had asked it to")


# -- mandatory steps -------------------------------------------------------------------------------------------
def test_a_mandatory_step_runs_after_a_failure(run: Run, action: Action) -> None:
    tidy = Fails(0)
    execution = run(action(fail), action(), action(tidy, mandatory=True))
    assert (execution.message, tidy.calls) == ("it broke", 1)


def test_the_first_failure_is_the_one_that_is_told(run: Run, action: Action) -> None:
    execution = run(action(fail), action(Fails(9), mandatory=True))
    assert (execution.message, steps_of(execution)) == ("it broke", [State.FAILED, State.FAILED])


def test_a_failure_is_not_forgotten_by_a_pause_in_a_mandatory_step(run: Run, action: Action, again: Again) -> None:
    parts = iter([lambda context: context.stop(Stop.PAUSE), puppets.nothing])

    def tidy(context: Context) -> None:
        next(parts)(context)
        context.raise_if_stopped()

    execution = run(action(fail), action(tidy, mandatory=True, can_pause=True))
    assert execution.state == State.PAUSED
    execution.move(State.QUEUED)
    assert (again(execution).state, execution.errors) == (State.FAILED, ["it broke", "because", "of this"])


def test_a_failure_is_not_forgotten_when_the_worker_of_a_mandatory_step_leaves(run: Run, action: Action) -> None:
    parts = iter([lambda context: context.stop(Stop.SHUTDOWN), puppets.nothing])

    def tidy(context: Context) -> None:
        next(parts)(context)
        context.raise_if_stopped()

    execution = run(action(fail), action(tidy, mandatory=True))
    assert (execution.attempt, execution.message) == (2, "it broke")


# -- the end ---------------------------------------------------------------------------------------------------
def test_an_execution_without_actions_fails_with_that_reason(
    make_job: MakeJob, queued: Any, action: Action, quiet: None
) -> None:
    execution = queued(make_job(actions=[action()]))
    JobExecution.objects.filter(pk=execution.pk).update(plan={**execution.plan, "actions": []})
    assert state_after(execution) == State.FAILED


def test_a_broken_plan_raises_nothing(make_job: MakeJob, queued: Any, action: Action, quiet: None) -> None:
    execution = queued(make_job(actions=[action()]))
    JobExecution.objects.filter(pk=execution.pk).update(plan={})
    assert state_after(execution) == State.RUNNING


def test_reports_that_the_database_refuses_end_the_run_as_failed(run: Run, action: Action) -> None:
    def work(context: Any) -> None:
        context.step_changed(ActionExecution(execution_id=context.execution.pk, position=0, attempt=1))

    execution = run(action(work))
    assert (execution.state, execution.message) == (State.FAILED, "its reports could not be written")


def test_the_folder_of_a_run_is_gone_after_it(run: Run, action: Action) -> None:
    folders: list[Any] = []

    def work(context: Context) -> None:
        (context.workdir / "scratch").write_text("x")
        folders.append(context.workdir)

    run(action(work))
    assert not folders[0].exists()

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from jobs import runners
from jobs.errors import Invalid, RunFailed, Stopped
from jobs.runners import callables
from jobs.runners.base import OnLost, Result
from jobs.runners.context import Context, RunInfo, Stop

SAMPLES = "tests.jobs.runners.sample_callables"


@pytest.fixture(autouse=True)
def registered() -> None:
    callables.configure([SAMPLES])


class Stopper(Context):
    """Told to stop as soon as the run says a word."""

    word = "ready"
    reason = Stop.ABORT

    def log(self, text: str, stream: str = "stdout") -> None:
        super().log(text, stream)
        if self.word in text:
            self.stop(self.reason)


class Pauser(Stopper):
    word = "3\n"
    reason = Stop.PAUSE


class EarlyPauser(Context):
    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        super().progress(done, total, unit)
        if done > 0:
            self.stop(Stop.PAUSE)


def call(context: Context, name: str, **args: Any) -> Result:
    runner = runners.get("python")
    return runner.run(runner.validate({"callable": name, "args": args}), context)


def failure(context: Context, name: str, **args: Any) -> RunFailed:
    with pytest.raises(RunFailed) as caught:
        call(context, name, **args)
    return caught.value


def text_of(context: Context, stream: str) -> str:
    return "".join(text for name, text in context.output if name == stream)


# -- it works ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.echo", "t.echo_inline"])
@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, Result()),
        ("a text", Result(message="a text")),
        ({"message": "m", "records": 3, "last_id": "z"}, Result(message="m", records=3, last_id="z")),
        ({"records": 0}, Result(records=0)),
    ],
)
def test_what_it_returns_is_the_result(context: Context, name: str, value: Any, result: Result) -> None:
    assert call(context, name, value=value) == result


def test_a_child_knows_what_the_context_holds(tmp_path: Path) -> None:
    context = Context(
        workdir=tmp_path,
        info=RunInfo(job="nightly"),
        params={"day": 3},
        saved=[1],
        cursor={"at": 2},
        deadline=time.monotonic() + 3600,
    )
    known = ["nightly", {"day": 3}, [1], {"at": 2}, str(tmp_path), str(tmp_path), True]
    assert call(context, "t.describe").message == repr(known)


def test_a_child_starts_clean(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBHUB_SECRET_KEY", "hush")
    streams_and_messages = ["/dev/null", "pipe", "pipe", "pipe", "pipe"]
    assert call(context, "t.surroundings").message == repr(([], streams_and_messages, []))


def test_the_reports_of_a_child_arrive(context: Context) -> None:
    call(context, "t.reports")
    assert (context.done, context.total, context.unit) == (49_999, 49_999, "rows")
    assert (context.records, context.last_id, context.warnings) == (7, "g", ["look here"])
    assert (context.saved, context.cursor) == ({"big": "x" * 300_000}, {"at": 5})


def test_what_a_child_prints_is_its_output(context: Context) -> None:
    call(context, "t.reports")
    assert sorted(text_of(context, "stdout").splitlines()) == ["logged", "printed"]
    assert text_of(context, "stderr") == "complained\n"


def test_a_forgotten_thread_does_not_keep_the_child(context: Context) -> None:
    assert call(context, "t.forget").message == "gone"


def test_a_child_leaves_no_open_files(context: Context) -> None:
    before = os.listdir("/proc/self/fd")
    call(context, "t.echo")
    assert os.listdir("/proc/self/fd") == before


def test_the_builtin_noop_does_nothing(context: Context) -> None:
    assert call(context, "noop") == Result()


def test_the_builtin_sleep_reports_its_progress(context: Context) -> None:
    assert call(context, "sleep", seconds=0.2).message == "slept 0.2 s"
    assert (context.done, context.total, context.unit) == (200, 200, "ms")


@pytest.mark.parametrize(
    ("name", "can_pause", "on_lost"),
    [("t.count", True, OnLost.FAIL), ("t.echo_inline", False, OnLost.RERUN), ("sleep", True, OnLost.RERUN)],
)
def test_pause_and_loss_are_as_registered(name: str, can_pause: bool, on_lost: OnLost) -> None:
    runner = runners.get("python")
    spec = runner.validate({"callable": name, "args": {"to": 3} if name == "t.count" else {}})
    assert (runner.can_pause(spec), runner.on_lost_of(spec)) == (can_pause, on_lost)


# -- being stopped -----------------------------------------------------------------------------------------


def test_a_child_that_ignores_everything_is_killed_with_its_children_and_strays(tmp_path: Path) -> None:
    context = Stopper(workdir=tmp_path, grace_s=0.2)
    with pytest.raises(Stopped, match="abort"):
        call(context, "t.stubborn")
    pids = text_of(context, "stdout").split()[:3]
    assert [pid for pid in pids if os.path.exists(f"/proc/{pid}")] == []
    assert len(pids) == 3


@pytest.mark.parametrize("how", ["returns", "waits"])
def test_a_child_hears_the_word_and_leaves(tmp_path: Path, how: str) -> None:
    context = Stopper(workdir=tmp_path, grace_s=3600)
    with pytest.raises(Stopped, match="abort"):
        call(context, "t.obey", how=how)


def test_a_child_that_finished_before_it_noticed_has_finished(tmp_path: Path) -> None:
    assert call(Stopper(workdir=tmp_path, grace_s=3600), "t.deaf") == Result(message="finished")


def test_a_child_keeps_to_the_deadline(context: Context) -> None:
    context.deadline = time.monotonic() + 0.5
    with pytest.raises(Stopped, match="timeout"):
        call(context, "t.obey", how="waits")


def test_a_paused_child_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    first = Pauser(workdir=tmp_path, grace_s=3600)
    with pytest.raises(Stopped, match="pause"):
        call(first, "t.count", to=5)
    second = Context(workdir=tmp_path, saved=first.saved)
    assert call(second, "t.count", to=5) == Result(message="counted to 5", records=5, last_id="5")
    assert (text_of(first, "stdout"), text_of(second, "stdout")) == ("1\n2\n3\n", "4\n5\n")


def test_the_builtin_sleep_pauses_and_goes_on(tmp_path: Path) -> None:
    first = EarlyPauser(workdir=tmp_path, grace_s=3600)
    with pytest.raises(Stopped, match="pause"):
        call(first, "sleep", seconds=3600)
    assert 0 < first.saved < 3600
    second = Context(workdir=tmp_path, saved=first.saved)
    assert call(second, "sleep", seconds=first.saved + 0.1)


def test_an_inline_callable_that_returns_because_it_was_told_to_stop_is_stopped(context: Context) -> None:
    context.stop(Stop.ABORT)
    with pytest.raises(Stopped):
        call(context, "t.echo_inline")


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"callable": "nope"}, r"callable: unknown callable 'nope'; registered: noop, sleep, t\.babble, .*"),
        ({}, "callable: this field is required"),
        ({"callable": "noop", "args": {"x": 1}}, "args: they do not fit 'noop': got an unexpected .* 'x'"),
        ({"callable": "t.die"}, "args: they do not fit 't.die': missing a required argument: 'number'"),
        ({"callable": "noop", "args": {"context": 1}}, "args: they do not fit 'noop': multiple values .*"),
        ({"callable": "noop", "args": [1]}, "args: .*"),
        ({"callable": "noop", "mode": "inline"}, "mode: unknown field"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_field(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=f"^{message}$"):
        runners.get("python").validate(spec)


def test_a_module_that_cannot_be_imported_is_named() -> None:
    with pytest.raises(Invalid, match=r"JOBHUB_CALLABLES: cannot import 'no\.such': ModuleNotFoundError"):
        callables.configure(["no.such"])


def test_a_name_cannot_be_taken_twice() -> None:
    with pytest.raises(ValueError, match="callable 'sleep' is registered twice"):
        callables.register("sleep")(lambda context: None)


def test_a_wrong_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode is 'child' or 'inline'"):
        callables.register("x", mode="thread")  # type: ignore[arg-type]


# -- failures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.fail", "t.fail_inline"])
def test_an_exception_comes_with_its_causes_the_outermost_first(context: Context, name: str) -> None:
    error = failure(context, name)
    assert error.message == "ValueError: the wall stays white"
    assert error.causes == ("OSError: no paint", "KeyError: 'colour'")


@pytest.mark.parametrize("name", ["t.fail", "t.fail_inline"])
def test_the_traceback_goes_to_the_output(context: Context, name: str) -> None:
    failure(context, name)
    assert "sample_callables.py" in text_of(context, "stderr")
    assert text_of(context, "stderr").endswith("ValueError: the wall stays white\n")


def test_a_suppressed_cause_stays_suppressed(context: Context) -> None:
    context.params = {"silent": True}
    assert failure(context, "t.fail").causes == ()


def test_an_understood_failure_keeps_its_words(context: Context) -> None:
    error = failure(context, "t.refuse")
    assert (error.message, error.causes, error.exit_code) == ("the wall is wet", ("rain",), 4)


def test_a_crash_names_the_signal(context: Context) -> None:
    error = failure(context, "t.die", number=11)
    assert error.message == "the callable's process ended without a result: killed by signal 11 (SIGSEGV)"
    assert (error.exit_code, error.causes) == (-11, ("last words",))


def test_a_vanished_child_names_its_exit_code(context: Context) -> None:
    assert failure(context, "t.vanish").message.endswith("ended without a result: exit code 3")


def test_an_exit_is_an_exception_like_others(context: Context) -> None:
    assert failure(context, "t.exit").message == "SystemExit: 3"


def test_garbage_from_a_child_is_a_failure(context: Context) -> None:
    assert failure(context, "t.babble").message.endswith("sent what is no report: b']garbage['")


def test_to_stop_unasked_is_a_failure(context: Context) -> None:
    assert failure(context, "t.stop_unasked").message == "the callable stopped, but nobody had asked it to"


@pytest.mark.parametrize("value", [3, ["a"], {"massage": "m"}, {"records": "many"}])
def test_a_strange_return_value_is_a_failure(context: Context, value: Any) -> None:
    assert failure(context, "t.echo_inline", value=value).message.startswith(f"the callable returned {value!r}: ")


def test_a_return_value_that_cannot_travel_is_a_failure(context: Context) -> None:
    runner = runners.get("python")
    spec = runner.validate({"callable": "t.unspeakable"})
    with pytest.raises(RunFailed, match="TypeError: Object of type set is not JSON serializable"):
        runner.run(spec, context)


def test_a_callable_that_was_removed_since_is_named(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = runners.get("python")
    spec = runner.validate({"callable": "t.echo"})
    monkeypatch.delitem(callables._registered, "t.echo")
    with pytest.raises(RunFailed, match=r"unknown callable 't\.echo'"):
        runner.run(spec, context)


def test_the_start_document_is_plain_json(context: Context) -> None:
    context.params = {"x": json.loads('"\\ud800"')}
    assert call(context, "t.echo", value="ok").message == "ok"

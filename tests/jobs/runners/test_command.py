import os
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs import runners
from jobs.errors import Invalid, RunFailed, Stopped
from jobs.runners.base import OnLost, Result
from jobs.runners.context import Context, RunInfo, Stop
from jobs.runners.output import Output, SpokenOutput
from tests.jobs.runners.processes import Mark

NASTY = ["; rm -rf /", "$(touch owned)", "`touch owned`", "a b\n'\"\\", "--help", "", "ä€😀"]


def run(context: Context, **spec: Any) -> Result:
    runner = runners.get("command")
    return runner.run(runner.validate(spec), context)


def refusal(**spec: Any) -> str:
    with pytest.raises(Invalid) as caught:
        runners.get("command").validate(spec)
    return caught.value.message


def text_of(context: Context, stream: str) -> str:
    return "".join(text for name, text in context.output if name == stream)


# -- it works ----------------------------------------------------------------------------------------------


def test_it_runs_a_program_and_gives_its_exit_code(context: Context) -> None:
    assert run(context, argv=["true"]) == Result(exit_code=0)


def test_it_keeps_the_output_by_stream(context: Context) -> None:
    run(context, argv="echo out; echo err >&2", shell=True)
    assert (text_of(context, "stdout"), text_of(context, "stderr")) == ("out\n", "err\n")


def test_output_is_passed_on_before_the_program_ends(context: Context) -> None:
    class Impatient(Context):
        def log(self, text: str, stream: str = "stdout") -> None:
            self.stop(Stop.ABORT)

    context = Impatient(workdir=context.workdir)
    with pytest.raises(Stopped):
        run(context, argv="printf now; sleep 60", shell=True)


def test_it_gives_stdin(context: Context) -> None:
    run(context, argv=["cat"], stdin="hällo")
    assert text_of(context, "stdout") == "hällo"


def test_without_stdin_the_program_reads_nothing(context: Context) -> None:
    assert run(context, argv=["cat"]).exit_code == 0


def test_it_runs_in_the_given_folder(context: Context, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    run(context, argv=["pwd"], cwd=str(tmp_path / "here"))
    assert text_of(context, "stdout") == f"{tmp_path}/here\n"


def test_without_a_folder_it_runs_in_its_own(context: Context) -> None:
    run(context, argv=["pwd"])
    assert text_of(context, "stdout") == f"{context.workdir}\n"


def test_chosen_exit_codes_are_a_success(context: Context) -> None:
    assert run(context, argv="exit 24", shell=True, ok_exit_codes=[0, 24]) == Result(exit_code=24)


def test_only_admins_may_define_it_and_a_lost_run_fails() -> None:
    runner = runners.get("command")
    spec = runner.validate({"argv": ["true"]})
    assert (runner.privileged, runner.on_lost_of(spec), runner.can_pause(spec)) == (True, OnLost.FAIL, False)


# -- environment and params --------------------------------------------------------------------------------


def test_its_environment_is_small_and_holds_no_secret(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBHUB_SECRET_KEY", "hush")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    run(context, argv=["env"])
    names = {line.partition("=")[0] for line in text_of(context, "stdout").splitlines()}
    own = {"JOBHUB_JOB", "JOBHUB_EXECUTION", "JOBHUB_ATTEMPT", "JOBHUB_ACTION", "JOBHUB_NODE"}
    assert names == own | {"PATH", "HOME", "LANG", "TZ"}


def test_it_is_told_which_run_it_is(tmp_path: Path) -> None:
    info = RunInfo(execution="e-1", job="nightly", action="dump", attempt=2, node="n1")
    context = Context(workdir=tmp_path, info=info)
    run(
        context,
        argv='echo "$JOBHUB_EXECUTION $JOBHUB_JOB $JOBHUB_ACTION $JOBHUB_ATTEMPT $JOBHUB_NODE"',
        shell=True,
    )
    assert text_of(context, "stdout") == "e-1 nightly dump 2 n1\n"


def test_the_spec_adds_to_the_environment(context: Context) -> None:
    run(context, argv='echo "$COLOUR"', shell=True, env={"COLOUR": "a b"})
    assert text_of(context, "stdout") == "a b\n"


@pytest.mark.parametrize("value", NASTY)
def test_a_param_reaches_argv_as_one_whole_item(context: Context, value: str) -> None:
    context.params = {"value": value}
    show = "import sys; sys.stdout.buffer.write(ascii(sys.argv[1:]).encode())"
    run(context, argv=[sys.executable, "-X", "utf8", "-c", show, "--", "{{params.value}}", "end"])
    assert text_of(context, "stdout") == ascii(["--", value, "end"])


def test_a_param_cannot_pass_for_an_option(context: Context) -> None:
    context.params = {"name": "-rf"}
    with pytest.raises(RunFailed, match=r"'name' begins with '-'.*put -- before it"):
        run(context, argv=["echo", "{{params.name}}"])


@pytest.mark.parametrize("value", NASTY)
def test_a_param_reaches_a_shell_only_as_environment(context: Context, value: str) -> None:
    context.params = {"my-value": value}
    run(context, argv='printf "[%s]" "$JOBHUB_PARAM_MY_VALUE"', shell=True)
    assert text_of(context, "stdout") == f"[{value}]"
    assert os.listdir(context.workdir) == []


def test_params_that_are_no_text_are_written_plainly(context: Context) -> None:
    context.params = {"n": 3, "x": 0.5, "yes": True, "no": False, "none": None}
    argv = ["printf", "%s,", *(f"{{{{params.{name}}}}}" for name in context.params)]
    run(context, argv=argv)
    assert text_of(context, "stdout") == "3,0.5,true,false,,"


def test_a_missing_param_is_named(context: Context) -> None:
    with pytest.raises(RunFailed, match="the param 'day' is missing"):
        run(context, argv=["echo", "{{params.day}}"])


def test_a_param_with_nul_is_named(context: Context) -> None:
    context.params = {"day": "a\0b"}
    with pytest.raises(RunFailed, match="the param 'day' holds a NUL character"):
        run(context, argv=["echo"])


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "argv: this field is required"),
        ({"argv": []}, "argv: wanted at least the name of a program"),
        ({"argv": [""]}, "argv: wanted at least the name of a program"),
        ({"argv": ["a", 1]}, "argv: wanted a list of strings, or with shell: true one string"),
        ({"argv": "ls -l"}, "argv: wanted a list of strings; one string needs shell: true"),
        ({"argv": ["ls"], "shell": True}, "argv: with shell: true wanted one string, got a list"),
        ({"argv": " ", "shell": True}, "argv: wanted a command, got a blank string"),
        ({"argv": ["a\0"]}, "argv.0: a NUL character cannot be passed to a program"),
        (
            {"argv": ["a", "x{{params.y}}"]},
            "argv.1: a param must be a whole item, written exactly {{params.name}}",
        ),
        (
            {"argv": ["a", "{{ params.y }}"]},
            "argv.1: a param must be a whole item, written exactly {{params.name}}",
        ),
        ({"argv": ["{{params.y}}"]}, "argv.0: the program itself cannot be a param"),
        ({"argv": ["true"], "env": {"A=B": "c"}}, "env.A=B: wanted a name without '=' and NUL"),
        ({"argv": ["true"], "env": {"A": "\0"}}, "env.A: a NUL character cannot be passed to a program"),
        ({"argv": ["true"], "grace": 1}, "grace: unknown field"),
        ({"argv": ["true"], "grace_s": 3601}, "grace_s: wanted at most 3600"),
        (
            {"argv": ["true"], "ok_exit_codes": [256]},
            "ok_exit_codes.0: wanted at most 255",
        ),
    ],
)
def test_a_wrong_spec_is_refused_with_its_field(spec: dict[str, Any], message: str) -> None:
    assert refusal(**spec) == message


@pytest.mark.parametrize(
    "spec",
    [
        {"argv": "echo {{params.x}}", "shell": True},
        {"argv": ["/bin/sh", "-c", "{{params.x}}"]},
        {"argv": ["bash", "-ec", "{{params.x}}"]},
    ],
)
def test_a_param_in_shell_text_is_refused(spec: dict[str, Any]) -> None:
    assert "params reach a shell only as environment variables" in refusal(**spec)


def test_a_folder_outside_the_allowed_paths_is_refused() -> None:
    assert refusal(argv=["true"], cwd="/etc").startswith("cwd: '/etc' is outside the allowed paths")


def test_a_folder_that_became_a_link_to_the_outside_is_refused_when_used(context: Context, tmp_path: Path) -> None:
    runner = runners.get("command")
    spec = runner.validate({"argv": ["true"], "cwd": str(tmp_path / "link")})
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(RunFailed, match="outside the allowed paths"):
        runner.run(spec, context)


def test_an_unknown_runner_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match=r"unknown runner 'x'; known: .*command, .*python"):
        runners.get("x")


# -- failures ----------------------------------------------------------------------------------------------


def test_another_exit_code_is_a_failure_with_the_last_words_of_stderr(context: Context) -> None:
    with pytest.raises(RunFailed) as caught:
        run(context, argv="seq 9 >&2; echo >&2; exit 3", shell=True)
    failure = caught.value
    assert (failure.message, failure.exit_code, failure.causes) == (
        "exit code 3",
        3,
        ("5", "6", "7", "8", "9"),
    )


def test_a_signal_is_a_failure_that_names_it(context: Context) -> None:
    with pytest.raises(RunFailed, match=r"killed by signal 9 \(SIGKILL\)") as caught:
        run(context, argv="kill -9 $$", shell=True)
    assert caught.value.exit_code == -9


def test_a_program_that_is_not_there_is_named(context: Context) -> None:
    with pytest.raises(RunFailed, match="cannot start 'no-such-program': No such file or directory"):
        run(context, argv=["no-such-program"])


def test_an_abort_kills_after_the_grace_time_of_the_spec(context: Context, mark: Mark) -> None:
    context.grace_s = 3600
    context.deadline = 0
    with pytest.raises(Stopped):
        run(context, argv="trap '' TERM; sleep 60 & wait; sleep 60", shell=True, grace_s=0.2, env=mark.env)
    assert mark.is_gone()


# -- words to the hub --------------------------------------------------------------------------------------

SPOKEN = (
    b"start\n::progress 40/200 files\nmiddle \xe2\x82\xac\n::progress 41\n::warning disk is nearly full\n"
    b"::progress 250\nno ::progress 1/2\n::progress\n::progress x\n ::progress 7/8\n::Progress 7/8\n"
    b"::progress 101%\n::warning\n:\n::\nend"
)
PLAIN = (
    "start\nmiddle €\nwarning: disk is nearly full\nno ::progress 1/2\n::progress\n::progress x\n"
    " ::progress 7/8\n::Progress 7/8\n::progress 101%\n::warning\n:\n::\nend"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 1000])
def test_words_are_understood_however_the_output_is_cut(context: Context, size: int) -> None:
    output = SpokenOutput(context)
    for start in range(0, len(SPOKEN), size):
        output.feed(SPOKEN[start : start + size])
    output.close()
    assert "".join(text for _, text in context.output) == PLAIN
    assert (context.done, context.total, context.unit) == (250, 200, "files")
    assert context.warnings == ["disk is nearly full"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("::progress 40/200 files", (40, 200, "files")),
        ("::progress 40/200", (40, 200, "")),
        ("::progress 40%", (40, 100, "%")),
        ("::progress 40", (40, None, "")),
        ("::progress 1/2 files\r", (1, 2, "files")),
    ],
)
def test_a_word_counts_without_a_newline_at_the_end(context: Context, line: str, told: tuple[Any, ...]) -> None:
    run(context, argv=["printf", "%s", line])
    assert (context.done, context.total, context.unit, context.output) == (*told, [])


def test_a_line_that_cannot_be_a_word_is_passed_on_at_once(context: Context) -> None:
    output = SpokenOutput(context)
    output.feed(b"one\nPassword: ")
    assert text_of(context, "stdout") == "one\nPassword: "


def test_a_line_that_may_be_a_word_is_held(context: Context) -> None:
    output = SpokenOutput(context)
    output.feed(b"one\n::warning al")
    assert text_of(context, "stdout") == "one\n"


def test_an_endless_line_is_passed_on_in_pieces(context: Context) -> None:
    output = SpokenOutput(context)
    output.feed(b"::warning " + b"x" * 70_000)
    output.feed(b"y\n::progress 1/2\n")
    assert len(text_of(context, "stdout")) == 70_012
    assert (context.warnings, context.done) == ([], 1)


def test_what_is_no_text_is_replaced(context: Context) -> None:
    output = Output(context, "stderr")
    for data in (b"a\xff\xe2", b"\x82\xac\0", b"\xed\xa0\x80\xe2"):
        output.feed(data)
    output.close()
    assert text_of(context, "stderr") == "a\ufffd€\ufffd\ufffd\ufffd\ufffd\ufffd"

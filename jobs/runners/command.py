"""The runner `command`: any program of the machine.

How `params` of a trigger reach it, and never as shell text:
- each as an environment variable `JOBHUB_PARAM_<NAME>`, the name in capitals and every character but A-Z, 0-9
  and `_` turned into `_` (`dry-run` becomes `JOBHUB_PARAM_DRY_RUN`; of two that become one, the later wins);
- an item of `argv` that is exactly `{{params.name}}` is replaced by the value. A value may begin with `-`:
  where the program knows it, put `--` before the item, so that the value cannot become an option.
Booleans become `true` and `false`, null the empty string.

Values of `env` and `stdin` may be secrets, `{"secret": "name"}`; `argv` may not, for every process of the machine can
read it.

Lines of its stdout may speak to the hub: see `jobs.runners.output`.
"""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pydantic

from jobs import paths
from jobs.errors import Invalid, RunFailed
from jobs.runners.base import OnLost, Result, Runner, Secretable, SecretRef, Spec, revealed
from jobs.runners.context import Context
from jobs.runners.output import Output, SpokenOutput
from jobs.runners.program import clean_environment, end_text, run_program

WHOLE_PARAM = re.compile(r"\{\{params\.([^{}]+)\}\}")
ANY_PARAM = re.compile(r"\{\{\s*params\b")
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh", "fish"})
SHELL_ADVICE = "params reach a shell only as environment variables: write $JOBHUB_PARAM_NAME"
ITEM_ADVICE = "a param must be a whole item, written exactly {{params.name}}"


def _argv(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return value
    raise ValueError("wanted a list of strings, or with shell: true one string")


class CommandSpec(Spec):
    argv: Annotated[list[str] | str, pydantic.BeforeValidator(_argv)]
    """The program and its arguments; a string only with `shell`."""
    shell: bool = False
    """`argv` is a line for /bin/sh."""
    env: dict[str, Secretable] = {}
    """Added to a small clean environment; nothing of the hub's own is in it."""
    cwd: str | None = None
    """An allowed folder; by default the run's own, which is removed after it."""
    stdin: Secretable | None = None
    ok_exit_codes: Annotated[list[Annotated[int, pydantic.Field(ge=0, le=255)]], pydantic.Field(min_length=1)] = [0]
    grace_s: Annotated[float, pydantic.Field(ge=0, le=3600)] = 10
    """How long it may take to end after TERM."""


class CommandRunner(Runner[CommandSpec]):
    name: ClassVar[str] = "command"
    Spec: ClassVar[type[Spec]] = CommandSpec
    on_lost: ClassVar[OnLost] = OnLost.FAIL
    privileged: ClassVar[bool] = True

    def check(self, spec: CommandSpec) -> None:
        if isinstance(spec.argv, str):
            _check_shell(spec.argv, shell=spec.shell)
        else:
            _check_list(spec.argv, shell=spec.shell)
        for name, value in spec.env.items():
            _check_env(name, value)
        if spec.cwd is not None:
            paths.guard().check(spec.cwd, field="cwd")

    def run(self, spec: CommandSpec, context: Context) -> Result:
        env, stdin = _environment(spec, context), revealed(spec.stdin, context)
        stdout, stderr = SpokenOutput(context), Output(context, "stderr")
        try:
            code = run_program(
                _given_argv(spec, context),
                context=context,
                env=env,
                cwd=_folder(spec, context),
                stdin=None if stdin is None else stdin.encode(),
                on_stdout=stdout.feed,
                on_stderr=stderr.feed,
                grace_s=spec.grace_s,
            )
        finally:
            stdout.close()
            stderr.close()
        if code not in spec.ok_exit_codes:
            raise RunFailed(end_text(code), exit_code=code, causes=stderr.last_lines())
        return Result(exit_code=code)


def _check_shell(line: str, *, shell: bool) -> None:
    if not shell:
        raise Invalid.field("argv", "wanted a list of strings; one string needs shell: true")
    if not line.strip():
        raise Invalid.field("argv", "wanted a command, got a blank string")
    if ANY_PARAM.search(line):
        raise Invalid.field("argv", SHELL_ADVICE)
    _refuse_nul("argv", line)


def _check_list(argv: list[str], *, shell: bool) -> None:
    if shell:
        raise Invalid.field("argv", "with shell: true wanted one string, got a list")
    if not argv or not argv[0]:
        raise Invalid.field("argv", "wanted at least the name of a program")
    if ANY_PARAM.search(argv[0]):
        raise Invalid.field("argv.0", "the program itself cannot be a param")
    for position, item in enumerate(argv):
        _refuse_nul(f"argv.{position}", item)
        if ANY_PARAM.search(item):
            _check_param(argv, position)


def _check_param(argv: list[str], position: int) -> None:
    field = f"argv.{position}"
    if not WHOLE_PARAM.fullmatch(argv[position]):
        raise Invalid.field(field, ITEM_ADVICE)
    if Path(argv[0]).name in SHELLS and re.fullmatch(r"-[a-z]*c", argv[position - 1]):
        raise Invalid.field(field, SHELL_ADVICE)


def _check_env(name: str, value: str | SecretRef) -> None:
    field = f"env.{name}"
    if not name or "=" in name or "\0" in name:
        raise Invalid.field(field, "wanted a name without '=' and NUL")
    if isinstance(value, SecretRef):
        return
    _refuse_nul(field, value)
    if ANY_PARAM.search(value):
        raise Invalid.field(field, "params are in the environment already, as JOBHUB_PARAM_NAME")


def _refuse_nul(field: str, text: str) -> None:
    if "\0" in text:
        raise Invalid.field(field, "a NUL character cannot be passed to a program")


def _given_argv(spec: CommandSpec, context: Context) -> list[str]:
    if isinstance(spec.argv, str):
        return ["/bin/sh", "-c", spec.argv]
    n_before = spec.argv.index("--") if "--" in spec.argv else len(spec.argv)
    return [_item(text, context, may_be_option=place > n_before) for place, text in enumerate(spec.argv)]


def _item(text: str, context: Context, *, may_be_option: bool) -> str:
    match = WHOLE_PARAM.fullmatch(text)
    if match is None:
        return text
    if match[1] not in context.params:
        raise RunFailed(f"the param {match[1]!r} is missing: the command needs it")
    value = _param(match[1], context.params[match[1]])
    if value.startswith("-") and not may_be_option:
        raise RunFailed(
            f"the param {match[1]!r} begins with '-' and could pass for an option; put -- before it in argv"
        )
    return value


def _environment(spec: CommandSpec, context: Context) -> dict[str, str]:
    params = {_variable(name): _param(name, value) for name, value in context.params.items()}
    return {**clean_environment(context), **revealed(spec.env, context), **params}


def _variable(name: str) -> str:
    return "JOBHUB_PARAM_" + re.sub(r"[^A-Z0-9_]", "_", name.upper())


def _param(name: str, value: Any) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if "\0" in text:
        raise RunFailed(f"the param {name!r} holds a NUL character, which cannot be passed to a program")
    return text


def _folder(spec: CommandSpec, context: Context) -> Path:
    if spec.cwd is None:
        return context.workdir
    try:
        return paths.guard().check(spec.cwd, field="cwd")
    except Invalid as error:
        raise RunFailed(error.message) from None

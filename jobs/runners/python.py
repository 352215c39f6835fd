"""The runner `python`: a registered function, in a child process of its own or in the worker itself."""

import inspect
import json
import math
import os
import sys
from dataclasses import asdict
from typing import Any, ClassVar

import pydantic

from jobs.errors import Invalid, JobHubError, RunFailed, Stopped
from jobs.runners import callables
from jobs.runners.base import OnLost, Result, Runner, Spec, revealed
from jobs.runners.callables import Registered
from jobs.runners.child import CALLS
from jobs.runners.context import Context, Stop
from jobs.runners.output import Output
from jobs.runners.program import Talk, clean_environment, end_text, run_program


class PythonSpec(Spec):
    callable: str
    """A registered name."""
    args: dict[str, Any] = {}
    """Its keyword arguments; `{"secret": "name"}` anywhere in them becomes the secret's value."""


class PythonRunner(Runner[PythonSpec]):
    name: ClassVar[str] = "python"
    Spec: ClassVar[type[Spec]] = PythonSpec
    on_lost: ClassVar[OnLost] = OnLost.FAIL
    privileged: ClassVar[bool] = True

    def check(self, spec: PythonSpec) -> None:
        function = callables.find(spec.callable).function
        try:
            inspect.signature(function).bind(None, **spec.args)
        except TypeError as error:
            raise Invalid.field("args", f"they do not fit {spec.callable!r}: {error}") from None

    def can_pause(self, spec: PythonSpec) -> bool:
        return callables.find(spec.callable).can_pause

    def on_lost_of(self, spec: PythonSpec) -> OnLost:
        return OnLost(callables.find(spec.callable).on_lost)

    def is_inline(self, spec: PythonSpec) -> bool:
        return callables.find(spec.callable).mode == "inline"

    def run(self, spec: PythonSpec, context: Context) -> Result:
        try:
            registered = callables.find(spec.callable)
        except Invalid as error:
            raise RunFailed(error.message) from None
        args = revealed(spec.args, context)
        if registered.mode == "inline":
            return _run_inline(registered, args, context)
        return _run_child(registered, args, context)


class Returned(Spec):
    """What a callable may return in a dict."""

    message: str = ""
    records: int | None = None
    last_id: str | None = None


def result_of(value: Any, context: Context) -> Result:
    """`RunFailed` if a callable may not return such a thing."""
    if value is None or isinstance(value, str):
        return Result(message=value or "")
    try:
        return Result(**Returned.model_validate(value).model_dump())
    except pydantic.ValidationError:
        wanted = "wanted nothing, a text, or a dict with message, records and last_id"
        shown = context.masked(repr(value))[:200]
        raise RunFailed(f"the callable returned {shown}: {wanted}") from None


def _run_inline(registered: Registered, args: dict[str, Any], context: Context) -> Result:
    try:
        value = registered.function(context, **args)
    except RunFailed as error:
        raise callables.failure(error) from error
    except JobHubError:
        raise
    except Exception as error:
        context.log(callables.trace(error), "stderr")
        raise callables.failure(error) from error
    context.raise_if_stopped()
    return result_of(value, context)


def _run_child(registered: Registered, args: dict[str, Any], context: Context) -> Result:
    report_fd, child_report_fd = os.pipe()
    child_stop_fd, stop_fd = os.pipe()
    child = _Child(context)
    try:
        return child.run(registered, args, (report_fd, child_report_fd), (child_stop_fd, stop_fd))
    finally:
        for fd in (report_fd, child_report_fd, child_stop_fd, stop_fd):
            os.close(fd)


class _Child:
    """The worker's side of the talk with one child process."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.stdout = Output(context, "stdout")
        self.stderr = Output(context, "stderr")
        self.answer: dict[str, Any] = {}
        """Its last word."""
        self._rest = b""

    def run(
        self, registered: Registered, args: dict[str, Any], report: tuple[int, int], stop: tuple[int, int]
    ) -> Result:
        start = _start(registered, args, self.context, report_fd=report[1], stop_fd=stop[0])
        talk = Talk(
            pass_fds=(report[1], stop[0]),
            readers={report[0]: self.hear},
            on_stop=lambda reason: _tell(stop[1], reason),
        )
        try:
            code = run_program(
                [sys.executable, "-X", "utf8", "-P", "-m", "jobs.runners.child", registered.name],
                context=self.context,
                env={**clean_environment(self.context), "PYTHONPATH": _import_path()},
                cwd=self.context.workdir,
                stdin=json.dumps(start).encode(),
                on_stdout=self.stdout.feed,
                on_stderr=self.stderr.feed,
                talk=talk,
            )
        except Stopped:
            return self._result_before_stop()
        finally:
            self.stdout.close()
            self.stderr.close()
        return self._result(code)

    def hear(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message = _parsed(line)
            if "call" in message:
                getattr(self.context, message["call"])(**message["with"])
            else:
                self.answer = message

    def _result(self, code: int) -> Result:
        if "result" in self.answer:
            return result_of(self.answer["result"], self.context)
        if "error" in self.answer:
            error = self.answer
            raise RunFailed(error["error"], causes=error["causes"], exit_code=error["exit_code"])
        if "stopped" in self.answer:
            self.context.raise_if_stopped()
            raise RunFailed("the callable stopped, but nobody had asked it to")
        how = end_text(code)
        raise RunFailed(
            f"the callable's process ended without a result: {how}",
            exit_code=code,
            causes=self.stderr.last_lines(),
        )

    def _result_before_stop(self) -> Result:
        """It may have finished before it noticed the word to stop."""
        if "result" in self.answer and self.context.lease_is_fresh():
            return result_of(self.answer["result"], self.context)
        raise Stopped(str(self.context.stop_reason))


def _start(
    registered: Registered, args: dict[str, Any], context: Context, *, report_fd: int, stop_fd: int
) -> dict[str, Any]:
    """What a child gets to know: see `jobs.runners.child`."""
    remaining_s = context.remaining_s()
    return {
        "name": registered.name,
        "modules": callables.modules_of(registered),
        "args": args,
        "info": asdict(context.info),
        "params": dict(context.params),
        "saved": context.saved,
        "cursor": context.cursor,
        "workdir": str(context.workdir),
        "remaining_s": None if math.isinf(remaining_s) else remaining_s,
        "lease_s": context.lease_s,
        "grace_s": context.grace_s,
        "report_fd": report_fd,
        "stop_fd": stop_fd,
    }


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if isinstance(message, dict) and message.get("call") in (None, *CALLS):
        return message
    raise RunFailed(f"the callable's process sent what is no report: {line[:80]!r}")


def _tell(fd: int, reason: Stop) -> None:
    os.write(fd, f"{reason}\n".encode())


def _import_path() -> str:
    """The worker's own, so that the child finds the same modules."""
    return os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 (a text is needed)

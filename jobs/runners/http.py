"""The runner `http`: one request, or one that starts a remote job and others that follow it to its end.

The request is sent and must be answered with an expected status. With `until`, answers are looked at until a JSON
pointer into one shows one of the values: the answers of `follow`, which is asked every `every_s` seconds, else those of
the request itself, which is repeated. `fail_if` ends it as failed in the same way. `cancel` is sent when the run must
stop before that. `jobs.runners.places` says where params and parts of the first answer may stand, `jobs.client` which
redirects are followed, `jobs.targets` which hosts are allowed.

`follow` and `cancel` take over headers and credentials of the request where they have none of their own, as long as
they go to the same origin. No credentials go to another origin that only an answer has named.
"""

import json
import re
import time
from typing import Annotated, Any, ClassVar, Self

import pydantic

from jobs.client import LIMIT_BYTES, Answer, Request, send
from jobs.errors import Invalid, RunFailed, Stopped
from jobs.runners.base import OnLost, Result, Runner, Spec
from jobs.runners.calls import AFTER_ANSWER, BEFORE_ANSWER, READING, Call, Caller, Method, check_call, document_of
from jobs.runners.context import Context, Stop
from jobs.runners.output import Output
from jobs.runners.places import MISSING, POINTER, pointed

N_TRIES = 5
"""So many times in a row a remote job may fail to tell its state before it is given up."""
CANCEL_S = 10.0
N_CAUSE_LINES = 5
N_CAUSE_CHARS = 300
Scalar = str | int | float | bool | None


def _statuses(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
        return value
    if isinstance(value, str) and re.fullmatch(r"[1-5]\d\d-[1-5]\d\d", value, re.ASCII):
        return value
    raise ValueError('wanted a status such as 201 or a range such as "200-299"')


Statuses = Annotated[int | str, pydantic.BeforeValidator(_statuses)]


class Cancel(Call):
    method: Method = "POST"


class Condition(Spec):
    """Whether a JSON pointer into an answer shows one of the values. One that shows nothing is not fulfilled."""

    pointer: Annotated[str, pydantic.Field(pattern=f"^{POINTER.pattern}$")]
    values: Annotated[list[Scalar], pydantic.Field(alias="in", min_length=1)]

    def holds(self, document: Any) -> bool:
        value = pointed(document, self.pointer)
        return any(isinstance(value, bool) == isinstance(one, bool) and value == one for one in self.values)

    def told(self, document: Any) -> str:
        value = pointed(document, self.pointer)
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, Scalar) else "no plain value"
        return f"{self.pointer or 'the answer'} is {'not there' if value is MISSING else shown}"


class HttpSpec(Call):
    expect: Annotated[list[Statuses], pydantic.Field(min_length=1)] = ["200-299"]
    """A redirect that is expected is not followed."""
    timeout_s: Annotated[float, pydantic.Field(gt=0, le=86_400)] = 30
    """Of each request, until its whole answer is there."""
    follow: Call | None = None
    until: Condition | None = None
    fail_if: Condition | None = None
    every_s: Annotated[float, pydantic.Field(ge=0.1, le=86_400)] = 5
    cancel: Cancel | None = None

    @pydantic.model_validator(mode="after")
    def _knows_its_end(self) -> Self:
        if self.follow and not self.until:
            raise ValueError("follow needs until: how is the end of the remote job known?")
        if self.until and not self.follow and self.method != "GET":
            raise ValueError(f"a {self.method} is not repeated: say what to follow until then")
        return self

    def expects(self, status: int) -> bool:
        return any(status == one if isinstance(one, int) else _is_within(status, one) for one in self.expect)


def _is_within(status: int, words: str) -> bool:
    first, _, last = words.partition("-")
    return int(first) <= status <= int(last)


class HttpRunner(Runner[HttpSpec]):
    name: ClassVar[str] = "http"
    Spec: ClassVar[type[Spec]] = HttpSpec

    def check(self, spec: HttpSpec) -> None:
        check_call(spec, BEFORE_ANSWER)
        for field, call in (("follow", spec.follow), ("cancel", spec.cancel)):
            try:
                if call is not None:
                    check_call(call, AFTER_ANSWER)
            except Invalid as error:
                raise error.under(field) from None

    def on_lost_of(self, spec: HttpSpec) -> OnLost:
        """Reading twice does no harm; anything else may have done its work already."""
        return OnLost.RERUN if spec.method in READING and spec.follow is None else OnLost.FAIL

    def is_inline(self, spec: HttpSpec) -> bool:  # noqa: ARG002
        """A name service that does not answer is waited for by the operating system."""
        return True

    def run(self, spec: HttpSpec, context: Context) -> Result:
        context.raise_if_stopped()
        run = _Run(spec, context)
        try:
            return Result(message=run.to_its_end())
        except Stopped:
            run.cancel()
            raise


class _Run:
    def __init__(self, spec: HttpSpec, context: Context) -> None:
        self.spec = spec
        self.context = context
        self.caller = Caller(spec, context)
        self.began_at = time.monotonic()

    def to_its_end(self) -> str:
        """The message of the run."""
        answer = self.send(self.caller.first)
        self.caller.heard(answer)
        if not self.spec.expects(answer.status):
            self.show(answer)
            wanted = ", ".join(map(str, self.spec.expect))
            raise RunFailed(f"answered {_status(answer)}, wanted {wanted}", causes=self.beginning(answer))
        if self.spec.follow is not None:
            self.show(answer)
            return self.followed(self.caller.next(self.spec.follow))
        if self.spec.until is None:
            return self.single(answer)
        return self.repeated(answer)

    def single(self, answer: Answer) -> str:
        self.raise_if_failed(answer)
        self.show(answer)
        return f"{_status(answer)} in {answer.duration_s:.2f} s"

    def repeated(self, answer: Answer) -> str:
        if self.is_done(answer):
            return self.end(answer)
        self.pause()
        return self.followed(self.caller.first)

    def followed(self, request: Request) -> str:
        while not self.is_done(answer := self.look(request)):
            self.pause()
        return self.end(answer)

    def look(self, request: Request) -> Answer:
        """How the remote job goes; a few failures in a row to tell it are borne."""
        for _ in range(N_TRIES - 1):
            try:
                return self.state(request)
            except RunFailed as error:
                self.context.log(f"{error.message}; asking again\n", "hub")
            self.pause()
        return self.state(request)

    def state(self, request: Request) -> Answer:
        answer = self.send(request)
        if not 200 <= answer.status <= 299:
            raise RunFailed(f"asked how it goes, answered {_status(answer)}", causes=self.beginning(answer))
        return answer

    def is_done(self, answer: Answer) -> bool:
        assert self.spec.until
        self.raise_if_failed(answer)
        return self.spec.until.holds(self.document(answer))

    def raise_if_failed(self, answer: Answer) -> None:
        if self.spec.fail_if and self.spec.fail_if.holds(document := self.document(answer)):
            self.show(answer)
            raise RunFailed(f"the remote side failed: {self.spec.fail_if.told(document)}")

    def document(self, answer: Answer) -> Any:
        document = document_of(answer)
        if document is MISSING:
            why = f"larger than {LIMIT_BYTES >> 20} MiB" if answer.is_cut else "no JSON"
            raise RunFailed(f"the answer is {why}, no pointer can be followed in it", causes=self.beginning(answer))
        return document

    def end(self, answer: Answer) -> str:
        assert self.spec.until
        self.show(answer)
        return f"{self.spec.until.told(self.document(answer))} after {time.monotonic() - self.began_at:.2f} s"

    def pause(self) -> None:
        self.context.wait(self.spec.every_s)
        self.context.raise_if_stopped()

    def cancel(self) -> None:
        """Tell the remote side, whatever made this run stop; what was lost is not ours to end."""
        if self.spec.cancel is None or self.is_lost():
            return
        try:
            request = self.caller.next(self.spec.cancel)
            answer = send(request, timeout_s=min(CANCEL_S, self.spec.timeout_s), should_stop=self.is_lost)
        except (RunFailed, Stopped) as error:
            self.context.warn(f"could not tell the remote side to cancel: {error.message}")
        else:
            self.context.log(f"told the remote side to cancel: {_status(answer)}\n", "hub")

    def is_lost(self) -> bool:
        return self.context.stop_reason is Stop.LOST

    def send(self, request: Request) -> Answer:
        return send(
            request,
            timeout_s=self.spec.timeout_s,
            should_stop=self.context.should_stop,
            takes=self.spec.expects,
        )

    def show(self, answer: Answer) -> None:
        if b"\0" in answer.body:
            self.context.log(f"({len(answer.body)} bytes that are no text)\n", "hub")
            return
        output = Output(self.context, "stdout")
        output.feed(answer.body)
        output.feed(b"" if answer.body.endswith(b"\n") or not answer.body else b"\n")
        output.close()
        if answer.is_cut:
            self.context.log(f"(the answer goes on after {len(answer.body)} bytes)\n", "hub")

    def beginning(self, answer: Answer) -> list[str]:
        """Masked before it is cut: half a secret would not be known again."""
        text = self.context.masked(answer.body.decode(errors="replace"))
        lines = (line.strip() for line in text[: N_CAUSE_LINES * N_CAUSE_CHARS].splitlines())
        return [line[:N_CAUSE_CHARS] for line in lines if line][:N_CAUSE_LINES]


def _status(answer: Answer) -> str:
    return f"{answer.status} {answer.reason}".rstrip()

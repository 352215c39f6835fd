"""What a runner is: a validated spec, a place to run, and one method."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import pydantic

from jobs.errors import Invalid
from jobs.runners.context import Context
from jobs.wording import wrong_fields


class Spec(pydantic.BaseModel):
    """The base of every runner's spec: unknown fields are refused, values are not coerced from other types."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)


class SecretRef(Spec):
    """`{"secret": "name"}` in a spec stands for the value of a secret of the job's project."""

    secret: str


def is_secret_ref(value: Any) -> bool:
    """Whether a part of a raw spec refers to a secret: an object with that one field, and a name in it."""
    if not isinstance(value, dict) or value.keys() != {"secret"}:
        return False
    return isinstance(value["secret"], str) and bool(SECRET_NAME.fullmatch(value["secret"]))


def _secretable(value: Any) -> Any:
    if isinstance(value, str | SecretRef):
        return value
    if is_secret_ref(value):
        return SecretRef(secret=value["secret"])
    raise ValueError('wanted a text or {"secret": "name"}')


Secretable = Annotated[str | SecretRef, pydantic.BeforeValidator(_secretable)]
"""A text of a spec that may be kept as a secret."""


def revealed(value: Any, context: Context) -> Any:
    """The value with every reference in it, however deep, replaced by what the secret holds."""
    if isinstance(value, SecretRef):
        return context.secret(value.secret)
    if isinstance(value, dict):
        if is_secret_ref(value):
            return context.secret(value["secret"])
        return {name: revealed(item, context) for name, item in value.items()}
    if isinstance(value, list):
        return [revealed(item, context) for item in value]
    return value


def secret_refs(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Each reference in a raw spec: its dotted field, and the name of the secret."""
    if is_secret_ref(value):
        yield field, value["secret"]
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from secret_refs(item, f"{field}.{key}" if field else str(key))


class OnLost(StrEnum):
    """What becomes of a run whose worker died."""

    RERUN = "rerun"
    """Another attempt is queued: the work may safely be done again."""
    FAIL = "fail"
    """It ends as failed: doing it twice could do harm."""


@dataclass(frozen=True)
class Result:
    """How a runner ended well. `None` means that the runner has nothing to say about that field."""

    message: str = ""
    exit_code: int | None = None
    records: int | None = None
    last_id: str | None = None


S = TypeVar("S", bound=Spec)


class Runner(Generic[S]):
    """Does one step of a job. It knows no Django and no database: everything it needs is in the context.

    `run` returns a `Result`, raises `RunFailed` for an understood failure, `Stopped` once it has obeyed
    `context.should_stop()`. It must leave no process, thread or half-written artefact behind in any case.
    """

    name: ClassVar[str]
    Spec: ClassVar[type[Spec]]
    on_lost: ClassVar[OnLost] = OnLost.FAIL
    privileged: ClassVar[bool] = False
    """Only admins may define an action with this runner."""

    def validate(self, raw: Any) -> S:
        """The parsed spec, or `Invalid` with one error per wrong field."""
        if not isinstance(raw, dict):
            raise Invalid.field("", "wanted an object of fields")
        try:
            spec = self.Spec.model_validate(raw)
        except pydantic.ValidationError as error:
            raise Invalid(wrong_fields(error)) from None
        self.check(spec)  # type: ignore[arg-type]
        return spec  # type: ignore[return-value]

    def check(self, spec: S) -> None:
        """What the types cannot say (paths, names that must exist); raises `Invalid`."""

    def can_pause(self, spec: S) -> bool:  # noqa: ARG002
        """Whether a run of this spec can save a checkpoint and go on later."""
        return False

    def on_lost_of(self, spec: S) -> OnLost:  # noqa: ARG002
        """What becomes of a run of this spec whose worker died."""
        return self.on_lost

    def is_inline(self, spec: S) -> bool:  # noqa: ARG002
        """Whether a run that does not listen can only be ended together with its worker."""
        return False

    def run(self, spec: S, context: Context) -> Result:
        raise NotImplementedError

"""The runner `fail`: stands where there is nothing that could be done, and says why."""

from typing import Annotated, ClassVar

import pydantic

from jobs.errors import RunFailed
from jobs.runners.base import OnLost, Result, Runner, Spec
from jobs.runners.context import Context


class FailSpec(Spec):
    message: Annotated[str, pydantic.Field(min_length=1, max_length=2000)]


class FailRunner(Runner[FailSpec]):
    """A document of somebody else's may be worth keeping although it cannot be run here."""

    name: ClassVar[str] = "fail"
    Spec: ClassVar[type[Spec]] = FailSpec
    on_lost: ClassVar[OnLost] = OnLost.RERUN

    def run(self, spec: FailSpec, context: Context) -> Result:  # noqa: ARG002
        raise RunFailed(spec.message)

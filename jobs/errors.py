"""What the core may raise. The docstring of a class is its message when none is given."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

EXIT_REFUSED = 2
"""Of a process: wrong usage, a bad setting, an unknown name, or the hub says no; nothing was changed."""


class JobHubError(Exception):
    """Something went wrong."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip().split("\n")[0])

    @property
    def message(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class FieldError:
    """One wrong field: its dotted path (`actions.0.spec.source`) and what was wanted of it."""

    field: str
    message: str


class Invalid(JobHubError):
    """The given values are not valid."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in self.errors))

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        return cls([FieldError(field, message)])

    def under(self, prefix: str) -> "Invalid":
        """The same errors, seen from one level further out."""
        return Invalid(FieldError(f"{prefix}.{e.field}" if e.field else prefix, e.message) for e in self.errors)


class NotFound(JobHubError):
    """There is no such thing, or it belongs to somebody else."""


class Forbidden(JobHubError):
    """You may not do this."""


class Conflict(JobHubError):
    """The thing is in a state that does not allow this."""


class IllegalMove(Conflict):
    """The execution cannot make this move from its state."""


class Held(Conflict):
    """The job is on hold."""


class Busy(Conflict):
    """The job is already active."""


class KeysUnfit(Conflict):
    """The key file of the secrets does not fit them."""


class LeaseLost(JobHubError):
    """The execution was given to somebody else: this worker must stop and write nothing more."""


class RunFailed(JobHubError):
    """A runner's own failure: the outermost cause first.

    `causes` are the texts behind the message, `exit_code` is a program's. Raise it for everything that a person can
    understand and mend; any other exception is reported with its class name.
    """

    def __init__(self, message: str, *, causes: Iterable[str] = (), exit_code: int | None = None) -> None:
        super().__init__(message)
        self.causes = tuple(causes)
        self.exit_code = exit_code


class Stopped(JobHubError):
    """The run was told to stop."""


class Unavailable(JobHubError):
    """The hub's database cannot do this just now; try again in a moment."""


def stop_start(why: str) -> NoReturn:
    """End the process for a bad setting, with one line."""
    sys.stderr.write(f"jobhub: {why}\n")
    sys.exit(EXIT_REFUSED)

"""What the authorisation matrix is made of: a row for each route and method of a face."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.engine.rights import Right
from jobs.models import JobExecution
from jobs.states import State

ANYBODY = "anybody"
LOGGED_IN = "logged in"
ROOT = "superuser"
SEE, TRIGGER, EDIT, ADMIN = Right.SEE, Right.TRIGGER, Right.EDIT, Right.ADMIN
Need = str | Right
NAMED = re.compile(r"\{(?:job|execution|project)\b|\balpha\b")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a route of a face needs, and how it is tried.

    `route` is as in the URL table, below a mount. `path` is where it is asked at the face's first mount; it and the
    texts of `body` may hold `{job.…}`, `{execution.…}` and `{project.…}` of things in project `alpha`.
    """

    method: str
    route: str
    need: Need
    path: str
    status: int = 200
    """What those get who may."""
    body: Any = None
    state: State = State.QUEUED
    """Of the execution that is there."""
    job: dict[str, Any] | None = None
    """Fields of the job that is there, beside its name `nightly/db`."""
    prepare: Callable[[JobExecution], None] | None = None
    """Makes what else the route needs, in project `alpha`."""
    stranger: int | None = None
    """What somebody of another project gets; default: as an unknown thing where the row names one of `alpha`."""
    headers: dict[str, str] | None = None

    @property
    def names_something(self) -> bool:
        return NAMED.search(f"{self.path} {self.body}") is not None

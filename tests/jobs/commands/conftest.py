"""Commands as a shell would call them: what they print, say and answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from jobs.models import Project


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Run = Callable[..., Done]


@pytest.fixture
def run(alpha: Project) -> Run:
    """`run("trigger", "name", "--json")`, where the only project is `alpha`."""

    def call(*words: str) -> Done:
        out, err = StringIO(), StringIO()
        code = 0
        try:
            call_command(*words, stdout=out, stderr=err)
        except CommandError as error:
            err.write(str(error))
            code = error.returncode
        except SystemExit as leave:
            code = int(leave.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    return call

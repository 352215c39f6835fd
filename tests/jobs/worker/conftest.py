"""A receiver of notices, and something to tell it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import secrets as key_files
from jobs import targets
from jobs.engine.notices import subscribe
from jobs.engine.rights import Actor
from jobs.models import Project, Secret, Subscription
from jobs.states import State
from jobs.targets import TargetGuard, parse
from tests.conftest import MakeExecution, MakeJob
from tests.jobs.servers import Reply, Server, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A receiver on this machine; what listens here may be reached."""
    monkeypatch.setattr(targets, "_guard", TargetGuard(parse(["127.0.0.1"])))
    with serving() as server:
        server.replies["/hook"] = Reply(status=204)
        yield server


@pytest.fixture
def hook(server: Server, op: Actor) -> Subscription:
    return subscribe({"webhook": f"{server.url}/hook"}, actor=op)


@pytest.fixture
def failed(make_job: MakeJob, make_execution: MakeExecution) -> Any:
    """An execution that failed, before anybody wanted to know."""
    return make_execution(make_job("nightly/db"), State.FAILED, message="it broke", errors=["it broke", "because"])


@pytest.fixture
def keys(alpha: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """`keys(name, value)`: a secret of `alpha`."""
    monkeypatch.setattr(key_files, "_keys", key_files.KeyFile(tmp_path / "keys"))

    def make(name: str, value: str) -> None:
        text = key_files.keys().encrypt(value)
        Secret.objects.create(project=alpha, name=name, ciphertext=text, created_by="x", updated_by="x")

    return make

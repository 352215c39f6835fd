"""What every runner test needs: a path guard and a context."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import paths as paths_module
from jobs.paths import PathGuard
from jobs.runners.context import Context
from tests.jobs.runners.processes import Mark


@pytest.fixture(autouse=True)
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PathGuard:
    """Everything below `tmp_path` is allowed, but `tmp_path/hub` is the hub's own."""
    guard = PathGuard(allowed=(tmp_path,), refused=(tmp_path / "hub",), data=tmp_path / "data")
    monkeypatch.setattr(paths_module, "_guard", guard)
    return guard


@pytest.fixture
def context(tmp_path: Path) -> Context:
    workdir = tmp_path / "work"
    workdir.mkdir(mode=0o700)
    return Context(workdir=workdir)


@pytest.fixture
def mark() -> Iterator[Mark]:
    """What still carries it after the test is killed."""
    mark = Mark()
    yield mark
    mark.kill()

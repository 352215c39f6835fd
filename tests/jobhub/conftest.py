"""What hubs of real processes have in common."""

from pathlib import Path

import pytest

from tests.jobhub.hub import Hub


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a hub after its `setup`, to be copied: the migrations take seconds."""
    folder = tmp_path_factory.mktemp("installed")
    done = Hub(folder).run("setup")
    assert done.returncode == 0, done.stderr
    return folder / "var"

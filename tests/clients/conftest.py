"""A running hub for the vendors' clients: real web processes and workers, one for the whole session."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.hub import ClientsHub


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientsHub]:
    """It answers HTTP and HTTPS; nobody changes its settings. Each test names its jobs as no other one does."""
    hub = ClientsHub(tmp_path_factory.mktemp("clients"))
    hub.up()
    yield hub
    hub.close()


@pytest.fixture
def apply(hub: ClientsHub, tmp_path: Path) -> Callable[..., None]:
    """`apply(job, …)`: jobs of the hub, as documents."""

    def make(*jobs: object) -> None:
        file = tmp_path / "jobs.yaml"
        file.write_text(json.dumps({"jobs": jobs}))
        done = hub.run("apply", str(file))
        assert done.returncode == 0, done.stderr

    return make

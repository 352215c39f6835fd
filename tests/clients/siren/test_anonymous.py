"""A hub that is open to scripts without credentials, and whose ingestions fill the indices of an Elasticsearch."""

from collections.abc import Iterator

import pytest

from tests.clients.hub import ClientsHub
from tests.clients.siren.conftest import ALL, call, run_program
from tests.jobs.runners import elastic as elastics
from tests.jobs.runners.elastic import Elastic


@pytest.fixture(scope="module")
def elastic() -> Iterator[Elastic]:
    with elastics.running() as server:
        yield server


@pytest.fixture(scope="module")
def hub(elastic: Elastic, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientsHub]:
    hub = ClientsHub(tmp_path_factory.mktemp("open"), ELASTICSEARCH_URL=elastic.url)
    hub.run("setup")
    hub.env["JOBHUB_SIREN_ANONYMOUS"] = hub.key("normal").partition(".")[0]
    hub.up()
    yield hub
    hub.close()


@pytest.mark.parametrize("version", ALL, ids=lambda version: f"client {version}")
def test_the_transport_of_every_client_needs_no_credentials(
    hub: ClientsHub, elastic: Elastic, version: int, name: str, jdbc: str
) -> None:
    ingest = {"datasource": name, "query": "SELECT id, name FROM events", "target": name, "pk_field": "id"}
    answers = run_program(
        version,
        hub,
        call("PUT", f"datasource/{name}", {"jdbc": {"url": jdbc}}),
        call("PUT", f"ingestion/{name}", {"ingest": {**ingest, "staging_prefix": "staging"}}),
        call("POST", f"ingestion/{name}/_run"),
        {"poll": f"/_siren/connector/jobs/ingestion/{name}"},
        through="transport",
        login={},
    )

    assert answers[-1]["body"]["status"]["state"] == "successful"
    assert len(elastic.documents(name)) == 2500
    assert elastic.behind(name) == [f"staging-{name}-jobhub-1"]

"""An incremental ingestion whose worker is killed again and again: no row is missing, none is there twice."""

import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.cluster.conftest import MakeHub
from tests.cluster.hub import Hub
from tests.databases import Database, database_of
from tests.jobs.runners.ingest import ids_of, spec_of
from tests.waiting import eventually

N_KILLS = 20
SLOW = (
    "SELECT id, name, pg_sleep(0.004)::text AS nap FROM t "
    "{{#max_primary_key}}WHERE id > {{max_primary_key}}{{/max_primary_key}} ORDER BY id"
)

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.postgres]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    with database_of("postgresql", tmp_path) as database:
        database.fill("t", 1, 2000)
        yield database


def busy(hub: Hub, port: int) -> list[psutil.Process]:
    """The workers that talk to the source."""
    found = []
    for process in hub.workers(hub.mains[-1]):
        with contextlib.suppress(psutil.Error):
            if any(one.raddr and one.raddr.port == port for one in process.net_connections()):
                found.append(process)
    return found


def keep_busy(hub: Hub, source: Database, port: int) -> list[psutil.Process]:
    """Whom to kill; where all is done, there is more to do, and a run that was lost too often is triggered again."""
    if not hub.n_active():
        [(last,)] = source.rows("SELECT max(id) FROM t")
        source.fill("t", last + 1, last + 500)
        for name in ("lines", "rows"):
            hub.seed("again", name=name)
    return busy(hub, port)


def start(hub: Hub, source: Database, targets: dict[str, dict[str, Any]]) -> None:
    for name, target in targets.items():
        spec = spec_of(source, target, query=SLOW, batch_size=25)
        hub.seed("step", name=name, runner="ingestion", spec=spec)
    hub.start()


def test_killed_workers_neither_lose_nor_double_a_row(make_hub: MakeHub, source: Database, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    hub = make_hub(workers=3, allowed_targets="127.0.0.1", allowed_paths=tmp_path)
    start(hub, source, {"lines": {"jsonl": str(out)}, "rows": {"table": {"url": source.url, "table": "copy"}}})
    port, dice = urlsplit(source.url).port or 5432, random.Random(20)

    n_kills = 0
    while n_kills < N_KILLS:
        victims = eventually(lambda: keep_busy(hub, source, port), within_s=60, what="a busy worker")
        time.sleep(dice.uniform(0.1, 0.6))
        with contextlib.suppress(psutil.NoSuchProcess):
            dice.choice(victims).kill()
            n_kills += 1

    eventually(lambda: not hub.n_active(), within_s=180, what="the end of all executions")
    for name in ("lines", "rows"):
        hub.seed("again", name=name)
    eventually(lambda: not hub.n_active(), within_s=180, what="the end of the last ones")
    [(n_lost,)] = hub.rows("SELECT sum(n_lost) FROM jobs_jobexecution")
    assert n_lost >= N_KILLS / 2, "most of the kills hit nothing"
    wanted = [number for (number,) in source.rows("SELECT id FROM t ORDER BY id")]
    assert ids_of(out) == wanted
    assert [number for (number,) in source.rows("SELECT id FROM copy ORDER BY id")] == wanted
    assert [state for (state,) in hub.rows("SELECT state FROM jobs_jobexecution ORDER BY id DESC LIMIT 2")] == [
        "succeeded",
        "succeeded",
    ]

"""Ingestion into indices, by the official client."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import targets as targets_module
from jobs.errors import Invalid, RunFailed, Stopped
from jobs.runners.context import Context
from jobs.runners.ingestion import IngestionRunner
from jobs.runners.sql import index
from jobs.targets import TargetGuard
from tests.databases import Database, MakeDatabase
from tests.jobs.runners.elastic import Elastic, running
from tests.jobs.runners.ingest import EVERYTHING, Crash, Crashing, Stopping, ingest, spec_of

INDEX = {"index": "events"}


@pytest.fixture
def source(make_database: MakeDatabase) -> Database:
    database = make_database("sqlite")
    database.fill("t", 1, 25)
    return database


@pytest.fixture
def elastic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elastic]:
    with running() as server:
        monkeypatch.setattr(index, "_url", server.url)
        yield server


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def keys(elastic: Elastic) -> list[int]:
    return sorted(int(key) for key in elastic.documents("events"))


# -- it works ----------------------------------------------------------------------------------------------------------
def test_documents_are_named_by_their_keys(source: Database, elastic: Elastic, context: Context) -> None:
    result = ingest(spec_of(source, INDEX), context)

    assert (result.records, result.last_id) == (25, "25")
    assert keys(elastic) == [*range(1, 26)]
    assert elastic.documents("events")["7"] == {"id": 7, "name": "name 7"}


def test_it_goes_on_after_the_last_key(source: Database, elastic: Elastic, context: Context) -> None:
    ingest(spec_of(source, INDEX), context)
    source.fill("t", 26, 30)

    assert ingest(spec_of(source, INDEX), context).records == 5
    assert keys(elastic) == [*range(1, 31)]


def test_the_request_names_the_host_of_the_url(source: Database, elastic: Elastic, context: Context) -> None:
    ingest(spec_of(source, INDEX), context)

    assert elastic.hosts == {elastic.url.removeprefix("http://")}


def test_an_index_that_is_gone_is_filled_anew(source: Database, elastic: Elastic, context: Context) -> None:
    ingest(spec_of(source, INDEX), context)
    elastic.indices.clear()

    assert ingest(spec_of(source, INDEX), context).records == 25


# -- being stopped -----------------------------------------------------------------------------------------------------
def test_a_crash_doubles_nothing(source: Database, elastic: Elastic, tmp_path: Path) -> None:
    context = Crashing(workdir=tmp_path)
    context.after = 3
    with pytest.raises(Crash):
        ingest(spec_of(source, INDEX), context)
    assert keys(elastic) == [*range(1, 21)]

    ingest(spec_of(source, INDEX), Context(workdir=tmp_path, cursor=context.cursor))

    assert keys(elastic) == [*range(1, 26)]


def test_a_stop_leaves_whole_batches(source: Database, elastic: Elastic, tmp_path: Path) -> None:
    context = Stopping(workdir=tmp_path)
    context.after = 2

    with pytest.raises(Stopped):
        ingest(spec_of(source, INDEX), context)
    assert keys(elastic) == [*range(1, 11)]


# -- replace -----------------------------------------------------------------------------------------------------------
def replacing(source: Database, **fields: Any) -> dict[str, Any]:
    return spec_of(source, INDEX, strategy="replace", query=EVERYTHING, **fields)


def test_replace_swaps_an_alias(source: Database, elastic: Elastic, context: Context) -> None:
    ingest(replacing(source), context)
    source.run("DELETE FROM t WHERE id > 3")

    ingest(replacing(source), context)

    assert keys(elastic) == [1, 2, 3]
    assert list(elastic.indices) == ["events-jobhub-2"]


def test_replace_takes_the_place_of_an_index_with_its_mapping(
    source: Database, elastic: Elastic, context: Context
) -> None:
    elastic.indices["events"] = {"99": {"id": 99}}
    elastic.mappings["events"] = {"properties": {"id": {"type": "long"}}}

    ingest(replacing(source), context)

    assert keys(elastic) == [*range(1, 26)]
    assert elastic.mappings["events-jobhub-1"] == {"properties": {"id": {"type": "long"}}}


def test_a_failed_replace_leaves_the_old_documents(source: Database, elastic: Elastic, context: Context) -> None:
    elastic.indices["events"] = {"99": {"id": 99}}
    source.run("INSERT INTO t VALUES (26, 'poison')")

    with pytest.raises(RunFailed, match="record with id 26 cannot be written: mapper_parsing_exception"):
        ingest(replacing(source), context)

    assert elastic.indices == {"events": {"99": {"id": 99}}}


def test_the_new_index_has_the_wanted_prefix(source: Database, elastic: Elastic, context: Context) -> None:
    target = {"index": {"name": "events", "staging_prefix": "staging"}}
    ingest(replacing(source), context)
    ingest({**replacing(source), "target": target}, context)

    assert list(elastic.indices) == ["staging-events-jobhub-1"]
    assert keys(elastic) == [*range(1, 26)]


# -- who writes --------------------------------------------------------------------------------------------------------
def test_the_target_may_name_who_writes(
    source: Database, elastic: Elastic, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_url", elastic.url.replace("//", "//hub:hubs-own@"))
    context.secrets = {"writer": "s3cret"}
    target = {"index": {"name": "events", "user": "jane", "password": {"secret": "writer"}}}
    ingest({**spec_of(source, INDEX), "target": target}, context)

    assert elastic.logins == {basic("jane", "s3cret")}
    assert "s3cret" not in str(context.output)


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_some_documents_may_be_dropped(source: Database, elastic: Elastic, context: Context) -> None:
    source.run("UPDATE t SET name = 'poison' WHERE id IN (4, 5)")

    result = ingest(spec_of(source, INDEX, max_errors=2), context)

    assert result.message == "23 records, 2 records dropped"
    assert len(elastic.documents("events")) == 23


def test_an_index_that_grows_needs_a_key(source: Database) -> None:
    raw = spec_of(source, INDEX, pk_field=None, query="SELECT id FROM t WHERE id > {{last_record.id}} ORDER BY id")

    with pytest.raises(Invalid, match="pk_field"):
        IngestionRunner().validate(raw)


def test_without_a_server_the_setting_is_named(
    source: Database, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_url", "")

    with pytest.raises(RunFailed, match="JOBHUB_ELASTICSEARCH_URL"):
        ingest(spec_of(source, INDEX), context)


def test_a_server_that_is_no_allowed_target_is_refused(
    source: Database, elastic: Elastic, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets_module, "_guard", TargetGuard())

    with pytest.raises(RunFailed, match="JOBHUB_ALLOWED_TARGETS"):
        ingest(spec_of(source, INDEX), context)
    assert elastic.hosts == set()


def test_a_server_that_does_not_answer_is_told(
    source: Database, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_url", "http://127.0.0.1:9")

    with pytest.raises(RunFailed, match=r"cannot write to the index events: .*refused"):
        ingest(spec_of(source, INDEX), context)

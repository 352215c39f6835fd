"""Configurations that are run: what they bring, and what is told of it."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.clients.datameer.conftest import Configuration, Script

Run = Callable[[str], tuple[str, dict[str, Any]]]


@pytest.fixture
def run(script: Script) -> Run:
    """Start a job, wait for its end; the word for it, and the details of the run."""

    def run(number: str) -> tuple[str, dict[str, Any]]:
        printed = script(
            'id=$(trigger $ID); wait_for $ID; curl -s -u "$LOGIN" $URL/rest/job-execution/job-details/$id',
            ID=number,
        )
        word, _, details = printed.partition("\n")
        return word, json.loads(details)

    return run


@pytest.fixture
def connection(script: Script, payload: Callable[[dict[str, Any]], Path], table: Path) -> str:
    """The path of a connection to the table's database."""
    path = f"/Data/Connections/{table.stem}.dst"
    document = {
        "className": "datameer.dap.common.entity.DataBaseConnection",
        "file": {"path": path},
        "typeId": "das.JdbcDataStoreType",
        "properties": {"key.connectionUrl": [f"jdbc:sqlite:{table}"]},
    }
    payload(document)
    script('curl -s -f -u "$LOGIN" -X POST -d @job-payload.json $URL/rest/connections')
    return path


def ask(script: Script, path: str) -> Any:
    return json.loads(script(f'curl -s -u "$LOGIN" $URL{path}'))


def test_an_import_through_a_connection(
    script: Script, table: Path, connection: str, configuration: Configuration, run: Run
) -> None:
    target = table.with_suffix(".jsonl")
    number = configuration(
        "import-job",
        {"jobhub.query": "SELECT id, url FROM urls ORDER BY id", "jobhub.target": str(target)},
        dataStore={"path": connection},
    )
    word, details = run(number)
    volume = 25 * 16 + sum(len(f"http://host/{number}") for number in range(1, 26))

    assert (word, details["successCount"], details["failureCount"]) == ("COMPLETED", 25, 0)
    assert (details["counters"]["IMPORT_RECORDS"], details["counters"]["IMPORT_BYTES"]) == (25, volume)
    assert len(target.read_text().splitlines()) == 25
    assert ask(script, f"/rest/job-configuration/volume-report/{number}")[0]["importedVolume"] == volume
    assert ask(script, f"/rest/data/import-job/{number}")[0]["record-count"] == 25
    assert ask(script, "/rest/license-details")["TotalVolumeConsumedInBytes"] >= volume


def test_an_import_that_drops_records_completes_with_warnings(
    script: Script, table: Path, connection: str, configuration: Configuration, run: Run
) -> None:
    with closing(sqlite3.connect(table)) as database:
        database.execute("UPDATE urls SET url = CAST(x'ff' AS TEXT) WHERE id IN (3, 7)")
        database.commit()
    number = configuration(
        "import-job",
        {"jobhub.query": "SELECT id, url FROM urls ORDER BY id", "jobhub.target": f"{table}.jsonl"},
        dataStore={"path": connection},
        validationStrategy="DROP_RECORD",
    )
    word, details = run(number)

    assert (word, details["successCount"], details["failureCount"]) == ("COMPLETED_WITH_Warnings", 23, 2)
    assert ask(script, f"/api/job-execution/{number}/status")["job-status"] == "COMPLETED_WITH_WARNINGS"


def test_an_export_to_a_csv_file(table: Path, connection: str, configuration: Configuration, run: Run) -> None:
    target = table.with_suffix(".csv")
    number = configuration(
        "export-jobs",
        {
            "jobhub.query": "SELECT id, url FROM urls WHERE id < 3 ORDER BY id",
            "jobhub.source": connection,
            "jobhub.target": str(target),
        },
        delimiterString=";",
        includeHeader=True,
    )
    word, details = run(number)

    assert (word, details["counters"]["EXPORT_RECORDS"]) == ("COMPLETED", 2)
    assert target.read_text() == "id;url\n1;http://host/1\n2;http://host/2\n"


def test_an_export_to_a_table(table: Path, connection: str, configuration: Configuration, run: Run) -> None:
    number = configuration(
        "export-job",
        {
            "jobhub.query": "SELECT id, url FROM urls WHERE id < 3 ORDER BY id",
            "jobhub.source": connection,
            "jobhub.target": json.dumps({"table": {"url": f"sqlite:///{table}.copy", "table": "copies"}}),
        },
    )
    word, _ = run(number)
    with closing(sqlite3.connect(f"{table}.copy")) as database:
        copied = database.execute("SELECT * FROM copies ORDER BY id").fetchall()

    assert (word, copied) == ("COMPLETED", [(1, "http://host/1"), (2, "http://host/2")])


def test_a_workbook_runs_its_actions_in_their_order(table: Path, configuration: Configuration, run: Run) -> None:
    copy, text = f"{table}.2", f"{table}.csv"
    actions = [
        {
            "runner": "ingestion",
            "spec": {
                "source": f"sqlite:///{table}",
                "query": "SELECT * FROM urls WHERE id > 20",
                "target": {"table": {"url": f"sqlite:///{copy}", "table": "last"}},
            },
        },
        {
            "runner": "export",
            "spec": {"source": f"sqlite:///{copy}", "query": "SELECT count(*) AS n FROM last", "target": {"csv": text}},
        },
    ]
    number = configuration("workbook", {"jobhub.actions": [json.dumps(action) for action in actions]})
    word, _ = run(number)

    assert (word, Path(text).read_text()) == ("COMPLETED", "n\n5\n")


@pytest.mark.parametrize("word", ["import-job", "export-job", "workbook"])
def test_a_document_of_another_server_is_kept_and_its_run_fails(
    script: Script, configuration: Configuration, run: Run, word: str
) -> None:
    number = configuration(word, {"fileType": "CSV"}, dataStore={"path": "/Data/Connections/none.dst"})
    told, _ = run(number)
    last = ask(script, f"/rest/job-configuration/job-status/{number}")["id"]

    assert told == "ERROR"
    assert "jobhub." in ask(script, f"/hub/v1/executions/{last}")["message"]
    assert ask(script, f"/rest/{word}/{number}")["properties"] == {"fileType": ["CSV"]}

"""What its users' scripts cut out of the answers with grep, awk and sed, and how they wait for the end of a run."""

import json
from pathlib import Path

from tests.clients.datameer.conftest import Configuration, Script


def test_the_ids_of_a_list(script: Script, broken: str, slow: str) -> None:
    printed = script("""curl -s -u "$LOGIN" $URL/rest/workbook | egrep '"id"' | sed 's/"id": //g' | sed 's/ //g'""")

    assert {broken, slow} <= set(printed.split())
    assert all(line.isdigit() for line in printed.split())


def test_the_id_of_a_name(script: Script, configuration: Configuration) -> None:
    wanted = configuration("import-job", {})
    name = json.loads(script('curl -s -u "$LOGIN" $URL/rest/import-job/$ID', ID=wanted))["file"]["path"]
    printed = script(
        """curl -s -u "$LOGIN" $URL/rest/import-job | awk -v path="$NAME" '$0 ~ path,/id/' |
            tail -1 | egrep -o "[0-9]+" """,
        NAME=name,
    )

    assert printed.strip() == wanted


def test_the_last_run_of_a_job(script: Script, broken: str) -> None:
    triggered = json.loads(script('curl -s -u "$LOGIN" -X POST "$URL/rest/job-execution?configuration=$ID"', ID=broken))
    printed = script(
        'curl -s -u "$LOGIN" $URL/rest/job-configuration/job-history/$ID?start=0\\&length=1 | egrep -o "[0-9]+"',
        ID=broken,
    )

    assert printed.split() == [str(triggered["job-execution-id"])]


def test_the_words_of_the_details(script: Script, broken: str) -> None:
    printed = script(
        """
        id=$(trigger $ID)
        wait_for $ID >/dev/null
        curl -s -u "$LOGIN" $URL/rest/job-execution/job-details/$id | egrep -o '"(jobStatus|startTime|stopTime)": (.*)'
        """,
        ID=broken,
    )
    words = dict(line.rstrip(",").split(": ", 1) for line in printed.splitlines())

    assert words['"jobStatus"'] == '"ERROR"'
    assert set(words) == {'"jobStatus"', '"startTime"', '"stopTime"'}


def test_a_status_is_there_right_after_the_trigger(script: Script, slow: str) -> None:
    """A poller that reads the status at once takes anything but these words for the end."""
    printed = script(
        "for round in 1 2 3; do trigger $ID >/dev/null; status $ID; done",
        ID=slow,
    )
    stopped = script('curl -s -u "$LOGIN" -X DELETE $URL/api/job-execution/$ID; wait_for $ID', ID=slow)

    assert set(printed.split()) <= {"QUEUED", "RUNNING", "WAITING_FOR_OTHER_JOB"}
    assert printed.split()[1:] == ["WAITING_FOR_OTHER_JOB"] * 2
    assert stopped.strip() == "CANCELED"


def test_a_poller_sees_the_end_of_an_import(script: Script, table: Path, configuration: Configuration) -> None:
    target = table.with_suffix(".jsonl")
    number = configuration(
        "import-job",
        {
            "jobhub.query": "SELECT id, url FROM urls ORDER BY id",
            "jobhub.target": str(target),
            "jobhub.source": f"sqlite:///{table}",
        },
    )
    printed = script("trigger $ID >/dev/null; wait_for $ID", ID=number)

    assert printed.strip() == "COMPLETED"
    assert [json.loads(line)["id"] for line in target.read_text().splitlines()] == [*range(1, 26)]

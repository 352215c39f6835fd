"""A Perl client on LWP and JSON::XS that checks what the Nagios plugins for Datameer do."""

import subprocess
from pathlib import Path

import pytest

from tests.clients.datameer.conftest import Configuration, Script
from tests.clients.hub import PASSWORD, ClientsHub

CHECKS = Path(__file__).with_name("checks.pl")
OK, WARNING, CRITICAL, UNKNOWN = range(4)


@pytest.fixture(scope="module", autouse=True)
def modules() -> None:
    asked = subprocess.run(["perl", "-MLWP::UserAgent", "-MJSON::XS", "-e", "1"], capture_output=True, text=True)
    if asked.returncode:
        pytest.skip(f"no Perl with its modules (libwww-perl, libjson-xs-perl): {asked.stderr[:200]}")


def check(hub: ClientsHub, name: str, *refs: object, password: str = PASSWORD) -> tuple[int, str]:
    command = ["perl", str(CHECKS), name, hub.url, "admin", password, *map(str, refs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert not done.stderr
    return done.returncode, done.stdout.strip()


def run(script: Script, number: str) -> int:
    """The id of a run that has ended."""
    return int(script("trigger $ID; wait_for $ID >/dev/null", ID=number))


def test_the_status_of_a_job(hub: ClientsHub, script: Script, broken: str, slow: str) -> None:
    never = check(hub, "job_status", broken)
    run(script, broken)
    script("trigger $ID", ID=slow)
    active = check(hub, "job_status", slow)
    script('curl -s -u "$LOGIN" -X DELETE $URL/api/job-execution/$ID; wait_for $ID', ID=slow)

    assert never == (UNKNOWN, "UNKNOWN: job not found")
    assert check(hub, "job_status", broken) == (CRITICAL, "CRITICAL: error")
    assert active[0] == OK
    assert check(hub, "job_status", slow) == (WARNING, "WARNING: canceled")


def test_a_job_that_does_not_exist(hub: ClientsHub) -> None:
    assert check(hub, "job_status", 99999) == (
        CRITICAL,
        "CRITICAL: 404 Not Found. Error: there is no job configuration '99999'",
    )


def test_a_wrong_password(hub: ClientsHub) -> None:
    assert check(hub, "version", password="wrong") == (CRITICAL, "CRITICAL: 401 Unauthorized. Error: Unauthorized")


def test_the_details_and_the_volume_of_an_import(
    hub: ClientsHub, script: Script, table: Path, configuration: Configuration
) -> None:
    properties = {"query": "SELECT id FROM urls", "target": f"{table}.jsonl", "source": f"sqlite:///{table}"}
    number = configuration("import-job", {f"jobhub.{name}": value for name, value in properties.items()})
    execution = run(script, number)

    assert check(hub, "job_details", number, execution) == (
        OK,
        "OK: IMPORT_RECORDS=25 IMPORT_BYTES=400 IMPORT_DROPPED_RECORDS=0 IMPORT_PREVIEW_RECORDS=25 "
        "IMPORT_OUTPUT_BYTES=400 IMPORT_DROPPED_SPLITS=0 IMPORT_OUTPUT_PARTITIONS=0",
    )
    assert check(hub, "job_volume", number) == (OK, "OK: 400 bytes in 1 runs")


def test_the_details_of_a_workbook(hub: ClientsHub, script: Script, broken: str) -> None:
    assert check(hub, "job_details", broken, run(script, broken))[0] == CRITICAL
    assert check(hub, "job_volume", broken) == (OK, "OK: 0 bytes in 1 runs")


@pytest.mark.parametrize("name", ["active_jobs", "stats", "license", "version"])
def test_what_is_asked_of_the_whole_server(hub: ClientsHub, name: str) -> None:
    assert check(hub, name)[0] == OK

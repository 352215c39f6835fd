"""The curl lines of the vendor's pages: the names in `<…>` are filled in, and the status asked for as the pages say.

REST API Job Commands, Administrator Information, Import Job, Export Job, Workbook, Connections (7.0 to 11, read in
November 2026).
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.clients.datameer.conftest import Configuration, Script


def page(script: Script, line: str, **names: Any) -> tuple[Any, int]:
    """What a line of a page gives: the body, and the status that `-w` adds to it."""
    line = line.replace("'http://<Datameer-serverIP>:<port-number>", '"$URL').replace("'", '"')
    line = line.replace("<username>:<password>", "$LOGIN").replace('"$LOGIN"', "$LOGIN").replace("$LOGIN", '"$LOGIN"')
    for name in names:
        line = line.replace(f"<{name.replace('_', '-')}>", f"${name}")
    assert "<" not in line, line
    text, _, status = script(f"{line} -s -w '\\n%{{http_code}}\\n'", **names).rstrip("\n").rpartition("\n")
    return (json.loads(text) if text else ""), int(status)


# -- the nine commands -------------------------------------------------------------------------------------------------
def test_job_status(script: Script, broken: str) -> None:
    line = (
        "curl -u <username>:<password> -X GET "
        "'http://<Datameer-serverIP>:<port-number>/rest/job-configuration/job-status/<job-configuration-id>'"
    )
    never = page(script, line, job_configuration_id=broken)
    script("trigger $ID; wait_for $ID", ID=broken)
    failed, status = page(script, line, job_configuration_id=broken)

    assert never == ({}, 200)
    assert (list(failed), failed["jobStatus"], status) == (["id", "jobStatus"], "ERROR", 200)


def test_job_status_v2_by_file_id_uuid_and_path(script: Script, broken: str) -> None:
    listed = json.loads(script('curl -s -u "$LOGIN" $URL/rest/workbook'))
    file = next(one for one in listed if one["id"] == int(broken))
    line = (
        "curl -u <username>:<password> -X GET "
        "'http://<Datameer-serverIP>:<port-number>/api/job-execution/<file-id>/status'"
    )
    refs = (file["id"], file["uuid"], file["path"], file["path"].replace("/", "%2F"))

    assert [page(script, line, file_id=ref) for ref in refs] == [
        ({"status": "success", "job-status": "_NONE"}, 200)
    ] * 4
    assert page(script, line, file_id="/Data/nobody") == (
        {"status": "failure", "reason": "File doesn't exist or isn't accessible with current permissions"},
        404,
    )


def test_trigger_history_details_and_list_running_and_stop(script: Script, slow: str) -> None:
    trigger = (
        "curl -u <username>:<password> -X POST "
        "'http://<Datameer-serverIP>:<port-number>/rest/job-execution?configuration=<job-configuration-id>'"
    )
    triggered, status = page(script, trigger, job_configuration_id=slow)
    run = triggered.pop("job-execution-id")
    assert (triggered, status) == (
        {"status": "success", "job-execution-user": "admin", "job-execution-trigger": "RESTAPI"},
        200,
    )
    script('until test "$(status $ID)" = RUNNING; do sleep 0.1; done', ID=slow)
    history = (
        "curl -u <username>:<password> -X GET 'http://<Datameer-serverIP>:<port-number>"
        "/rest/job-configuration/job-history/<job-configuration-id>?start=0&length=10'"
    )
    assert page(script, history, job_configuration_id=slow) == ([{"id": run, "jobStatus": "RUNNING"}], 200)
    details = (
        "curl -u <username>:<password> -X GET "
        "'http://<Datameer-serverIP>:<port-number>/rest/job-execution/job-details/<job-execution-id>'"
    )
    shown, status = page(script, details, job_execution_id=run)
    assert (shown["jobStatus"], "stopTime" in shown, status) == ("RUNNING", False, 200)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,6}", shown["startTime"])
    active = "curl -u <username>:<password> -X GET 'http://<Datameer-serverIP>:<port-number>/rest/jobs/list-running'"
    assert {"id": run, "jobStatus": "RUNNING"} in page(script, active)[0]
    stop = (
        "curl -u <username>:<password> -X POST "
        "'http://<Datameer-serverIP>:<port-number>/rest/job-execution/job-kill/<job-execution-id>'"
    )
    assert page(script, stop, job_execution_id=run) == ("", 200)
    assert script("wait_for $ID", ID=slow).strip() == "CANCELED"


def test_a_sequence_stops_at_its_first_error(script: Script, broken: str, configuration: Configuration) -> None:
    after = configuration("workbook", {"jobhub.actions": '{"runner": "python", "spec": {"callable": "noop"}}'})
    line = (
        "curl -u <username>:<password> -X POST 'http://<Datameer-serverIP>:<port-number>"
        "/rest/job-execution/sequential?configuration=<first>&configuration=<second>&configuration=<third>'"
    )
    body, status = page(script, line, first=after, second=broken, third=after)
    words = script("wait_for $ID", ID=after)
    history = script(
        'curl -s -u "$LOGIN" "$URL/rest/job-configuration/job-history/$ID?start=0&length=2" | grep jobStatus', ID=after
    )

    assert (status, len(body["job-execution-ids"])) == (200, 3)
    assert words.strip() == "CANCELED"
    assert re.findall('"jobStatus": "(.*)"', history) == ["CANCELED", "COMPLETED"]


def test_delete_a_run(script: Script, broken: str) -> None:
    run = script("trigger $ID; wait_for $ID >/dev/null", ID=broken).strip()
    line = "curl -u <username>:<password> -X DELETE 'http://<Datameer-serverIP>:<port-number>/rest/data/<run>'"

    assert page(script, line, run=run) == ({"status": "success"}, 200)
    assert page(script, line, run=run)[1] == 404


# -- configurations ----------------------------------------------------------------------------------------------------
def test_an_import_job_is_made_read_changed_sent_back_and_deleted(
    script: Script, payload: Callable[[dict[str, Any]], Path]
) -> None:
    payload({"file": {"path": "/Data/ImportJobs/Round trip.imp"}, "fields": [{"name": "url"}]})
    create = (
        "curl -u '<username>:<password>' -X POST -d @job-payload.json "
        "'http://<Datameer-serverIP>:<port-number>/rest/import-job'"
    )
    one = "'http://<Datameer-serverIP>:<port-number>/rest/import-job/<job-configuration-id>'"
    made, status = page(script, create)
    number = made["configuration-id"]
    assert (list(made), made["status"], status) == (["configuration-id", "status"], "success", 200)
    assert page(script, create)[0]["reason"].endswith("already exists")
    shown, _ = page(script, f"curl -u '<username>:<password>' -X GET {one}", job_configuration_id=number)
    payload({**shown, "minKeepCount": 7})
    update = f"curl -u '<username>:<password>' -X PUT -d @job-payload.json {one}"
    assert page(script, update, job_configuration_id=number) == ({"status": "success"}, 200)
    again, _ = page(script, f"curl -u '<username>:<password>' -X GET {one}", job_configuration_id=number)
    assert again == {**shown, "minKeepCount": 7}
    delete = f"curl -u '<username>:<password>' -X DELETE {one}"
    assert page(script, delete, job_configuration_id=number) == ({"status": "success"}, 200)
    assert page(script, delete, job_configuration_id=number)[1] == 404


def test_a_workbook_of_version_11(script: Script, payload: Callable[[dict[str, Any]], Path]) -> None:
    payload({"workbook": {"file": {"name": "NewWorkbook_wb", "folder": ["/Users/admin", "8bbdb7a0"]}, "sheets": []}})
    line = (
        "curl -u '<username>:<password>' -X POST -H \"Content-Type:application/json\" -d @job-payload.json "
        "'http://<Datameer-serverIP>:<port-number>/api/workbooks'"
    )
    body, status = page(script, line)

    assert (status, body["file-path"], body["file-id"]) == (
        200,
        "/Users/admin/NewWorkbook_wb",
        body["configuration-id"],
    )


def test_who_has_a_wrong_password(script: Script) -> None:
    body = script("curl -s -i -u admin:wrong $URL/rest/import-job")

    assert body.startswith("HTTP/1.1 401")
    assert 'Basic realm="Datameer"' in body
    assert json.loads(body[body.index("{") :]) == {"error": "Unauthorized"}

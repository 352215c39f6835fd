"""The agent's calls as its reference prints them, by curl, over HTTPS."""

import json
import subprocess
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.hub import ClientsHub
from tests.jobs.servers import serving
from tests.waiting import eventually

Curl = Callable[..., str]
STOP = {"argv": ["sh", "-c", "echo stopping as $JOBHUB_PARAM_USER_ID; exec sleep 600"]}


@pytest.fixture(scope="session")
def curl(hub: ClientsHub) -> Curl:
    """`curl("-X", "POST", "/backups/VMart")`: its standard output."""

    def run(*words: str, key: str | None = None) -> str:
        *options, path = words
        header = f"VerticaAPIKey: {hub.key() if key is None else key}"
        command = ["curl", "-sS", "--cacert", str(hub.certificate), "-H", header, *options, f"{hub.tls_url}{path}"]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    return run


def job_of(curl: Curl, handle: str) -> dict[str, Any]:
    job: dict[str, Any] = json.loads(curl(f"/jobs/{urllib.parse.quote(handle)}"))["body"]
    return job


def test_a_backup_is_started_and_polled(hub: ClientsHub, curl: Curl, apply: Callable[..., None]) -> None:
    source = hub.data / "vertica"
    source.mkdir(parents=True)
    (source / "a.txt").write_text("one")
    spec = {"source": str(source), "container": "vertica", "backup_name": "nightly"}
    apply({"name": "VMart/backup", "actions": [{"runner": "backup", "spec": spec}]})
    handle = json.loads(curl("-X", "POST", "/backups/VMart", key=hub.key("restricted")))["id"]
    job = eventually(lambda: not job_of(curl, handle)["is_running"] and job_of(curl, handle), what="the backup's end")

    assert (job["exit_code"], job["status"]) == (0, "unused")
    assert handle in [one["id"] for one in json.loads(curl("/jobs"))["body"]]


def test_a_job_is_stopped_in_the_middle(hub: ClientsHub, curl: Curl, apply: Callable[..., None]) -> None:
    apply({"name": "testDB/stop", "actions": [{"runner": "command", "spec": STOP}]})
    answer = json.loads(curl("-X", "DELETE", "/databases/testDB/process?user_id=dbadmin&passwd=hunter22"))
    eventually(lambda: "as dbadmin" in job_of(curl, answer["id"])["output"], what="its output")
    deleted = json.loads(curl("-X", "DELETE", f"/jobs/{urllib.parse.quote(answer['id'])}"))

    assert deleted == answer
    assert hub.wait_for_end("testDB/stop")["state"] == "aborted"
    assert curl("-o", "/dev/null", "-w", "%{http_code}", f"/jobs/{urllib.parse.quote(answer['id'])}") == "404"
    assert "hunter22" not in hub.said


def test_a_subscriber_is_told(hub: ClientsHub, curl: Curl, apply: Callable[..., None]) -> None:
    apply({"name": "hooked/start", "actions": [{"runner": "command", "spec": {"argv": ["true"]}}]})
    with serving() as server:
        subscriber = curl(
            "-X", "POST", f"//webhooks/subscribe?url={urllib.parse.quote(server.url + '/ended', safe='')}"
        )
        handle = json.loads(curl("-X", "POST", "/databases/hooked/process"))["id"]
        told = eventually(
            lambda: [one for one in map(told_of, server.seen) if one["id"] == handle], what="the subscriber's notice"
        )
        curl("-X", "DELETE", f"/webhooks/{subscriber}")

    assert [one["exit_code"] for one in told] == [-9]


def told_of(seen: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(seen.body)["body"]
    return body


@pytest.mark.parametrize(("key", "status"), [("", "401"), ("nonsense", "401")])
def test_wrong_keys(curl: Curl, key: str, status: str) -> None:
    assert curl("-o", "/dev/null", "-w", "%{http_code}", "/jobs", key=key) == status

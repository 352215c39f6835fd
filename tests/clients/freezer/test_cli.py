"""python-freezerclient 6.5.0 as it is: its command line and its Python API, and 6.2.0 for the first version."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.freezer.conftest import Cli, outside
from tests.clients.hub import ClientsHub
from tests.clients.venvs import environment

STEP = {"freezer_action": {"action": "backup", "mode": "fs", "backup_name": "bk", "container": "/srv/store"}}
JOB = {"description": "local fs backup", "job_schedule": {}, "job_actions": [STEP]}
ROUND = """
import sys
from keystoneauth1 import session
from keystoneauth1.identity import v3
from keystoneauth1.token_endpoint import Token
from freezerclient.v2.client import Client

url, password = sys.argv[1:]
login = dict(username="admin", password=password, project_name="default")
domains = dict(user_domain_name="Default", project_domain_name="Default")
keystone = session.Session(auth=v3.Password(f"{url}/identity/v3", **login, **domains))
client = Client(session=keystone, endpoint=keystone.get_endpoint(service_type="backup"))
client.clients.create({"client_id": "mill", "hostname": "mill"})
step = {"freezer_action": {"action": "backup", "mode": "fs", "backup_name": "bk", "container": "/srv/store"}}
job_id = client.jobs.create({"client_id": "mill", "job_actions": [step]})
assert client.jobs.list(client_id="mill")[0]["job_id"] == job_id
assert client.jobs.update(job_id, {"description": "changed"}) == 0
assert client.jobs.get(job_id)["description"] == "changed"
assert client.jobs.start_job(job_id) == {"result": "success"}
assert client.jobs.start_job(job_id) == {"result": "start already requested"}
assert client.jobs.abort_job(job_id) == {"result": "success"}
session_id = client.sessions.create({"schedule": {"schedule_interval": "5 minutes"}})
client.sessions.add_job(session_id, job_id)
assert client.sessions.start_session(session_id, job_id, 0) == {"result": "success", "session_tag": 1}
assert client.sessions.end_session(session_id, job_id, 1, "success")["result"] == "success"
client.sessions.remove_job(session_id, job_id)
backup_id = client.backups.create({"backup_name": "bk", "container": "c", "hostname": "mill", "time_stamp": 1})
assert client.backups.get(backup_id)["backup_metadata"]["hostname"] == "mill"
assert [one["backup_id"] for one in client.backups.list(search={"match": [{"hostname": "mill"}]})] == [backup_id]
client.backups.delete(backup_id)
client.jobs.delete(job_id)
assert client.jobs.get(job_id) is None
given = session.Session(auth=Token(url, keystone.get_token()))
Client(session=given, endpoint=url, project_id=keystone.get_project_id()).jobs.list_all()
print("done")
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], str]:
    def to_file(document: Any) -> str:
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        file.write_text(json.dumps(document))
        return str(file)

    return to_file


def test_its_command_line(freezer: Cli, write: Callable[[Any], str]) -> None:
    freezer("client-register", "--file", write({"client_id": "nodeA", "hostname": "nodeA"}))
    made = freezer("job-create", "--file", write(JOB), "--client", "nodeA", "-c", "Job ID", "-f", "value").strip()
    listed = freezer("job-list", "--client", "nodeA", "-c", "Job ID", "-f", "value").split()
    found = freezer("job-list", "--search", '[{"description": "local fs backup"}]', "-c", "Job ID", "-f", "value")
    changed = freezer("job-update", made, write({"description": "changed"}), "-c", "Description", "-f", "value").strip()
    freezer("job-start", made)
    event = freezer("job-show", made, "-c", "Event", "-f", "value").strip()
    got = freezer("job-get", made)
    freezer("job-stop", made)
    freezer("job-delete", made)

    assert "nodeA" in freezer("client-list", "-c", "Client ID", "-f", "value").split()
    assert (listed, made in found.split(), changed, event) == ([made], True, "changed", "start")
    assert "'backup_name': 'bk'" in got
    assert made not in freezer("job-list", "-c", "Job ID", "-f", "value")


def test_sessions_and_actions_by_its_command_line(freezer: Cli, write: Callable[[Any], str]) -> None:
    file = write({"description": "nightly", "schedule": {"schedule_hour": "3"}})
    session_id = freezer("session-create", "--file", file, "-c", "Session ID", "-f", "value").strip()
    action_id = freezer("action-create", "--file", write(STEP), "-c", "Action ID", "-f", "value").strip()

    assert session_id in freezer("session-list")
    assert "nightly" in freezer("session-show", session_id)
    assert action_id in freezer("action-list", "-c", "Action ID", "-f", "value").split()
    freezer("session-delete", session_id)
    freezer("action-delete", action_id)


def test_its_python_api(hub: ClientsHub, programs: Path) -> None:
    command = [str(programs / "python"), "-c", ROUND, hub.url, "a long enough secret"]
    done = subprocess.run(command, env=outside(hub, programs), capture_output=True, text=True, timeout=60)

    assert done.stdout.strip() == "done", done.stderr[-2000:]


def test_the_first_version_by_an_older_release(hub: ClientsHub, write: Callable[[Any], str]) -> None:
    programs = environment("freezer-v1")

    def freezer(*words: str) -> str:
        command = [str(programs / "freezer"), "--os-backup-api-version", "1", *words]
        done = subprocess.run(command, env=outside(hub, programs), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "Error" not in done.stderr, done.stderr[-1000:]
        return done.stdout

    freezer("client-register", "--file", write({"client_id": "old", "hostname": "old"}))
    freezer("job-create", "--file", write(JOB), "--client", "old")
    (made,) = freezer("job-list", "--client", "old", "-c", "Job ID", "-f", "value").split()
    freezer("job-start", made)
    shown = freezer("job-show", made, "-c", "Event", "-f", "value").strip()
    freezer("job-delete", made)

    assert shown == "start"
    assert freezer("job-list", "--client", "old", "-c", "Job ID", "-f", "value").split() == []


def test_a_wrong_password_is_told(hub: ClientsHub, programs: Path) -> None:
    env = {**outside(hub, programs), "OS_PASSWORD": "wrong"}
    done = subprocess.run([str(programs / "freezer"), "job-list"], env=env, capture_output=True, text=True, timeout=60)

    assert "The request you have made requires authentication. (HTTP 401)" in done.stdout + done.stderr

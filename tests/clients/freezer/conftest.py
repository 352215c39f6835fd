"""Freezer's own programs against a running hub: the command line, and schedulers as daemons."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.hub import PASSWORD, ClientsHub
from tests.clients.venvs import environment
from tests.waiting import eventually

Cli = Callable[..., str]
HUB = "hub_{node}"


def login(hub: ClientsHub) -> dict[str, str]:
    """The environment by which OpenStack's clients log in: nothing of it says where the API is."""
    return {
        "OS_AUTH_URL": f"{hub.url}/identity/v3",
        "OS_USERNAME": "admin",
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": "default",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
    }


def outside(hub: ClientsHub, programs: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "JOBHUB_", "PYTHON"))}
    return {**kept, **login(hub), "PATH": f"{programs}:{kept['PATH']}", "PYTHONWARNINGS": "ignore"}


@pytest.fixture(scope="session")
def programs() -> Path:
    return environment("freezer")


@pytest.fixture
def freezer(hub: ClientsHub, programs: Path) -> Cli:
    """`freezer("job-list")`: its standard output."""

    def run(*words: str) -> str:
        command = [str(programs / "freezer"), *words]
        done = subprocess.run(command, env=outside(hub, programs), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "[*] Error" not in done.stderr, done.stderr[-1000:]
        return done.stdout

    return run


class Machine:
    """A machine with Freezer's scheduler on it, which asks every second, and folders of its own."""

    def __init__(self, hub: ClientsHub, programs: Path, folder: Path, client_id: str) -> None:
        self.hub, self.client_id, self.folder = hub, client_id, folder
        self.source, self.store, self.log = folder / "source", folder / "store", folder / "scheduler.log"
        self.source.mkdir(parents=True)
        (self.source / "a.txt").write_text("one")
        command = [
            *(str(programs / "freezer-scheduler"), "--scheduler-no-daemon", "--scheduler-client-id", client_id),
            *("--scheduler-interval", "1", "--scheduler-jobs-dir", str(folder / "jobs")),
            *("--scheduler-concurrent-jobs", "3", "--log-file", str(self.log), "start"),
        ]
        with (folder / "out").open("wb") as out:
            self._process = subprocess.Popen(command, env=outside(hub, programs), stdout=out, stderr=out)
        eventually(lambda: self.client_id in self.clients(), what="the client's registration")

    def clients(self) -> str:
        return json.dumps(self.api("GET", "clients?limit=1000"))

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Freezer's API as its programs ask it, for what they do not show."""
        return self.hub.ask_face(method, f"/v2/default/{path}", body)

    def backup(self, **more: Any) -> dict[str, Any]:
        """A job's step: a real backup of its folder into its store."""
        action = {
            "action": "backup",
            "mode": "fs",
            "storage": "local",
            "backup_name": "bk",
            "path_to_backup": str(self.source),
            "container": str(self.store),
            "log_file": str(self.folder / "agent.log"),
        }
        return {"max_retries": 0, "max_retries_interval": 1, "freezer_action": {**action, **more}}

    def job(self, *steps: Any, **schedule: str) -> str:
        """The id of a new job of this machine."""
        document = {
            "client_id": self.client_id,
            "description": "of a machine",
            "job_actions": list(steps),
            "job_schedule": schedule,
        }
        job_id: str = self.api("POST", "jobs", document)["job_id"]
        return job_id

    def schedule(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api("GET", f"jobs/{job_id}")["job_schedule"]
        return found

    def wait_for(self, job_id: str, what: Callable[[dict[str, Any]], Any], *, within_s: float = 60) -> dict[str, Any]:
        """Its schedule, once it is like that."""
        eventually(lambda: what(self.schedule(job_id)), within_s=within_s, what=f"job {job_id}: {self.said}")
        return self.schedule(job_id)

    @property
    def said(self) -> str:
        return self.log.read_text()[-2000:] if self.log.exists() else ""

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


@pytest.fixture(scope="module")
def machine(hub: ClientsHub, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(hub, programs, tmp_path_factory.mktemp("machine"), "shop")
    yield machine
    machine.stop()

"""Jobs for a node of the hub's own workers, made by the command line: real archives, restored and compared."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.freezer.conftest import Cli
from tests.clients.hub import ClientsHub
from tests.trees import files_of
from tests.waiting import eventually

Make = Callable[..., str]
NODE = f"hub_{socket.gethostname()}"


@pytest.fixture
def source(hub: ClientsHub, tmp_path: Path) -> Path:
    folder = hub.data / "freezer" / tmp_path.name
    (folder / "source" / "deep").mkdir(parents=True)
    (folder / "source" / "a.txt").write_text("one")
    (folder / "source" / "deep" / "b.bin").write_bytes(bytes(range(256)) * 100)
    return folder / "source"


@pytest.fixture
def make(freezer: Cli, tmp_path: Path) -> Make:
    """`make(step, …, **schedule)`: the id of a new job, as `freezer job-create` prints it."""

    def run(*steps: Any, **schedule: str) -> str:
        file = tmp_path / "job.json"
        file.write_text(json.dumps({"job_actions": steps, "job_schedule": schedule}))
        return freezer("job-create", "--file", str(file), "--client", NODE, "-c", "Job ID", "-f", "value").strip()

    return run


def step(action: str, **given: Any) -> dict[str, Any]:
    return {"max_retries": 0, "max_retries_interval": 0, "freezer_action": {"action": action, "mode": "fs", **given}}


def backup(source: Path, **given: Any) -> dict[str, Any]:
    place = {"storage": "local", "container": str(source.parent / "store"), "backup_name": "bk"}
    return step("backup", path_to_backup=str(source), **place, **given)


def status(hub: ClientsHub, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = hub.ask_face("GET", f"/v2/default/jobs/{job_id}")["job_schedule"]
    return found


def test_a_backup_is_made_and_restored(hub: ClientsHub, freezer: Cli, make: Make, source: Path) -> None:
    job_id = make(backup(source, incremental=True))
    first = hub.wait_for_end(f"freezer/{job_id}")
    (source / "a.txt").write_text("changed")
    freezer("job-start", job_id)
    hub.wait_for_end(f"freezer/{job_id}")
    restore_id = make(
        step(
            "restore",
            container=str(source.parent / "store"),
            backup_name="bk",
            restore_abs_path=str(source.parent / "back"),
        )
    )
    restored = hub.wait_for_end(f"freezer/{restore_id}")
    levels = freezer("backup-list", "-f", "value", "-c", "Level", "--search", f'[{{"job_id": "{job_id}"}}]').split()

    assert (first["state"], restored["state"], sorted(levels)) == ("succeeded", "succeeded", ["0", "1"])
    assert (source.parent / "back" / "a.txt").read_text() == "changed"
    assert files_of(source.parent / "back") == files_of(source)
    assert freezer("job-show", job_id, "-f", "value", "-c", "Status", "-c", "Result").split() == [
        "completed",
        "success",
    ]


def test_an_abort_kills_what_runs(hub: ClientsHub, freezer: Cli, make: Make) -> None:
    job_id = make(step("exec", command="sleep 600"))
    eventually(lambda: status(hub, job_id)["status"] == "running", what="its start")
    freezer("job-abort", job_id)
    run = hub.wait_for_end(f"freezer/{job_id}")

    assert (run["state"], status(hub, job_id)["result"]) == ("aborted", "aborted")


def test_steps_are_tried_again_and_mandatory_ones_run_always(hub: ClientsHub, make: Make, source: Path) -> None:
    bad = {**step("exec", command="false"), "max_retries": 2}
    left_out = step("exec", command=f"touch {source / 'left-out'}")
    always = {**step("exec", command=f"touch {source / 'always'}"), "mandatory": True}
    run = hub.wait_for_end(f"freezer/{make(bad, left_out, always)}")
    tries = [line["n_tries"] for line in hub.ask("GET", f"executions/{run['id']}/actions")["results"]]

    assert (run["state"], tries) == ("failed", [3, 1])
    assert [(source / name).exists() for name in ("left-out", "always")] == [False, True]


def test_it_runs_at_its_times_until_it_is_stopped(hub: ClientsHub, freezer: Cli, make: Make) -> None:
    job_id = make(step("exec", command="true"), schedule_interval="1 seconds")

    def n_runs() -> int:
        return len(hub.ask("GET", f"executions?job=freezer/{job_id}")["results"])

    eventually(lambda: n_runs() >= 2, what="two runs")
    freezer("job-stop", job_id)
    eventually(lambda: status(hub, job_id)["status"] == "stop", what="its standing still")
    before = n_runs()
    freezer("job-start", job_id)
    eventually(lambda: n_runs() > before, what="another run")
    assert status(hub, job_id)["status"] in ("scheduled", "running")
    freezer("job-delete", job_id)


def test_what_its_runners_cannot_do_is_refused(freezer: Cli, make: Make, source: Path) -> None:
    with pytest.raises(AssertionError, match=f"Client {NODE} does not support mode: mysql"):
        make({"freezer_action": {"action": "backup", "mode": "mysql", "container": "x"}})
    with pytest.raises(AssertionError, match=f"Client {NODE} does not support option: encrypt_pass_file"):
        make(backup(source, encrypt_pass_file="/etc/key"))

"""freezer-scheduler and freezer-agent 19.0.0 as they are, on a machine of their own; the hub sees what they do."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.clients.freezer.conftest import Cli, Machine, outside
from tests.clients.hub import ClientsHub
from tests.waiting import eventually


def runs_of(hub: ClientsHub, job_id: str) -> list[dict[str, Any]]:
    """Its executions as the native face shows them, the newest first."""
    rows: list[dict[str, Any]] = hub.ask("GET", f"executions?job=freezer/{job_id}")["results"]
    return rows


def is_completed(schedule: dict[str, Any]) -> bool:
    return bool(schedule.get("status") == "completed")


def restored(hub: ClientsHub, machine: Machine, programs: Path, target: Path) -> list[str]:
    """The files that the agent itself brings back from the store."""
    target.mkdir()
    command = [
        *(str(programs / "freezer-agent"), "--action", "restore", "--mode", "fs", "--storage", "local"),
        *("--backup-name", "bk", "--container", str(machine.store), "--restore-abs-path", str(target)),
        *("--log-file", str(machine.folder / "restore.log")),
    ]
    subprocess.run(command, env=outside(hub, programs), check=True, capture_output=True, timeout=60)
    return sorted(path.name for path in target.iterdir())


def test_a_backup_runs_once_and_is_seen_everywhere(
    hub: ClientsHub, machine: Machine, freezer: Cli, programs: Path, tmp_path: Path
) -> None:
    job_id = machine.job(machine.backup())
    schedule = machine.wait_for(job_id, is_completed)
    (run,) = runs_of(hub, job_id)
    search = f'[{{"job_id": "{job_id}"}}]'
    backed_up = freezer("backup-list", "-f", "value", "-c", "Path", "--search", search).split()
    faces = [one["face"] for one in hub.ask("GET", f"executions/{run['id']}/faces")["results"]]

    assert schedule["result"] == "success"
    assert (run["state"], run["node"], run["kind"]) == ("succeeded", "shop", "backup")
    assert backed_up == [str(machine.source)]
    assert {"freezer", "ontap", "vertica"} <= set(faces)
    assert restored(hub, machine, programs, tmp_path / "restored") == ["a.txt"]


def test_a_trigger_of_another_face_starts_it_there(hub: ClientsHub, machine: Machine) -> None:
    job_id = machine.job(machine.backup())
    machine.wait_for(job_id, is_completed)
    (job,) = hub.ask("GET", f"jobs?name=freezer/{job_id}")["results"]
    queued = hub.ask("POST", f"jobs/{job['id']}/trigger", {})
    done = hub.wait_for_end(f"freezer/{job_id}")

    assert (queued["state"], job["place"]) == ("queued", "remote")
    assert (done["id"], done["state"]) == (queued["id"], "succeeded")
    assert len(runs_of(hub, job_id)) == 2


def test_it_runs_at_an_interval_until_it_is_stopped(hub: ClientsHub, machine: Machine, freezer: Cli) -> None:
    job_id = machine.job(machine.backup(), schedule_interval="2 seconds")
    eventually(lambda: len(runs_of(hub, job_id)) >= 2, within_s=60, what=f"two runs: {machine.said}")
    freezer("job-stop", job_id)
    machine.wait_for(job_id, lambda schedule: schedule["status"] in ("stop", "completed"))
    n_runs = len(runs_of(hub, job_id))
    freezer("job-start", job_id)
    eventually(lambda: len(runs_of(hub, job_id)) > n_runs, within_s=60, what="another run")
    freezer("job-delete", job_id)

    assert freezer("job-list", "--client", "shop").count(job_id) == 0


def test_a_failing_job_is_tried_again_and_fails(hub: ClientsHub, machine: Machine) -> None:
    step = machine.backup(path_to_backup=str(machine.folder / "nowhere"))
    job_id = machine.job({**step, "max_retries": 1})
    schedule = machine.wait_for(job_id, is_completed)
    (run,) = runs_of(hub, job_id)

    assert schedule["result"] == "fail"
    assert (run["state"], run["errors"]) == ("failed", [run["message"]])
    assert "failed after 2 tries" in machine.log.read_text()


def test_a_later_step_runs_after_a_failure_when_it_is_mandatory(machine: Machine) -> None:
    step = machine.backup(path_to_backup=str(machine.folder / "nowhere"))
    skipped, mandatory = (machine.backup(backup_name=name) for name in ("skipped", "mandatory"))
    machine.wait_for(machine.job(step, skipped, {**mandatory, "mandatory": True}), is_completed)
    names = {path.name for path in machine.store.rglob("*")}

    assert any("mandatory" in name for name in names)
    assert not any("skipped" in name for name in names)


def test_an_abort_reaches_it(hub: ClientsHub, machine: Machine, freezer: Cli) -> None:
    """This release of the scheduler does not kill the agent (it compares a method with a text); a person does."""
    job_id = machine.job(machine.backup())
    pid = machine.wait_for(job_id, lambda schedule: schedule.get("current_pid"))["current_pid"]
    freezer("job-abort", job_id)
    aborting = runs_of(hub, job_id)[0]["state"]
    os.kill(pid, signal.SIGTERM)
    schedule = machine.wait_for(job_id, is_completed)

    assert (aborting, schedule["result"], runs_of(hub, job_id)[0]["state"]) == ("aborting", "aborted", "aborted")

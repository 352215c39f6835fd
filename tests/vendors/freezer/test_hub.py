"""Jobs of the hub's own nodes: run by its workers, told of as a scheduler would tell."""

from pathlib import Path
from typing import Any

import pytest

from jobs.engine.define import patch
from jobs.engine.rights import Actor
from jobs.models import Archive, JobAction, Node, Project, User
from jobs.states import State
from tests.vendors.freezer.conftest import Api, engine_job, runs_of, states_of
from tests.vendors.freezer.making import HUB
from vendors.freezer.errors import Refusal
from vendors.freezer.hub import client_id_of, engine_action
from vendors.models import FreezerJob


def backup(folder: Path, **more: Any) -> dict[str, Any]:
    place = {"path_to_backup": str(folder / "source"), "container": str(folder / "store"), "backup_name": "bk"}
    return {"freezer_action": {"action": "backup", "mode": "fs", **place, **more}}


@pytest.fixture
def make(api: Api, node: Node, tmp_path: Path) -> Any:
    def job(*steps: Any, **more: Any) -> str:
        return api.make(client_id=HUB, job_actions=list(steps) or [backup(tmp_path)], **more)

    return job


def told(api: Api, job_id: str) -> tuple[Any, ...]:
    schedule = api.schedule(job_id)
    return schedule["status"], schedule["result"], schedule["event"]


def end(job_id: str, state: State) -> None:
    run = runs_of(job_id)[-1]
    if run.state == State.QUEUED:
        run.move(State.RUNNING, lease_until="2099-01-01T00:00:00Z", started_at="2026-11-22T08:00:00Z", attempt=1)
    if state is State.ABORTED and run.state == State.RUNNING:
        run.move(State.ABORTING)
    if state in (State.SUCCEEDED, State.FAILED, State.ABORTED):
        run.move(state)


# -- clients -----------------------------------------------------------------------------------------------------------
def test_each_node_is_a_central_client(api: Api, node: Node) -> None:
    (client,) = api.get("clients")["clients"]

    assert client == api.get(f"clients/{HUB}")
    assert (client["client"]["client_id"], client["client"]["hostname"]) == (HUB, "node-1")
    assert (client["client"]["is_central"], client["client"]["supported_modes"]) == (True, ["fs"])


@pytest.mark.parametrize(
    ("node", "client_id"),
    [
        ("node-1", "hub_node-1"),
        ("a.example.org", "hub_a.example.org"),
        ("my node!", "hub_my-node"),
        ("..", "hub_x.x.x"),
    ],
)
def test_its_id_is_made_of_its_name(node: str, client_id: str) -> None:
    assert client_id_of(node) == client_id


def test_polling_machines_are_no_nodes_of_the_hub(api: Api, shop: Any, node: Node) -> None:
    Node.objects.create(name="mill", interval_s=60)

    assert api.ask("GET", "clients/hub_mill").status_code == 404


# -- the life of a job -------------------------------------------------------------------------------------------------
def test_a_new_job_starts_at_once(api: Api, make: Any) -> None:
    job_id = make()
    job = engine_job(job_id)

    assert (states_of(job_id), told(api, job_id)) == (["queued"], ("scheduled", "", ""))
    assert (job.node, job.kind, job.place, job.name) == ("node-1", "backup", "hub", f"freezer/{job_id}")


@pytest.mark.parametrize("schedule", [{"status": "stop"}, {"event": "stop"}, {"status": "completed"}])
def test_a_new_job_may_stand_still(api: Api, make: Any, schedule: dict[str, str]) -> None:
    job_id = make(job_schedule=schedule)

    assert (states_of(job_id), told(api, job_id)) == ([], ("stop", "", ""))


@pytest.mark.parametrize(
    ("state", "status", "result"),
    [
        (State.RUNNING, "running", ""),
        (State.SUCCEEDED, "completed", "success"),
        (State.FAILED, "completed", "fail"),
        (State.ABORTED, "completed", "aborted"),
    ],
)
def test_its_run_is_told_as_a_scheduler_would(api: Api, make: Any, state: State, status: str, result: str) -> None:
    job_id = make()
    end(job_id, state)

    assert told(api, job_id) == (status, result, "")
    assert api.schedule(job_id)["time_started"] == 1_795_334_400


def test_it_is_started_again(api: Api, make: Any) -> None:
    job_id = make()
    end(job_id, State.SUCCEEDED)

    assert (api.event(job_id, "start"), states_of(job_id)) == ("success", ["succeeded", "queued"])
    assert api.event(job_id, "start") == "start already requested"


def test_a_start_of_what_runs_changes_nothing(api: Api, make: Any) -> None:
    job_id = make()
    end(job_id, State.RUNNING)

    assert (api.event(job_id, "start"), states_of(job_id)) == ("success", ["running"])


def test_a_stop_before_its_run(api: Api, make: Any) -> None:
    job_id = make()

    assert (api.event(job_id, "stop"), states_of(job_id), told(api, job_id)[0]) == ("success", ["aborted"], "stop")
    assert api.event(job_id, "stop") == "stop already requested"


def test_a_stop_lets_its_run_end(api: Api, make: Any) -> None:
    job_id = make()
    end(job_id, State.RUNNING)
    api.event(job_id, "stop")
    while_it_runs = told(api, job_id)
    end(job_id, State.SUCCEEDED)

    assert (while_it_runs, told(api, job_id)) == (("running", "", ""), ("completed", "success", ""))


def test_an_abort_ends_its_run(api: Api, make: Any) -> None:
    job_id = make()
    end(job_id, State.RUNNING)

    assert (api.event(job_id, "abort"), told(api, job_id)) == ("success", ("aborting", "", ""))
    assert api.event(job_id, "abort") == "abort already requested"


# -- times -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("schedule", "dialect", "value"),
    [
        ({"schedule_interval": "5 minutes"}, "interval", "5 minutes"),
        ({"schedule_interval": "continuous"}, "interval", "continuous"),
        ({"schedule_hour": "3", "schedule_minute": "*/5"}, "fields", {"hour": "3", "minute": "*/5"}),
        ({"schedule_date": "2099-01-01T00:00:00"}, "at", "2099-01-01T00:00:00"),
        ({"schedule_date": "2099-01-01T00:00:00Z", "schedule_interval": "5 minutes"}, "at", "2099-01-01T00:00:00Z"),
    ],
)
def test_its_times_are_the_engines(api: Api, make: Any, schedule: dict[str, str], dialect: str, value: Any) -> None:
    job_id = make(job_schedule=schedule)
    (found,) = engine_job(job_id).schedules.all()

    assert (found.dialect, found.value, found.enabled) == (dialect, value, True)
    assert (states_of(job_id), told(api, job_id)[0]) == ([], "scheduled")
    assert schedule.items() <= api.schedule(job_id).items()


def test_a_stop_and_a_start_of_its_times(api: Api, make: Any) -> None:
    job_id = make(job_schedule={"schedule_interval": "5 minutes"})
    stopped = api.event(job_id, "stop"), told(api, job_id)[0], engine_job(job_id).schedules.get().enabled
    started = api.event(job_id, "start"), told(api, job_id)[0], engine_job(job_id).schedules.get().enabled

    assert (stopped, started) == (("success", "stop", False), ("success", "scheduled", True))


def test_between_two_runs_it_is_scheduled(api: Api, make: Any) -> None:
    job_id = make(job_schedule={"schedule_interval": "5 minutes"})
    from jobs.engine.rights import operator
    from jobs.engine.trigger import trigger

    trigger(engine_job(job_id), actor=operator("test"))
    end(job_id, State.FAILED)

    assert told(api, job_id) == ("scheduled", "fail", "")


def test_a_patch_changes_its_times(api: Api, make: Any) -> None:
    job_id = make(job_schedule={"schedule_interval": "5 minutes"})
    api.ask("PATCH", f"jobs/{job_id}", {"job_schedule": {"schedule_hour": "3"}}, status=200)

    assert engine_job(job_id).schedules.get().value == {"hour": "3"}
    assert "schedule_interval" not in api.schedule(job_id)


def test_nobody_tells_the_hub_of_its_own_runs(api: Api, make: Any) -> None:
    job_id = make(job_schedule={"status": "stop"})
    said = {"status": "running", "time_started": 1_700_000_000, "time_ended": -1}
    api.ask("PATCH", f"jobs/{job_id}", {"job_schedule": said}, status=200)

    assert (states_of(job_id), told(api, job_id)[0]) == ([], "stop")


def test_times_changed_elsewhere_are_shown_as_they_are(api: Api, make: Any, op: Actor) -> None:
    job_id = make(job_schedule={"schedule_interval": "5 minutes"})
    patch(engine_job(job_id), {"schedules": [{"name": "freezer", "interval": "2 hours"}]}, actor=op)

    assert api.schedule(job_id)["schedule_interval"] == "2 hours"


@pytest.mark.parametrize("schedule", [{"schedule_date": "2001-01-01T00:00:00"}, {"schedule_hour": "25"}])
def test_times_that_never_come_are_refused(api: Api, node: Node, tmp_path: Path, schedule: dict[str, str]) -> None:
    job = {"client_id": HUB, "job_actions": [backup(tmp_path)], "job_schedule": schedule}

    assert api.post("jobs", job, 422)["title"] == "Unprocessable Entity"
    assert not FreezerJob.objects.exists()


# -- steps -------------------------------------------------------------------------------------------------------------
def test_a_step_changed_elsewhere_is_shown_as_it_is(api: Api, make: Any, op: Actor, tmp_path: Path) -> None:
    job_id = make()
    spec = {"source": str(tmp_path / "other"), "container": "c", "backup_name": "bk"}
    patch(engine_job(job_id), {"actions": [{"runner": "backup", "spec": spec}]}, actor=op)
    (step,) = api.get(f"jobs/{job_id}")["job_actions"]

    assert step["freezer_action"]["path_to_backup"] == str(tmp_path / "other")


def test_retries_and_mandatory_steps_are_the_engines(make: Any, tmp_path: Path) -> None:
    step = {**backup(tmp_path), "max_retries": 7, "max_retries_interval": 9, "mandatory": True}
    found = JobAction.objects.select_related("action").get(job=engine_job(make(step)))

    assert (found.action.retries, found.action.retry_delay_s, found.mandatory) == (7, 9, True)


def test_an_action_that_changes_changes_the_jobs_that_use_it(api: Api, make: Any, tmp_path: Path) -> None:
    api.post("actions", {**backup(tmp_path), "action_id": "wash"})
    job_id = make({"action_id": "wash"})
    api.ask("PATCH", "actions/wash", {"freezer_action": {"action": "backup", "backup_name": "renamed"}}, status=200)

    assert engine_job(job_id).actions.get().spec["backup_name"] == "renamed"


def test_programs_are_for_admins(api: Api, api_of: Any, bob: User, node: Node) -> None:
    job = {"client_id": HUB, "job_actions": [{"freezer_action": {"action": "exec", "command": "true"}}]}
    refused = api_of(bob).post("jobs", job, 403)

    assert refused["title"] == "Access Forbidden"
    assert "the runner 'command' needs the right to administer" in refused["description"]
    assert api.post("jobs", job)["job_id"]


def test_paths_outside_are_refused(api: Api, node: Node) -> None:
    job = {"client_id": HUB, "job_actions": [backup(Path("/etc"))]}

    assert "JOBHUB_ALLOWED_PATHS" in api.post("jobs", job, 422)["description"]


def test_a_job_moves_to_another_client(api: Api, make: Any, shop: Any) -> None:
    job_id = make(job_schedule={"status": "stop", "schedule_interval": "5 minutes"})
    api.ask("PATCH", f"jobs/{job_id}", {"client_id": "shop"}, status=200)
    job = engine_job(job_id)

    assert (job.place, job.node, job.actions.count(), job.schedules.count()) == ("remote", "", 0, 0)


# -- backups -----------------------------------------------------------------------------------------------------------
def test_its_archives_are_backups(api: Api, make: Any, alpha: Project) -> None:
    job_id = make()
    (run,) = runs_of(job_id)
    Archive.objects.create(
        project=alpha,
        execution=run,
        job_name=run.job_name,
        node="node-1",
        container="/srv/store",
        name="bk",
        level=1,
        path="/srv/store/bk/1",
        size_bytes=10,
        sha256="0" * 64,
        created_at=run.queued_at,
    )
    (found,) = api.get("backups", {"match": [{"job_id": job_id}]})["backups"]
    metadata = found["backup_metadata"]

    assert (metadata["backup_name"], metadata["curr_backup_level"], metadata["hostname"]) == ("bk", 1, "node-1")
    assert api.get(f"backups/{found['backup_id']}")["backup_metadata"] == metadata
    api.ask("DELETE", f"backups/{found['backup_id']}", status=204)
    assert not Archive.objects.exists()


# -- what an action becomes --------------------------------------------------------------------------------------------
PLACE = {"container": "c", "backup_name": "bk"}
FROM = {"action": "backup", "mode": "fs", "path_to_backup": "/srv/a", **PLACE}
ACTIONS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    (FROM, "backup", {"source": "/srv/a", **PLACE, "compression": "gzip"}),
    ({**FROM, "max_level": "6"}, "backup", {"source": "/srv/a", **PLACE, "compression": "gzip", "max_level": 6}),
    ({**FROM, "max_level": 6, "no_incremental": True}, "backup", {"source": "/srv/a", **PLACE, "compression": "gzip"}),
    (
        {**FROM, "always_level": 2, "restart_always_level": 7.5, "exclude": "*.o", "compression": "zstd"},
        "backup",
        {
            "source": "/srv/a",
            **PLACE,
            "exclude": ["*.o"],
            "compression": "zstd",
            "always_level": 2,
            "restart_after_days": 7.5,
        },
    ),
    (
        {**FROM, "incremental": True},
        "backup",
        {"source": "/srv/a", **PLACE, "compression": "gzip", "restart_after_days": 36_500},
    ),
    ({"action": "restore", **PLACE, "restore_abs_path": "/srv/b"}, "restore", {**PLACE, "target": "/srv/b"}),
    (
        {"action": "restore", **PLACE, "restore_abs_path": "/srv/b", "restore_from_date": "2026-11-22T18:30:00"},
        "restore",
        {**PLACE, "target": "/srv/b", "at": "2026-11-22T18:30:00+00:00"},
    ),
    ({"action": "info", "container": "c"}, "archive_list", {"container": "c"}),
    ({"action": "admin", **PLACE, "remove_older_than": "30"}, "archive_prune", {**PLACE, "older_than_days": 30.0}),
    ({"action": "exec", "command": "ls -l $HOME;"}, "command", {"argv": ["ls", "-l", "$HOME;"]}),
    ({"action": "exec", "command": "cat a|wc -l"}, "command", {"argv": "cat a | wc -l", "shell": True}),
]


@pytest.mark.parametrize(("action", "runner", "spec"), ACTIONS)
def test_what_an_action_becomes(action: dict[str, Any], runner: str, spec: dict[str, Any]) -> None:
    made = engine_action(action, {}, HUB)

    assert (made["runner"], made["spec"]) == (runner, spec)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ({**FROM, "encrypt_pass_file": "/etc/key"}, f"Client {HUB} does not support option: encrypt_pass_file"),
        ({**FROM, "dry_run": True}, f"Client {HUB} does not support option: dry_run"),
        ({**FROM, "lvm_srcvol": "/dev/vg/a"}, f"Client {HUB} does not support option: lvm_srcvol"),
        ({**FROM, "max_level": "many"}, "max_level 'many' is no number"),
        ({**FROM, "max_level": True}, "max_level True is no number"),
        ({**FROM, "compression": "xz"}, "compression 'xz' is not known"),
        ({"action": "admin", **PLACE}, "needs remove_older_than"),
        ({"action": "exec"}, "needs a command"),
        ({"action": "exec", "command": "a | "}, "needs a command"),
        ({"action": "restore", **PLACE, "restore_from_date": "yesterday"}, "is no date"),
    ],
)
def test_what_it_cannot_become(action: dict[str, Any], text: str) -> None:
    with pytest.raises(Refusal, match=text):
        engine_action(action, {}, HUB)

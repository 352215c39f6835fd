"""Jobs, actions, clients and backups as documents: what is kept, what is refused, what goes."""

from typing import Any

import pytest

from jobs.models import Job, JobExecution, Node, Project, User
from tests.conftest import MakeJob
from tests.vendors.freezer.conftest import STEP, Api, Scheduler, engine_job, states_of
from tests.vendors.freezer.making import BACKUP, make_client
from vendors.models import FreezerAction, FreezerJob


# -- jobs --------------------------------------------------------------------------------------------------------------
def test_unknown_names_and_mandatory_of_a_step_are_kept(api: Api, scheduler: Scheduler) -> None:
    step = {**STEP, "mandatory": True, "colour": "blue", "freezer_action": {**BACKUP, "shape": "round"}}
    (shown,) = api.get(f"jobs/{api.make(job_actions=[step])}")["job_actions"]

    assert (shown["mandatory"], shown["colour"], shown["freezer_action"]["shape"]) == (True, "blue", "round")


def test_its_own_document_can_be_sent_back(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make(job_actions=[{**STEP, "mandatory": True}, STEP], description="first")
    document = api.get(f"jobs/{job_id}")
    api.ask("PATCH", f"jobs/{job_id}", document, status=200)
    api.post(f"jobs/{job_id}", document)

    assert api.get(f"jobs/{job_id}") == document


def test_a_patch_without_a_schedule_keeps_it(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make(job_schedule={"schedule_interval": "5 minutes"})
    api.ask("PATCH", f"jobs/{job_id}", {"description": "new"}, status=200)

    assert api.schedule(job_id)["schedule_interval"] == "5 minutes"
    assert engine_job(job_id).description == "new"


@pytest.mark.parametrize("description", [None, "", "é" * 255])
def test_a_description_is_as_it_was_sent(api: Api, scheduler: Scheduler, description: Any) -> None:
    assert api.get(f"jobs/{api.make(description=description)}")["description"] == description


def test_an_edit_elsewhere_is_shown(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make(description=None)
    Job.objects.update(description="from elsewhere")

    assert api.get(f"jobs/{job_id}")["description"] == "from elsewhere"


def test_who_wrote_last_is_its_user(api: Api, api_of: Any, scheduler: Scheduler, bob: User) -> None:
    job_id = api.make()
    api_of(bob).ask("PATCH", f"jobs/{job_id}", {"description": "mine"}, status=200)

    assert api.get(f"jobs/{job_id}")["user_id"] == bob.uuid.hex


def test_a_deleted_job_leaves_its_runs_and_never_its_id(api: Api, scheduler: Scheduler) -> None:
    job_id = api.make(job_id="night")
    scheduler.begin(job_id)
    api.ask("DELETE", f"jobs/{job_id}", status=204)

    assert api.ask("GET", f"jobs/{job_id}").content == b""
    assert (states_of(job_id), FreezerAction.objects.count()) == (["aborted"], 0)
    assert api.post("jobs", {"client_id": "shop", "job_actions": [], "job_id": "night"}, 409)["title"]
    assert api.ask("DELETE", f"jobs/{job_id}").status_code == 204


def test_an_id_in_another_project_is_another_job(
    api: Api, api_of: Any, scheduler: Any, charlie: User, beta: Project
) -> None:
    make_client(beta, "mill")
    api.make(job_id="night")
    other = Api(api_of(charlie).client, "/v2/beta")
    other.make(job_id="night", client_id="mill")
    other.ask("DELETE", "jobs/night", status=204)

    assert api.get("jobs/night")["client_id"] == "shop"


def test_a_superuser_sees_the_jobs_of_all_projects(
    api: Api, api_of: Any, scheduler: Any, root: User, beta: Project
) -> None:
    from tests.vendors.conftest import basic

    job_id = api.make()
    everywhere = Api(type(api.client)(HTTP_AUTHORIZATION=basic("root")), "/v2/beta")

    assert [one["job_id"] for one in everywhere.get("jobs")["jobs"]] == [job_id]
    assert everywhere.get(f"jobs/{job_id}")["job_id"] == job_id


def test_a_job_of_another_face_is_found_by_its_id(api: Api, make_job: MakeJob, node: Node) -> None:
    job = make_job("nightly/db", description="the books")
    document = api.get(f"jobs/{job.key}")
    api.event(job.key, "start")

    assert (document["client_id"], document["description"]) == ("hub_node-1", "the books")
    assert document["job_actions"][0]["freezer_action"]["action"] == "exec"
    assert [run.state for run in JobExecution.objects.all()] == ["queued"]
    assert api.get("jobs")["jobs"] == []
    assert api.ask("PATCH", f"jobs/{job.key}", {"description": "x"}).status_code == 422


@pytest.mark.parametrize(
    ("job", "status", "description"),
    [
        ({"job_actions": [{"freezer_action": {"mode": "fs"}}]}, 400, "'action' is a required property"),
        ({"job_actions": [STEP] * 101, "client_id": "hub_node-1"}, 422, None),
        ({"job_actions": [], "client_id": "hub_node-1"}, 422, None),
        ({"job_id": "x" * 37}, 400, "job_id must not be longer than 36 characters"),
        ({"job_id": "x\n"}, 400, "'x\\n' does not match '^[\\\\w-]+$'"),
        ({"description": "d" * 256}, 400, "description must not be longer than 255 characters"),
        ({"session_tag": 2**40}, 400, f"{2**40} of session_tag is out of range"),
        ({"client_id": "a b"}, 400, None),
        ({"job_schedule": []}, 400, "[] is not of type 'object'"),
        ({"job_actions": {}}, 400, "{} is not of type 'array'"),
        ({"job_actions": [None]}, 400, "None is not of type 'object'"),
        ({"action_defaults": []}, 400, "action_defaults shouldbe a dictionary"),
    ],
)
def test_what_is_no_job(api: Api, shop: Any, node: Node, job: Any, status: int, description: str | None) -> None:
    answer = api.post("jobs", {"client_id": "shop", "job_actions": [STEP], **job}, status)

    assert description in (None, answer["description"])
    assert (Job.objects.count(), FreezerJob.objects.count(), FreezerAction.objects.count()) == (0, 0, 0)


# -- actions -----------------------------------------------------------------------------------------------------------
def test_an_action_is_used_by_its_id(api: Api, scheduler: Scheduler) -> None:
    api.post("actions", {**STEP, "action_id": "wash"})
    job_id = api.make(job_actions=[{"action_id": "wash", "mandatory": True}])
    api.post("actions/wash", {"freezer_action": {**BACKUP, "backup_name": "renamed"}})
    (step,) = api.get(f"jobs/{job_id}")["job_actions"]

    assert (step["action_id"], step["mandatory"], step["freezer_action"]["backup_name"]) == ("wash", True, "renamed")


def test_a_deleted_action_leaves_the_jobs_that_used_it(api: Api, scheduler: Scheduler) -> None:
    api.post("actions", {**STEP, "action_id": "wash"})
    job_id = api.make(job_actions=[{"action_id": "wash"}, STEP])
    api.ask("DELETE", "actions/wash", status=204)

    assert len(api.get(f"jobs/{job_id}")["job_actions"]) == 1


def test_an_action_that_another_job_uses_outlives_the_job_it_came_with(api: Api, scheduler: Scheduler) -> None:
    first = api.make()
    action_id = api.get(f"jobs/{first}")["job_actions"][0]["action_id"]
    second = api.make(job_actions=[{"action_id": action_id}])
    api.ask("DELETE", f"jobs/{first}", status=204)

    assert api.get(f"jobs/{second}")["job_actions"][0]["action_id"] == action_id


def test_an_action_with_another_definition_is_refused(api: Api, scheduler: Scheduler) -> None:
    api.post("actions", {**STEP, "action_id": "wash"})
    step = {"action_id": "wash", "freezer_action": {**BACKUP, "backup_name": "other"}}
    answer = api.post("jobs", {"client_id": "shop", "job_actions": [step]}, 422)

    assert answer["description"].startswith("Action id: wash already exists with a different definition.")


def test_an_action_id_that_is_taken(api: Api) -> None:
    api.post("actions", {**STEP, "action_id": "wash"})

    assert api.post("actions", {**STEP, "action_id": "wash"}, 409)["description"] == (
        "Action already registered with ID wash"
    )


# -- clients -----------------------------------------------------------------------------------------------------------
def test_a_client_that_registers_again_says_what_it_can_now(api: Api) -> None:
    for modes in (["fs"], ["fs", "mysql"]):
        api.post("clients", {"client_id": "mill", "supported_modes": modes})

    assert api.get("clients/mill")["client"]["supported_modes"] == ["fs", "mysql"]


def test_a_clients_id_belongs_to_one_project(api: Api, beta: Project) -> None:
    make_client(beta, "mill")
    answer = api.post("clients", {"client_id": "mill"}, 409)

    assert answer["description"] == "Client already registered with ID mill by another project"
    assert api.ask("GET", "clients/mill").status_code == 404


def test_a_central_client_works_for_all(api: Api, beta: Project) -> None:
    make_client(beta, "centre", is_central=True)

    assert api.get("clients/centre")["client"]["is_central"]
    assert api.make(client_id="centre")


def test_the_name_of_a_node_of_the_hub_is_taken(api: Api, node: Node) -> None:
    assert api.post("clients", {"client_id": "node-1"}, 409)["title"] == "Document already existing"


# -- backups -----------------------------------------------------------------------------------------------------------
MADE = {"backup_name": "bk", "container": "c", "hostname": "shop"}


def test_backups_are_listed_the_newest_first_and_searched(api: Api) -> None:
    for stamp in (1, 2, 3):
        api.post("backups", {**MADE, "time_stamp": stamp, "level": stamp})

    def levels(search: Any, query: str = "") -> list[int]:
        return [one["backup_metadata"]["level"] for one in api.get(f"backups{query}", search)["backups"]]

    assert levels(None, "?limit=2") == [3, 2]
    assert levels(None, "?limit=2&offset=2") == [1]
    assert levels({"match": [{"level": 2}]}) == [2]
    assert levels({"time_after": 1, "time_before": 3}) == [2]


@pytest.mark.parametrize(
    "backup",
    [
        {},
        {"backup_name": "bk"},
        {**MADE, "status": "lost"},
        {**MADE, "hostname": 5},
        {"hostname": "h", "container": "c"},
    ],
)
def test_what_is_no_backup(api: Api, backup: Any) -> None:
    assert api.post("backups", backup, 400)["title"] == "Bad request format"


def test_a_backup_in_the_making_needs_a_name_only(api: Api) -> None:
    backup_id = api.post("backups", {"backup_name": "bk", "status": "creating"})["backup_id"]
    api.ask("PATCH", f"backups/{backup_id}", {"status": "available", "backup_metadata": MADE}, status=200)

    assert (api.get(f"backups/{backup_id}")["status"], api.get(f"backups/{backup_id}")["backup_metadata"]) == (
        "available",
        MADE,
    )
    assert api.ask("PATCH", "backups/none", {"status": "error"}).status_code == 404

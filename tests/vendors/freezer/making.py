"""What the tests of the Freezer face make."""

from typing import Any

from jobs.models import Job, JobExecution, Node, Project
from vendors.freezer import clients, sessions, stores
from vendors.models import FreezerAction, FreezerClient, FreezerJob, VendorDocument

NODE = "node-1"
HUB = "hub_node-1"
BACKUP = {
    "action": "backup",
    "mode": "fs",
    "backup_name": "bk",
    "container": "/srv/store",
    "path_to_backup": "/etc/hostname",
    "storage": "local",
}

EMPTY = sessions.document_of({"schedule": {}})


def make_node(name: str = NODE) -> Node:
    return Node.objects.get_or_create(name=name, defaults={"workers": 2})[0]


def make_client(project: Project, client_id: str = "shop", **fields: Any) -> FreezerClient:
    supported = {name: list(words) for name, words in clients.EVERYTHING.items()}
    return FreezerClient.objects.create(
        client_id=client_id, project=project, user="0" * 32, hostname=client_id, supported=supported, **fields
    )


def make_freezer(job: Job, client: str = HUB, **fields: Any) -> FreezerJob:
    """The face's own row of a job that is there."""
    return FreezerJob.objects.create(job=job, project=job.project, client=client, user="0" * 32, **fields)


def make_action(project: Project, action_id: str = "wash", **action: Any) -> FreezerAction:
    body = {"freezer_action": {**BACKUP, **action}, "max_retries": 1, "max_retries_interval": 2}
    return FreezerAction.objects.create(project=project, action_id=action_id, user="0" * 32, body=body)


def make_document(project: Project, kind: str, key: str, document: dict[str, Any]) -> VendorDocument:
    return VendorDocument.objects.create(
        face="freezer", kind=kind, project=project, key=key, body=stores.packed(document, "0" * 32)
    )


def shown_here(execution: JobExecution) -> None:
    """Makes the job of an execution one of this face's, of a node of the hub's own."""
    assert execution.job is not None
    make_node()
    make_freezer(execution.job)
    make_client(execution.job.project)
    make_action(execution.job.project)
    make_document(execution.job.project, "session", "night", {**EMPTY, "jobs": {execution.job.key: {}}})
    make_document(execution.job.project, "backup", "one", {"status": "available", "backup_metadata": {}})

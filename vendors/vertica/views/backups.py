"""Backups and restores: jobs of these kinds, and the archives that they made."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from jobs.engine.find import find_job
from jobs.engine.rights import Right
from jobs.errors import Invalid, NotFound
from jobs.models import Archive, Job, JobAction
from jobs.runners.archive.store import find_container
from vendors.vertica.archives import archive_json, find_archive, newest
from vendors.vertica.vendor import enveloped
from vendors.vertica.views.base import AgentView, AgentViewSet, job_reply

BACKUP, RESTORE = "backup", "restore"
CANDIDATES = 100


class BackupViewSet(AgentViewSet):
    """Archives; and the jobs of kind `backup` by name: `nightly`, or `VMart` for the job `VMart/backup`."""

    queryset = Archive.objects.all()

    def list(self, request: Request) -> Response:
        body = [archive_json(row) for row in newest(self.actor.home)]
        return Response(
            enveloped(
                body, "/backups", links=("/:config_script_base", "/:config_script_base/:archive_id"), kind="backups"
            )
        )

    def retrieve(self, request: Request, config: str) -> Response:
        """`/backups/:config_script_base/:archive_id`."""
        job_name, _, archive_id = config.rpartition("/")
        row = find_archive(archive_id, self.actor.home)
        if row["job_name"] not in (job_name, f"{job_name}/{BACKUP}"):
            raise NotFound(f"there is no archive {archive_id!r} of {job_name!r}")
        return Response(enveloped(archive_json(row), f"/backups/{config}", kind="backup"))

    def create(self, request: Request, config: str) -> Response:
        job = _backup_job(config, self.actor)
        self.actor.require(Right.TRIGGER, job.project_id, "starting a backup")
        return job_reply(self.started(request, job))


class RestoreView(AgentView):
    """Restores an archive by the job that restores that backup."""

    def post(self, request: Request, archive_id: str) -> Response:
        row = find_archive(archive_id, self.actor.home)
        job = _restore_job(row, self.actor.home)
        self.actor.require(Right.TRIGGER, job.project_id, "starting a restore")
        return job_reply(self.started(request, job, at=row["created_at"].isoformat()))


def _backup_job(config: str, actor: Any) -> Job:
    for name in (config, f"{config}/{BACKUP}"):
        try:
            job = find_job(name, actor=actor)
        except NotFound:
            continue
        if job.kind == BACKUP:
            return job
    raise NotFound(f"there is no backup {config!r}")


def _restore_job(archive: dict[str, Any], project_id: int) -> Job:
    """The one that restores that backup from that container; the one of the same database before others."""
    name, container = archive["name"], archive["container"]
    uses = JobAction.objects.filter(
        job__project_id=project_id, job__kind=RESTORE, action__runner=RESTORE, action__spec__backup_name=name
    ).select_related("job__project", "action")
    found = [use.job for use in uses[:CANDIDATES] if _leads_to(use.action.spec, container)]
    if not found:
        raise NotFound(f"there is no restore job for the backup {name!r} in {container}")
    family = archive["job_name"].partition("/")[0]
    return min(found, key=lambda job: (not job.name.startswith(f"{family}/"), job.name))


def _leads_to(spec: dict[str, Any], container: str) -> bool:
    try:
        return str(find_container(spec["container"])) == container
    except Invalid:
        return False

"""Jobs of one client that polls for them, made past the face: ten thousand of them would take minutes by REST."""

from typing import Any

CLIENT = "bench"
STEP: dict[str, Any] = {
    "action": "backup",
    "mode": "fs",
    "storage": "local",
    "backup_name": "bk",
    "path_to_backup": "/srv/data",
    "container": "/srv/store",
}


def fill(*, n: int) -> int:
    """So many more, each with a step and with times of its own."""
    from django.db import transaction

    from jobs.engine.find import default_project
    from jobs.models import Job, Place
    from vendors.freezer import clients
    from vendors.models import FreezerAction, FreezerClient, FreezerJob

    project = default_project()
    supported = {name: list(words) for name, words in clients.EVERYTHING.items()}
    with transaction.atomic():
        FreezerClient.objects.get_or_create(client_id=CLIENT, defaults={"project": project, "supported": supported})
        first = Job.objects.filter(project=project, place=Place.REMOTE).count()
        jobs = Job.objects.bulk_create(
            Job(
                project=project,
                name=f"bench/polled-{number}",
                key=f"polled-{number}",
                kind="backup",
                place=Place.REMOTE,
            )
            for number in range(first, first + n)
        )
        body = {"freezer_action": STEP, "max_retries": 5, "max_retries_interval": 6}
        actions = FreezerAction.objects.bulk_create(
            FreezerAction(project=project, action_id=job.key, body=body, made_in=job) for job in jobs
        )
        rows = FreezerJob.objects.bulk_create(
            FreezerJob(
                job=job,
                project=project,
                client=CLIENT,
                status="scheduled",
                schedule={"schedule_interval": "5 minutes", "event": "", "status": "scheduled"},
                actions=[{"action_id": job.key, "user_id": "", **body}],
            )
            for job in jobs
        )
        links = [
            FreezerJob.uses.through(freezerjob_id=row.pk, freezeraction_id=action.pk)
            for row, action in zip(rows, actions, strict=True)
        ]
        FreezerJob.uses.through.objects.bulk_create(links)
    return n

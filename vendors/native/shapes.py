"""Rows of the database as this face shows them, beside executions: `jobs.engine.execution_shape`."""

from collections.abc import Iterable

from jobs.engine.documents import Parts, document_of, parts_of
from jobs.engine.execution_shape import Row
from jobs.models import Job


def jobs_json(jobs: Iterable[Job]) -> list[Row]:
    """Jobs with their owners and projects; the parts of all of them in one query each."""
    jobs = list(jobs)
    parts = parts_of(jobs)
    return [job_json(job, parts[job.pk]) for job in jobs]


def job_json(job: Job, parts: Parts | None = None) -> Row:
    return {
        "id": job.pk,
        "uuid": job.uuid,
        "project": job.project.name,
        "owner": job.owner.username if job.owner else None,
        **document_of(job, parts),
        "place": job.place,
        "hold": _hold(job),
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "version": job.version,
    }


def _hold(job: Job) -> Row | None:
    if not job.is_held:
        return None
    return {"reason": job.hold_reason, "until": job.hold_until, "by": job.held_by}

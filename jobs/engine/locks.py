"""Locks of a job's row. Who locks a job and its executions locks the job first."""

from jobs.errors import NotFound
from jobs.models import Job
from jobs.models.prepared import Prepared

_HOLD = Prepared(Job.objects.values("id", "is_held", "hold_until", "hold_reason"), "id", for_share=True)


def job_for_update(job: Job) -> Job:
    """The job as it is now, alone until this transaction ends; raises `NotFound` when it is gone."""
    locked = Job.objects.select_for_update().filter(pk=job.pk).first()
    if locked is None:
        raise NotFound(f"the job {job.name!r} was deleted")
    return locked


def job_for_share(pk: int | None) -> Job | None:
    """What is held of a job, which nobody can hold or release before this transaction ends. Many may have it."""
    row = _HOLD.first(pk or 0)
    return Job.from_db("default", list(row), list(row.values())) if row else None

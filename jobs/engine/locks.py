"""Locks of a job's row. Who locks a job and its executions locks the job first.

They leave its key free (`no_key`), which links and executions only point at: two edits that link their jobs to each
other would wait for each other else.
"""

from jobs.errors import NotFound
from jobs.models import Job
from jobs.models.prepared import Prepared

_HOLD = Prepared(Job.objects.values("id", "is_held", "hold_until", "hold_reason"), "id", for_share=True)


def job_for_update(job: Job, *, to_delete: bool = False) -> Job:
    """The job as it is now, alone until this transaction ends; raises `NotFound` when it is gone."""
    locked = Job.objects.select_for_update(no_key=not to_delete).filter(pk=job.pk).first()
    if locked is None:
        raise NotFound(f"the job {job.name!r} was deleted")
    return locked


def job_for_share(pk: int | None) -> Job | None:
    """What is held of a job, which nobody can hold or release before this transaction ends. Many may have it."""
    row = _HOLD.first(pk or 0)
    return Job.from_db("default", list(row), list(row.values())) if row else None

"""Which jobs start which: the links of a job, which never go round."""

from collections.abc import Iterable, Sequence

from jobs.engine.documents import LinkDocument
from jobs.errors import FieldError, Invalid
from jobs.models import Job, JobLink, Project

Conditions = dict[int, str]
"""How each job has to end, by its id."""


def save_links(job: Job, documents: Sequence[LinkDocument]) -> None:
    """Make the links of a saved job what its document says. Raises `Invalid` for an unknown job and for a circle.

    Circles are looked for by one transaction of a project at a time: two could close one together.
    """
    if documents:
        Project.objects.select_for_update(no_key=True).get(pk=job.project_id)
    wanted = _resolved(job, documents)
    _refuse_circle(job, documents, wanted)
    old = dict(job.links.values_list("after_job_id", "condition"))
    job.links.exclude(after_job__in=wanted).delete()
    for after_id, condition in wanted.items():
        if after_id in old:
            job.links.filter(after_job=after_id).update(condition=condition)
        else:
            JobLink.objects.create(job=job, after_job_id=after_id, condition=condition)


def comes_after(job_id: int, first_id: int) -> bool:
    """Whether the ends of the first one lead to the other, directly or by others."""
    return first_id in _predecessors([job_id])


def _resolved(job: Job, documents: Sequence[LinkDocument]) -> Conditions:
    names = {one.job for one in documents}
    known = dict(Job.objects.filter(project=job.project_id, name__in=names).values_list("name", "pk"))
    wanted: Conditions = {}
    errors: list[FieldError] = []
    for number, one in enumerate(documents):
        pk = known.get(one.job)
        if pk is None or pk in wanted:
            text = "stands twice" if pk else f"there is no job {one.job!r} in this project"
            errors.append(FieldError(f"after.{number}.job", text))
        else:
            wanted[pk] = one.on
    if errors:
        raise Invalid(errors)
    return wanted


def _refuse_circle(job: Job, documents: Sequence[LinkDocument], wanted: Conditions) -> None:
    next_of = dict.fromkeys(wanted, job.pk) | _predecessors(wanted, until=job.pk)
    if job.pk not in next_of:
        return
    circle = [job.pk]
    while len(circle) == 1 or circle[-1] != job.pk:
        circle.append(next_of[circle[-1]])
    names = Job.objects.in_bulk(circle)
    number = [one.job for one in documents].index(names[circle[-2]].name)
    raise Invalid.field(f"after.{number}.job", f"goes round: {' → '.join(names[pk].name for pk in circle)}")


def _predecessors(jobs: Iterable[int], until: int | None = None) -> dict[int, int]:
    """Every job whose ends lead to these, with one that it leads to next. Looks no further than to `until`."""
    next_of: dict[int, int] = {}
    level = set(jobs)
    while level and until not in level:
        rows = JobLink.objects.filter(job__in=level).order_by("pk").values_list("after_job_id", "job_id")
        fresh = {after_id: job_id for after_id, job_id in rows if after_id not in next_of}
        next_of |= fresh
        level = set(fresh)
    return next_of

"""Start the jobs that come after another, in the transaction in which its execution ends."""

import logging

from django.db import InterfaceError, OperationalError, transaction

from jobs.engine.chains import MEETS
from jobs.engine.links import comes_after
from jobs.engine.rights import Actor, Right, actor_for, audit, operator
from jobs.engine.trigger import skip, trigger
from jobs.errors import Conflict, JobHubError
from jobs.models import Condition, Dependency, Job, JobExecution, JobLink, User
from jobs.states import State

log = logging.getLogger(__name__)
FACE = "chain"
DATABASE_AWAY = (OperationalError, InterfaceError)


def follow(ended: JobExecution, job_id: int) -> None:
    """Start a job one of whose predecessors has ended as wanted, unless it waits for the ends of others as well.

    One that cannot be started now (on hold, active, its editor gone) leaves a skipped execution with the reason.
    """
    links = _links_of(job_id)
    if not _is_wanted(ended, links):
        return
    sources = [ended] if len(links) == 1 else _all_ends(ended, job_id, links)
    job = Job.objects.select_related("project").filter(pk=job_id).first() if sources else None
    if job is None:
        return
    _begin_chain(ended)
    execution = _start(job, ended)
    if execution is None:
        return
    conditions = {link.after_job_id: link.condition for link in links}
    Dependency.objects.bulk_create(
        Dependency(execution=execution, after=one, condition=conditions[one.job_id or 0]) for one in sources
    )


def _is_wanted(ended: JobExecution, links: list[JobLink]) -> bool:
    """Somebody may have changed the links since it was asked what follows."""
    wanted = {link.after_job_id: Condition(link.condition) for link in links}
    return ended.job_id in wanted and State(ended.state) in MEETS[wanted[ended.job_id]]


def _links_of(job_id: int) -> list[JobLink]:
    """Those of a job with several are locked: the last of its predecessors to end has to see that it is the last."""
    rows = JobLink.objects.filter(job=job_id).order_by("pk")
    links = list(rows)
    return links if len(links) < 2 else list(rows.select_for_update())


# -- after several -----------------------------------------------------------------------------------------------------
def _all_ends(ended: JobExecution, job_id: int, links: list[JobLink]) -> list[JobExecution]:
    """The ends that the job runs after: this one and one of each other predecessor; none while one is missing."""
    found = [ended]
    for link in links:
        if link.after_job_id != ended.job_id:
            other = _run_beside(ended, link.after_job_id)
            if other is None or not _counts(other, link, job_id):
                return []
            found.append(other)
    return found


def _run_beside(ended: JobExecution, job_id: int) -> JobExecution | None:
    """Which execution of another predecessor counts: the newest of the same chain run; of a job to which that chain
    run does not lead, its newest of all."""
    runs = JobExecution.objects.filter(job=job_id).order_by("-pk")
    same: JobExecution | None = runs.filter(chain=_chain_of(ended)).first()
    if same is not None or _is_led_to(_chain_of(ended), job_id):
        return same
    newest: JobExecution | None = runs.first()
    return newest


def _is_led_to(chain: int, job_id: int) -> bool:
    first_job = JobExecution.objects.filter(pk=chain).values_list("job_id", flat=True).first()
    return first_job is not None and comes_after(job_id, first_job)


def _counts(run: JobExecution, link: JobLink, job_id: int) -> bool:
    """It has ended as wanted, and the job has not followed it yet."""
    is_wanted = State(run.state) in MEETS[Condition(link.condition)] and not run.is_skipped
    return is_wanted and not Dependency.objects.filter(after=run, execution__job=job_id).exists()


# -- its start ---------------------------------------------------------------------------------------------------------
def _chain_of(execution: JobExecution) -> int:
    return execution.chain or execution.pk


def _begin_chain(ended: JobExecution) -> None:
    """The first of a chain run belongs to it, too. Its attribute alone says nothing: a transaction may have failed."""
    if _chain_of(ended) == ended.pk:
        JobExecution.objects.filter(pk=ended.pk).update(chain=ended.pk)
        ended.chain = ended.pk


def _start(job: Job, ended: JobExecution) -> JobExecution | None:
    """What goes wrong here is no reason for the other one not to have ended."""
    try:
        with transaction.atomic():
            return _triggered(job, ended)
    except DATABASE_AWAY:
        raise
    except Exception as error:
        log.exception("cannot start %s after %s", job.name, ended.handle)
        audit(_named(job), "skip", job.name, job.project_id, reason=f"{type(error).__name__}: {error}")
        return None


def _triggered(job: Job, ended: JobExecution) -> JobExecution:
    try:
        with transaction.atomic():
            return trigger(job, actor=_authority(job), triggered_by=ended)[0]
    except JobHubError as error:
        return skip(job, error.message, actor=_named(job), triggered_by=ended)


def _authority(job: Job) -> Actor:
    """Whoever saved the job last said that it shall start by itself, and must still be allowed to start it."""
    if not job.edited_by:
        return _named(job)
    user = User.objects.filter(pk=job.last_editor_id or 0, is_active=True).first()
    actor = actor_for(user, face=FACE) if user else None
    if actor is None or actor.right(job.project_id) < Right.TRIGGER:
        raise Conflict(f"{job.edited_by}, who saved this job last, may not start it any more; save it again")
    return actor


def _named(job: Job) -> Actor:
    """The hub itself, by the name of who said so."""
    return Actor(name=job.edited_by or operator(FACE).name, face=FACE, sees_all=True)

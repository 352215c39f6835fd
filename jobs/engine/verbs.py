"""What may be done to jobs and executions that exist: pause, resume, hold, release, delete."""

import contextlib
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from jobs import queue, runners
from jobs.engine import chains, schedules
from jobs.engine.aborts import request_abort
from jobs.engine.locks import job_for_update
from jobs.engine.rights import Actor, Right, audit
from jobs.engine.times import check_future
from jobs.errors import Conflict, IllegalMove, Invalid, NotFound
from jobs.models import Job, JobExecution, Place
from jobs.models.moves import due_now
from jobs.states import FINAL, State


def pause(execution: JobExecution, *, actor: Actor) -> None:
    """Ask a running execution to save a checkpoint and leave its worker.

    Raises `IllegalMove` when it does not run, `Conflict` when its present step cannot be paused.
    """
    actor.require(Right.EDIT, execution.project_id, "pausing")
    execution.refresh_from_db()
    if execution.state != State.RUNNING:
        hint = "; hold its job to keep it from starting" if execution.state == State.QUEUED else ""
        raise IllegalMove(f"execution {execution.handle} is {execution.state}, not running{hint}")
    step = next(iter(execution.plan["actions"][execution.position :]), None)
    if step is None or not _can_pause(step["runner"], step["spec"]):
        what = f"the runner {step['runner']!r}" if step else "a run without steps here"
        raise Conflict(f"{what} cannot be paused; abort it instead")
    with transaction.atomic():
        rows = JobExecution.objects.filter(pk=execution.pk, state=State.RUNNING, attempt=execution.attempt)
        if not rows.update(pause_requested_at=timezone.now(), version=F("version") + 1):
            raise IllegalMove(f"execution {execution.handle} is no longer running")
        audit(actor, "pause", execution.handle, execution.project_id)


def _can_pause(runner_name: str, spec: object) -> bool:
    try:
        runner = runners.get(runner_name)
        return runner.can_pause(runner.validate(spec))
    except Invalid:
        return False


def resume(execution: JobExecution, *, actor: Actor) -> None:
    """Queue a paused execution again; it goes on from its checkpoint. Raises `IllegalMove` unless it is paused."""
    actor.require(Right.EDIT, execution.project_id, "resuming")
    with transaction.atomic():
        execution.move(
            State.QUEUED,
            come_from=frozenset({State.PAUSED}),
            run_at=due_now(),
            n_blocks=chains.recount(execution),
            pause_requested_at=None,
        )
        audit(actor, "resume", execution.handle, execution.project_id)
        transaction.on_commit(queue.wake)


def hold(job: Job, *, actor: Actor, reason: str = "", until: datetime | None = None) -> None:
    """Keep a job from starting: triggers are refused, what is queued waits. What runs goes on.

    `until` releases it by itself. Holding a held job changes its reason and end.
    """
    actor.require(Right.EDIT, job.project_id, "holding a job")
    check_future("until", until)
    said = {"hold_until": until, "hold_reason": schedules.reason_of(reason), "held_by": actor.name}
    with transaction.atomic():
        if not job_for_update(job).is_held:
            _queued(job).update(n_blocks=F("n_blocks") + 1, is_parked=False, version=F("version") + 1)
            JobExecution.objects.unpark(job.slot_key)  # one that came forward may be among those that are held now
        Job.objects.filter(pk=job.pk).update(is_held=True, version=F("version") + 1, **said)
        audit(actor, "hold", job.name, job.project_id, reason=reason)
        job.refresh_from_db()


def release(job: Job, *, actor: Actor, only_if_over: bool = False) -> None:
    """End a hold; harmless without one. `only_if_over`: unless somebody has prolonged it."""
    actor.require(Right.EDIT, job.project_id, "releasing a job")
    said = {"hold_until": None, "hold_reason": "", "held_by": ""}
    with transaction.atomic():
        locked = job_for_update(job)
        is_over = locked.hold_until is not None and locked.hold_until <= timezone.now()
        if locked.is_held and (is_over or not only_if_over):
            Job.objects.filter(pk=job.pk).update(is_held=False, version=F("version") + 1, **said)
            schedules.end_hold(job, locked.hold_reason)
            _queued(job).filter(n_blocks__gt=0).update(n_blocks=F("n_blocks") - 1, version=F("version") + 1)
            audit(actor, "release", job.name, job.project_id)
            transaction.on_commit(queue.wake)
        job.refresh_from_db()


def _queued(job: Job) -> QuerySet[JobExecution]:
    return JobExecution.objects.filter(job=job, state=State.QUEUED)


def watch(job: Job, is_watched: bool) -> None:
    """Have a face hear of the runs of a job that are triggered from now on, or no more. Nobody's right is asked."""
    if job.is_watched != is_watched:
        Job.objects.filter(pk=job.pk).update(is_watched=is_watched)
        job.is_watched = is_watched


def delete_job(job: Job, *, actor: Actor) -> None:
    """Delete a job and abort what is active of it; its executions stay as history, and nothing comes after them."""
    actor.require(Right.EDIT, job.project_id, "deleting a job")
    with transaction.atomic():
        locked = job_for_update(job, to_delete=True)
        _cut_off(locked)
        for execution in JobExecution.objects.active().filter(job=locked):
            with contextlib.suppress(IllegalMove):
                request_abort(execution, by=actor.name)
                _end_remote(execution, actor.name)
        private = list(locked.actions.filter(is_shared=False))
        audit(actor, "delete", locked.name, locked.project_id)
        locked.delete()
        for action in private:
            action.delete()


def _end_remote(execution: JobExecution, by: str) -> None:
    """Its node finds no job any more that it could report for."""
    if execution.place == Place.REMOTE and execution.state == State.ABORTING:
        execution.move(State.ABORTED, message=f"aborted by {by}, who deleted the job")
        chains.settle(execution)


def _cut_off(job: Job) -> None:
    """Jobs that came after this one do so no more."""
    followers = list(job.followers.values_list("job_id", flat=True))
    job.followers.all().delete()
    Job.objects.filter(pk__in=followers).update(version=F("version") + 1)


def delete_execution(execution: JobExecution, *, actor: Actor) -> None:
    """Delete the history of an ended execution. Raises `IllegalMove` while it is active."""
    actor.require(Right.EDIT, execution.project_id, "deleting an execution")
    with transaction.atomic():
        locked = JobExecution.objects.select_for_update().filter(pk=execution.pk).first()
        if locked is None:
            raise NotFound(f"execution {execution.handle} was deleted")
        if locked.state not in FINAL:
            raise IllegalMove(f"execution {locked.handle} is {locked.state}; abort it first")
        audit(actor, "delete", locked.handle, locked.project_id)
        locked.delete()

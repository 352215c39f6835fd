"""What is asked of nodes that poll by themselves: to start a run once it is due, and to end one."""

import logging

from django.db import transaction
from django.utils import timezone

from jobs import signals
from jobs.models import Job, JobExecution, Node, Place
from jobs.states import State

log = logging.getLogger(__name__)
BATCH = 200


def ask_start(execution: JobExecution) -> None:
    """Unless something has to happen before: then `ask_due` does it. In the transaction of whatever made it due."""
    now = timezone.now()
    if execution.place != Place.REMOTE or execution.n_blocks or execution.run_at > now:
        return
    if Node.objects.filter(name=execution.pinned_to, drained_at__isnull=False).exists():
        return
    rows = JobExecution.objects.filter(pk=execution.pk, state=State.QUEUED, asked_at=None)
    if rows.update(asked_at=now):
        execution.asked_at = now
        signals.remote_asked.send(JobExecution, execution=execution, ask=signals.START)


def ask_abort(execution: JobExecution) -> None:
    """Of a run that somebody has just ended or wants to end, in that transaction."""
    if execution.place != Place.REMOTE:
        return
    if execution.state == State.ABORTING:
        signals.remote_asked.send(JobExecution, execution=execution, ask=signals.ABORT)
    elif execution.asked_at is not None:
        signals.remote_asked.send(JobExecution, execution=execution, ask=signals.WITHDRAW)


def ask_due() -> None:
    """Ask for the runs whose time has come, or which nothing blocks any more."""
    for execution in JobExecution.objects.due_remote(timezone.now())[:BATCH]:
        try:
            with transaction.atomic():
                lock_job(execution)
                ask_start(execution)
        except Exception:
            log.exception("cannot ask for execution %s", execution.handle)


def lock_job(execution: JobExecution) -> None:
    """Before a remote one is changed: whoever listens locks what belongs to the job."""
    if execution.place == Place.REMOTE:
        Job.objects.select_for_update(no_key=True).filter(pk=execution.job_id or 0).first()

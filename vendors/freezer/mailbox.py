"""The one-place mailbox of a job that a scheduler runs: what is asked of it, until it has fetched it and said so."""

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from jobs import signals
from jobs.models import JobExecution, Place
from jobs.states import FINAL, State
from vendors.freezer import timing
from vendors.freezer.words import ABORT, COMPLETED, START, STOP
from vendors.models import FreezerJob

Json = dict[str, Any]


def put(row: FreezerJob, event: str) -> None:
    """The last one wins. A start makes the job one that its node asks for again."""
    row.event, row.event_no = event, row.event_no + 1
    if event == START:
        row.status = row.result = ""
        row.is_open = 1
        row.schedule = {**row.schedule, "event": event, "status": "", "result": ""}
    row.save()


def queued(job_id: int) -> Any:
    """The runs that its node was asked for and has not begun."""
    rows = JobExecution.objects.filter(job=job_id, state=State.QUEUED, place=Place.REMOTE)
    return rows.filter(asked_at__isnull=False).order_by("pk")


@receiver(signals.remote_asked)
def hear(execution: JobExecution, ask: str, **_: Any) -> None:
    """Somebody has triggered or aborted a run, through whatever face."""
    row = FreezerJob.objects.select_for_update().filter(job=execution.job_id or 0).first()
    if row is None:
        return
    if ask == signals.WITHDRAW:
        _withdraw(row)
    elif ask == signals.ABORT and row.event != ABORT:
        put(row, ABORT)
    elif ask == signals.START and not (row.event == START and row.is_undelivered):
        put(row, START)


@receiver(signals.run_moved)
def note(execution: JobExecution, **_: Any) -> None:
    """A run of a watched job begins or has ended: its session is told, once that is certain."""
    is_begun = execution.state == State.RUNNING and execution.attempt == 1
    if execution.place == Place.HUB and (is_begun or execution.state in FINAL):
        transaction.on_commit(partial(_note, execution), robust=True)


def _note(execution: JobExecution) -> None:
    from vendors.freezer import sessions  # loads what only web processes need else

    sessions.note_run(execution)


def _withdraw(row: FreezerJob) -> None:
    """A run shall not begin. A job with times of its own goes on with these."""
    if queued(row.job_id).exists():
        return
    if row.event == START and row.is_undelivered:
        row.event = ""
        row.status = row.status if timing.is_timed(row.schedule) else STOP
        row.save()
    elif not timing.is_timed(row.schedule):
        put(row, ABORT)


def deliver(documents: list[Json]) -> None:
    """Its node has fetched these rows of jobs, with the events in them."""
    for row in documents:
        if row["event"] and row["event_no"] > row["delivered_no"]:
            seen = FreezerJob.objects.filter(job=row["job_id"], delivered_no__lt=row["event_no"])
            seen.update(delivered_no=row["event_no"])


def for_node(document: Json) -> Json:
    """A job as its scheduler can bear it: the release 19.0.0 stops looking at all jobs behind one without `event`, and
    behind an abort of one that it has not run. There an abort is a stop."""
    schedule = {"event": "", **document["job_schedule"]}
    if schedule["event"] == ABORT and "current_pid" not in schedule:
        schedule["event"] = STOP
    return {**document, "job_schedule": schedule}


def take(row: FreezerJob, schedule: Json) -> None:
    """A whole `job_schedule` that was sent. An event that its node has not seen outlives it, as does its being asked
    for."""
    waits, event = row.is_undelivered, row.event
    sent = schedule.get("event", "")
    row.schedule = schedule
    row.status, row.result = schedule.get("status", ""), schedule.get("result", "")
    if waits:
        row.event = event
        row.status = "" if event == START and row.status == COMPLETED else row.status
    else:
        row.event_no += bool(sent) and sent != event
        row.event = sent
    row.is_open = int(row.status != COMPLETED)

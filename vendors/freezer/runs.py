"""Runs of Freezer's jobs: begun and ended by events on the hub's own nodes, told of by schedulers elsewhere."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from jobs.engine import aborts, verbs
from jobs.engine.locks import job_for_update
from jobs.engine.report import report
from jobs.engine.rights import Actor, Right
from jobs.engine.schedule_documents import schedule_document
from jobs.engine.schedules import set_schedules
from jobs.engine.trigger import trigger
from jobs.errors import Invalid
from jobs.models import Job, JobExecution, Place
from jobs.states import LIVE, State
from vendors.freezer import mailbox, nodes, timing
from vendors.freezer.errors import unsuitable
from vendors.freezer.scope import Scope
from vendors.freezer.words import ABORT, ABORTING, COMPLETED, RUNNING, START, STATE_OF_RESULT, STOP
from vendors.models import FreezerJob

Json = dict[str, Any]
SUCCESS = "success"
LATEST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


# -- events ------------------------------------------------------------------------------------------------------------
def post_event(job: Job, event: str, actor: Actor) -> str:
    """What is answered: `success`, or that it was asked for before."""
    actor.require(Right.TRIGGER if event == START else Right.EDIT, job.project_id, f"the event {event!r}")
    with transaction.atomic():
        job = job_for_update(job)
        row = FreezerJob.objects.select_for_update().filter(job=job).first()
        is_remote = row is not None and job.place == Place.REMOTE
        is_new = _post_there(job, row, event, actor) if is_remote and row else _post_here(job, row, event, actor)
    return SUCCESS if is_new else f"{event} already requested"


def _post_there(job: Job, row: FreezerJob, event: str, actor: Actor) -> bool:
    """Into the mailbox, and what it means for runs that are there already."""
    if row.event == event:
        return False
    if event == START and not mailbox.queued(job.pk).exists():
        trigger(job, actor=actor)
        return True
    if event == ABORT:
        _abort(JobExecution.objects.filter(job=job).active(), actor)
    elif event == STOP:
        _abort(mailbox.queued(job.pk), actor)
    row.refresh_from_db()
    if row.event != event:
        mailbox.put(row, event)
    return True


def _post_here(job: Job, row: FreezerJob | None, event: str, actor: Actor) -> bool:
    """Done at once, as a scheduler does it at its next look."""
    active = list(JobExecution.objects.active().filter(job=job).order_by("pk"))
    waiting = [one for one in active if one.state == State.QUEUED]
    is_live = any(State(one.state) in LIVE for one in active)
    if event == START:
        is_stopped = row is not None and row.status == STOP
        return not waiting and ((is_live and not is_stopped) or begin(job, row, actor))
    doomed = [one for one in (active if event == ABORT else waiting) if one.state != State.ABORTING]
    is_new = _abort(doomed, actor) or not active or (event == STOP and _is_timed(job))
    return _stand_still(job, row, is_live, actor) and is_new


def _stand_still(job: Job, row: FreezerJob | None, is_live: bool, actor: Actor) -> bool:
    """No further run. What runs goes on to its end; whether the job did not stand still before."""
    if row is None:
        return True
    was_still = row.status == STOP
    if _is_timed(job) or not is_live:
        row.status = STOP
        row.save()
        switch(job, row, actor)
    return not was_still


def _is_timed(job: Job) -> bool:
    return job.schedules.exists()


def switch(job: Job, row: FreezerJob, actor: Actor) -> None:
    """Its times on or off, whoever has set them."""
    documents = [{**schedule_document(one), "enabled": _is_on(row)} for one in job.schedules.all()]
    set_schedules(job, documents, actor=actor)


def _is_on(row: FreezerJob) -> bool:
    return row.status not in (STOP, COMPLETED)


def schedules_of(job: Job, row: FreezerJob) -> list[Json]:
    """For the engine, of a job that it runs. Those that were made elsewhere stay."""
    others = job.schedules.exclude(name=timing.NAME) if job.pk else []
    return [*(schedule_document(one) for one in others), *timing.documents(row.schedule, is_enabled=_is_on(row))]


def is_as_shown(schedule: Json, job: Job, row: FreezerJob) -> bool:
    """Whether a `job_schedule` leaves the times of a job that the hub runs as they are."""
    own = job.schedules.filter(name=timing.NAME).first()
    return job.place == Place.HUB and timing.is_as_shown(schedule, row.schedule, own)


def _reschedule(job: Job, row: FreezerJob, actor: Actor) -> None:
    try:
        set_schedules(job, schedules_of(job, row), actor=actor)
    except Invalid as error:
        raise unsuitable(timing.in_its_words(error)) from None


def _abort(executions: Any, actor: Actor) -> bool:
    """Whether there was one."""
    return bool(aborts.abort_all(list(executions), actor=actor))


def begin(job: Job, row: FreezerJob | None, actor: Actor) -> bool:
    """Start a job that stands still: now, or by its times; whether it did."""
    if row is not None:
        was_still = row.status in (STOP, COMPLETED)
        row.status = row.result = row.event = ""
        row.save()
        if _is_timed(job):
            switch(job, row, actor)
            return was_still
    trigger(job, actor=actor)
    return True


def adopt(job: Job, row: FreezerJob, actor: Actor) -> None:
    """A new job on a node of the hub's own: it starts at once, as a scheduler would start it, unless it shall not."""
    event, status = row.event, row.status
    row.event = ""
    if event in (STOP, ABORT) or (status in (STOP, COMPLETED) and event != START):
        row.status = STOP
        row.save()
        switch(job, row, actor)
    else:
        begin(job, row, actor)


# -- reports -----------------------------------------------------------------------------------------------------------
def take_schedule(job: Job, row: FreezerJob, schedule: Json, scope: Scope) -> None:
    """A `job_schedule` that a scheduler, or somebody else, has sent for a job."""
    if job.place == Place.HUB:
        _take_here(job, row, schedule, scope.actor)
        return
    mailbox.take(row, schedule)
    if _tell(job, row, schedule, scope.actor):
        nodes.greet(row.client)
        if not row.is_open and mailbox.queued(job.pk).exists():
            mailbox.put(row, START)


def give_schedule(job: Job, row: FreezerJob, schedule: Json, actor: Actor) -> None:
    """Another schedule with all that was asked and told: from now on this one counts."""
    row.delivered_no = row.event_no
    row.event = ""
    if job.place == Place.HUB:
        is_stop = schedule.get("event") == STOP
        row.status = STOP if is_stop else ""
        row.schedule = {**timing.definition(schedule), **_born(row)}
        row.save()
        _reschedule(job, row, actor)
        return
    mailbox.take(row, schedule)
    row.save()


def watch(job: Job, row: FreezerJob) -> None:
    """The hub tells a session of what it runs itself."""
    verbs.watch(job, bool(row.session_id) and job.place == Place.HUB)


def _born(row: FreezerJob) -> Json:
    return {"time_created": row.schedule["time_created"]} if "time_created" in row.schedule else {}


def _take_here(job: Job, row: FreezerJob, schedule: Json, actor: Actor) -> None:
    """Nobody tells the hub of its own runs: only what says when to run counts."""
    if not is_as_shown(schedule, job, row):
        row.schedule = {**timing.definition(schedule), **_born(row)}
        row.save()
        _reschedule(job, row, actor)


def _tell(job: Job, row: FreezerJob, schedule: Json, actor: Actor) -> bool:
    """The engine, of the run in it; whether there is one."""
    began, ended = (_moment(schedule.get(name)) for name in ("time_started", "time_ended"))
    if began is None:
        return False
    state = STATE_OF_RESULT.get(schedule.get("result", "")) if ended else None
    if state is None and schedule.get("status") not in (RUNNING, ABORTING):
        return False
    end: Json = {} if state is None else _end(state, ended, row.client)
    report(
        job,
        actor=actor,
        remote_ref=str(int(began.timestamp())),
        node=row.client,
        state=state or State.RUNNING,
        started_at=began,
        **end,
    )
    return True


def _end(state: State, ended: datetime | None, client: str) -> Json:
    texts = {
        State.FAILED: f"an action failed on {client}: its scheduler's log says which",
        State.ABORTED: f"aborted on {client}",
    }
    text = texts.get(state, "")
    return {"finished_at": ended, "message": text, "errors": [text] if state is State.FAILED else []}


def _moment(seconds: Any) -> datetime | None:
    if not isinstance(seconds, int) or not 0 < seconds < LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)

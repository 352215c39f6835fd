"""Start jobs."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs import queue, runners
from jobs.engine import chains, remote
from jobs.engine.aborts import request_abort
from jobs.engine.define import is_privileged
from jobs.engine.documents import MAX_PRIORITY
from jobs.engine.forms import check_params
from jobs.engine.handles import WITH_EPOCH, handle
from jobs.engine.locks import job_for_share
from jobs.engine.rights import Actor, Right, audit
from jobs.engine.times import check_year
from jobs.errors import Busy, Conflict, Held, IllegalMove, Invalid
from jobs.models import Condition, Job, JobAction, JobExecution, Place, Schedule, WhenActive
from jobs.models.moves import due_now
from jobs.models.prepared import Prepared, insert
from jobs.runners.base import OnLost
from jobs.states import State
from jobs.texts import check_text

TRIES = 50
NO_HANDLE = "could not find a free handle for {!r}; try again"
IN_PLAN = (
    "action__key",
    "action__runner",
    "action__spec",
    "action__timeout_s",
    "action__retries",
    "action__retry_delay_s",
    "mandatory",
)
EDITOR = ("action__last_editor", "action__edited_by")
_STEPS = Prepared(JobAction.objects.order_by("position").values(*IN_PLAN, *EDITOR), "job")


def trigger(
    job: Job,
    *,
    actor: Actor,
    params: Mapping[str, Any] | None = None,
    after: Sequence[JobExecution] = (),
    condition: Condition = Condition.SUCCESS,
    idempotency_key: str = "",
    run_at: datetime | None = None,
    priority: int | None = None,
    retry_of: JobExecution | None = None,
    first_action: int = 0,
    triggered_by: JobExecution | None = None,
    place: Place | None = None,
    verb: str = "",
    schedule: Schedule | None = None,
    slot_at: datetime | None = None,
) -> tuple[JobExecution, bool]:
    """Queue one execution of a job; workers are woken on commit. Returns it and whether it is new.

    The same idempotency key of the same requester in the same project, and the same slot of the same schedule, give
    the first execution back. Of an active job whose `when_active` says skip, it is one that was aborted at once. Raises
    `Held` for a job on hold, `Busy` when it is active and its `when_active` says refuse, `Invalid` for bad params,
    `Conflict` when the idempotency key was used for another job. `verb`: what the handle begins with, instead of its
    kind's word. `first_action`: the position of the one with which it begins.
    """
    actor.require(Right.TRIGGER, job.project_id, "triggering a job")
    for predecessor in after:
        actor.require(Right.SEE, predecessor.project_id, "waiting for an execution")
    if priority is not None and abs(priority) > MAX_PRIORITY:
        raise Invalid.field("priority", f"wanted a number from -{MAX_PRIORITY} to {MAX_PRIORITY}")
    check_year("run_at", run_at)
    execution = new_execution(job, actor=actor, place=place or Place(job.place))
    execution.params = _checked(params or {}, job.params)
    execution.priority = job.priority if priority is None else priority
    execution.run_at = run_at or execution.run_at
    execution.idempotency_key = _scoped(idempotency_key, actor, job)
    if first_action:
        execution.position = execution.plan["first_action"] = first_action
    _set_origin(execution, retry_of, triggered_by)
    execution.schedule, execution.slot_at = schedule, slot_at
    for _ in range(TRIES):
        if first := _first_answer(execution):
            return first, False
        try:
            with transaction.atomic():
                _insert(execution, job, actor, after, condition, verb)
        except IntegrityError:
            continue
        return execution, True
    raise Conflict(NO_HANDLE.format(job.name))


def skip(job: Job, reason: str, *, actor: Actor, triggered_by: JobExecution | None = None) -> JobExecution:
    """Record that a run of a job, which should have been started, was not: an execution that is aborted at once."""
    execution = new_execution(job, actor=actor, place=Place.HUB)
    _set_origin(execution, None, triggered_by)
    for _ in range(TRIES):
        with contextlib.suppress(IntegrityError), transaction.atomic():
            save_named(execution)
            _skip(execution, reason)
            audit(actor, "skip", execution.handle, job.project_id, reason=reason)
            return execution
    raise Conflict(NO_HANDLE.format(job.name))


def new_execution(job: Job, *, actor: Actor, place: Place) -> JobExecution:
    """A queued execution of a job as it is now, not saved yet."""
    return JobExecution(
        project=job.project,
        job=job,
        job_name=job.name,
        kind=job.kind,
        plan=plan_of(job),
        params=dict(job.params),
        place=place,
        priority=job.priority,
        run_at=due_now(),
        pinned_to=job.node,
        slot_key=job.slot_key,
        slot_limit=job.concurrency_limit,
        requested_by=actor.name,
        requested_user_id=actor.user_id,
        requested_face=actor.face,
        requested_key=actor.key_id,
    )


def _set_origin(execution: JobExecution, retry_of: JobExecution | None, triggered_by: JobExecution | None) -> None:
    if retry_of is not None:
        execution.retry_of, execution.chain = retry_of, retry_of.chain
        execution.first = retry_of.first or retry_of.pk
    if triggered_by is not None:
        execution.triggered_by, execution.chain = triggered_by.pk, triggered_by.chain


def plan_of(job: Job) -> dict[str, Any]:
    """The job as it is now: what an execution of it will do, whatever becomes of the job afterwards."""
    steps = _STEPS.all(job.pk)
    actions = [{name.removeprefix("action__"): step[name] for name in IN_PLAN} for step in steps]
    return {
        "project": job.project.name,
        "actions": actions,
        "timeout_s": job.timeout_s,
        "soft_timeout_s": job.soft_timeout_s,
        "retries": job.retries,
        "retry_delay_s": job.retry_delay_s,
        "on_lost": job.on_lost or _on_lost(actions),
        "privileged": any(is_privileged(action["runner"]) for action in actions),
        "action_editors": [
            step["action__last_editor"]
            for step in steps
            if step["action__edited_by"] and is_privileged(step["action__runner"])
        ],
        "editor": job.last_editor_id,
        "by_operator": not job.edited_by,
        "keep": job.keep,
        "remove_archives": job.remove_archives,
        **({"is_watched": True} if job.is_watched else {}),
    }


def _on_lost(actions: list[dict[str, Any]]) -> str:
    return OnLost.RERUN if all(_may_rerun(action) for action in actions) else OnLost.FAIL


def _may_rerun(action: dict[str, Any]) -> bool:
    try:
        runner = runners.get(action["runner"])
        return runner.on_lost_of(runner.validate(action["spec"])) is OnLost.RERUN
    except Invalid:
        return False


def _checked(params: Mapping[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(params, Mapping):
        raise Invalid.field("params", "wanted an object of names and values")
    for name, value in params.items():
        if not isinstance(value, str | int | float | bool | None):
            raise Invalid.field(f"params.{name}", "wanted a string, a number, a boolean or null")
    try:
        return check_params({**defaults, **params})
    except ValueError as error:
        raise Invalid.field("params", str(error)) from None


def _scoped(key: str, actor: Actor, job: Job) -> str | None:
    if not key:
        return None
    try:
        check_text(key)
    except ValueError as error:
        raise Invalid.field("idempotency_key", str(error)) from None
    if len(key) > 200:
        raise Invalid.field("idempotency_key", "wanted at most 200 characters")
    return f"{job.project_id}:{actor.user_id or actor.name}:{key}"


def _first_answer(execution: JobExecution) -> JobExecution | None:
    if execution.schedule_id is not None:
        same = JobExecution.objects.filter(schedule_id=execution.schedule_id, slot_at=execution.slot_at)
        if first := same.first():
            return first
    if execution.idempotency_key is None:
        return None
    first = JobExecution.objects.filter(idempotency_key=execution.idempotency_key).first()
    is_other = first is not None and first.job_id != execution.job_id and first.job_name != execution.job_name
    if first is not None and is_other:
        raise Conflict(f"this idempotency key was used for {first.job_name!r}")
    return first


def _insert(
    execution: JobExecution,
    job: Job,
    actor: Actor,
    after: Sequence[JobExecution],
    condition: Condition,
    verb: str,
) -> None:
    obstacle = _admit(job, actor)
    save_named(execution, verb)
    if obstacle:
        _skip(execution, obstacle)
    elif after:
        execution.n_blocks = chains.chain(execution, after, condition)
        JobExecution.objects.filter(pk=execution.pk).update(n_blocks=execution.n_blocks)
    audit(actor, "trigger", execution.handle, job.project_id, **_origin(execution))
    if obstacle:
        return
    remote.ask_start(execution)
    transaction.on_commit(queue.wake)


def _origin(execution: JobExecution) -> dict[str, Any]:
    """What the audit says of where it comes from."""
    if execution.retry_of:
        return {"retry_of": execution.retry_of.handle}
    if execution.schedule and execution.slot_at:
        return {"schedule": execution.schedule.name, "slot_at": execution.slot_at.isoformat()}
    return {"triggered_by": execution.triggered_by} if execution.triggered_by else {}


def _skip(execution: JobExecution, reason: str) -> None:
    """Nothing follows from its end: it was none."""
    text = f"skipped: {reason}"
    execution.move(State.ABORTED, is_skipped=True, message=text, errors=[text])


def _admit(job: Job, actor: Actor) -> str:
    """Whether the job takes another execution now: the reason to skip it, empty when it does.

    Locks the job's row where the answer depends on other executions.
    """
    if job.when_active == WhenActive.QUEUE:
        current = job_for_share(job.pk)
    else:
        current = Job.objects.select_for_update(no_key=True).filter(pk=job.pk).first()
    if current is None:
        raise Conflict(f"the job {job.name!r} was deleted")
    if current.is_held:
        until = f" until {current.hold_until:%Y-%m-%d %H:%M:%S %Z}" if current.hold_until else ""
        raise Held(f"the job {job.name!r} is on hold{until}: {current.hold_reason or 'no reason given'}")
    return "" if job.when_active == WhenActive.QUEUE else _make_way(job, actor)


def _make_way(job: Job, actor: Actor) -> str:
    active = list(JobExecution.objects.active().filter(job=job).order_by("pk"))
    if not active:
        return ""
    text = f"the job {job.name!r} is already active: execution {active[-1].handle} is {active[-1].state}"
    if job.when_active == WhenActive.REFUSE:
        raise Busy(text)
    if job.when_active == WhenActive.SKIP:
        return text
    for execution in active:
        with contextlib.suppress(IllegalMove):  # it has just ended
            request_abort(execution, by=actor.name)
    return ""


def save_named(execution: JobExecution, verb: str = "") -> None:
    """Insert it with a handle; one that counts in 10 ms is moved to a free one, by steps that double.

    Raises `IntegrityError` when another process was faster with the same handle.
    """
    at, step = timezone.now(), timedelta(milliseconds=10)
    execution.queued_at = at
    execution.handle = handle(execution.job_name, execution.kind, at, verb)
    while execution.kind in WITH_EPOCH and JobExecution.objects.filter(handle=execution.handle).exists():
        at, step = at + step, 2 * step
        execution.handle = handle(execution.job_name, execution.kind, at, verb)
    insert(execution)

"""Run the plan of a claimed execution and tell how it ended."""

import logging
import shutil
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from jobs import runners
from jobs.engine.rights import Right, actor_for
from jobs.errors import IllegalMove, Invalid, LeaseLost, RunFailed, Stopped
from jobs.models import ActionExecution, JobExecution, User
from jobs.models.moves import due_now
from jobs.runners.base import OnLost, Result, Runner
from jobs.runners.context import Stop
from jobs.states import State
from jobs.texts import storable
from jobs.worker.lease import keeper
from jobs.worker.report import WorkerContext, within

log = logging.getLogger(__name__)
LONGEST_DELAY_S = 3600
DATABASE_PAUSE_S = 0.5
DATABASE_AWAY = (OperationalError, InterfaceError)
MAX_ERROR_CHARS = 10_000
MAX_CAUSES = 20

Step = dict[str, Any]


@dataclass
class Outcome:
    """How a step or a whole attempt ended, in the words of the states."""

    state: State
    message: str = ""
    errors: list[str] = field(default_factory=list)
    exit_code: int | None = None
    stop: Stop | None = None


def execute(execution: JobExecution, *, leased_at: float | None = None) -> None:
    """Run one attempt from its claim to its end. Raises nothing: whatever happens is told in the row or, when the
    lease is lost, by whoever rescues it."""
    try:
        context = WorkerContext(execution, leased_at=leased_at)
        with keeper().hold(context):
            _conclude(context, _attempt(context))
    except Exception:
        log.exception("execution %s attempt %s: left to its rescue", execution.handle, execution.attempt)


@contextmanager
def _workdir(context: WorkerContext, is_inline: bool) -> Iterator[None]:
    """A folder of its own for what runs outside this process; a short callable inside makes one when it needs it."""
    if not is_inline:
        context.workdir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield
    finally:
        if context.workdir.exists():
            shutil.rmtree(context.workdir, ignore_errors=True)


# -- the attempt -------------------------------------------------------------------------------------------------------
def _attempt(context: WorkerContext) -> Outcome:
    """The steps of the plan in their order; after a failure only the mandatory ones."""
    plan = context.execution.plan
    if refusal := _refusal(context.execution):
        return _failed(refusal)
    outcome = _so_far(context)
    for position in range(context.execution.position, len(plan["actions"])):
        step = plan["actions"][position]
        if outcome.state is State.SUCCEEDED or step["mandatory"]:
            ended = _step(context, position, step)
            if ended.stop is not None and (ended.stop is not Stop.TIMEOUT or context.time_is_over):
                return ended
            if outcome.state is State.SUCCEEDED:
                outcome = ended
                _tell_failure(context, ended)
    return outcome


def _tell_failure(context: WorkerContext, outcome: Outcome) -> None:
    if outcome.state is State.FAILED:
        context.has_failed(**_told(outcome))


def _so_far(context: WorkerContext) -> Outcome:
    """How the steps before this attempt's first one ended: a pause or a loss may have come in the midst of the
    mandatory ones."""
    execution = context.execution
    if execution.errors and execution.position > execution.first_action:
        return _failed(*execution.errors, exit_code=execution.exit_code)
    if execution.errors:
        context.has_failed("", [], None)
    return Outcome(State.SUCCEEDED)


def _refusal(execution: JobExecution) -> str:
    plan = execution.plan
    if not plan["actions"]:
        return "the job has no actions"
    if not plan["privileged"]:
        return ""
    if not plan["by_operator"] and not _is_admin(plan["editor"], execution.project_id):
        return "the job uses a privileged runner, and its last editor is no longer an admin of the project"
    if not all(_is_admin(editor, execution.project_id) for editor in plan["action_editors"]):
        return "a shared action uses a privileged runner, and its last editor is no longer an admin of the project"
    return ""


def _is_admin(user_id: int | None, project_id: int) -> bool:
    user = User.objects.filter(pk=user_id or 0, is_active=True).first()
    return user is not None and actor_for(user, face="worker").right(project_id) >= Right.ADMIN


def _step(context: WorkerContext, position: int, step: Step) -> Outcome:
    """One step with its retries, as a line of the timeline."""
    if position != context.execution.position:
        context.at_position(position)
    context.info = replace(context.info, action=step["key"])
    line = ActionExecution(
        execution=context.execution,
        position=position,
        attempt=context.execution.attempt,
        key=step["key"],
        runner=step["runner"],
    )
    context.step_changed(line)
    outcome = _tries(context, step, line)
    context.end_output()
    line.state = State.PAUSED if outcome.stop is Stop.PAUSE else outcome.state
    line.message, line.exit_code = outcome.message, outcome.exit_code
    line.finished_at = timezone.now()
    context.step_changed(line)
    return outcome


def _tries(context: WorkerContext, step: Step, line: ActionExecution) -> Outcome:
    for number in range(step["retries"] + 1):
        line.n_tries = number + 1
        outcome = _try(context, step)
        if outcome.state is not State.FAILED or number == step["retries"] or context.time_is_over:
            break
        own_delay_s = step.get("retry_delay_s")
        delay_s = min(2**number if own_delay_s is None else own_delay_s, LONGEST_DELAY_S)
        context.log(f"try {number + 1} failed: {outcome.message}; the next one in {delay_s} s\n", "hub")
        context.begin(None)
        if context.wait(delay_s):
            return _stopped(context)
    return outcome


def _try(context: WorkerContext, step: Step) -> Outcome:
    context.begin(step["timeout_s"])
    try:
        context.raise_if_stopped()
        result = _run(context, step)
    except Stopped:
        return _stopped(context)
    except RunFailed as error:
        return _failed(*map(context.masked, (error.message, *error.causes)), exit_code=error.exit_code)
    except Invalid as error:
        return _failed(f"the spec of {step['runner']!r} is not valid any more", context.masked(error.message))
    except LeaseLost:
        return Outcome(State.ABORTED, stop=Stop.LOST)
    except BaseException as error:  # noqa: BLE001 - whatever a callable raises, also SystemExit, is its own failure
        context.log(traceback.format_exc(), "hub")
        return _failed(*map(context.masked, _causes(error)))
    message = storable(context.masked(result.message), MAX_ERROR_CHARS)  # masked first: a cut value is not known again
    return Outcome(State.SUCCEEDED, message, exit_code=_exit_code(result.exit_code))


def _run(context: WorkerContext, step: Step) -> Result:
    runner: Runner[Any] = runners.get(step["runner"])
    spec = runner.validate(step["spec"])
    is_inline = runner.is_inline(spec)
    with keeper().inline(is_inline), context.pausing(runner.can_pause(spec)), _workdir(context, is_inline):
        result = runner.run(spec, context)
    context.report(records=result.records, last_id=result.last_id)
    return result


def _stopped(context: WorkerContext) -> Outcome:
    reason = context.stop_reason
    if reason is None:
        return _failed("the runner stopped, but nobody had asked it to")
    if reason is Stop.TIMEOUT:
        limit = context.execution.plan["timeout_s"] if context.time_is_over else None
        text = f"timeout: it did not end within {limit} s" if limit else "timeout: a step did not end in its time"
        return Outcome(State.FAILED, text, [text], stop=reason)
    return Outcome(State.ABORTED, stop=reason)


def _failed(message: str, *causes: str, exit_code: int | None = None) -> Outcome:
    errors = [storable(text, MAX_ERROR_CHARS) for text in (message, *causes)[:MAX_CAUSES]]
    return Outcome(State.FAILED, errors[0], errors, exit_code=_exit_code(exit_code))


def _exit_code(code: int | None) -> int | None:
    return None if code is None else within(code, 31)


def _causes(error: BaseException) -> list[str]:
    """The chain of an exception, outermost first."""
    found: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(found) < MAX_CAUSES:
        found.append(_text(seen))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return found


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - its own way to tell itself may be what is broken
        text = "(its text cannot be told)"
    return f"{type(error).__name__}: {text}".rstrip(": ")


# -- its end -----------------------------------------------------------------------------------------------------------
def _conclude(context: WorkerContext, outcome: Outcome) -> None:
    """Write the end, however long the database is away, while the lease lasts."""
    _announce_retry(context, outcome)
    while outcome.stop is not Stop.LOST and context.lease_is_fresh():
        try:
            return _move(context, outcome)
        except LeaseLost:
            break
        except DATABASE_AWAY:
            log.warning("execution %s: cannot write its end yet", context.info.handle, exc_info=True)
            close_old_connections()
            time.sleep(DATABASE_PAUSE_S)
        except Exception as error:
            log.exception("execution %s: the database refuses its end", context.info.handle)
            context.forget()
            context.end(State.FAILED, **_told(_failed("its reports could not be written", *_causes(error))))
            return None
    log.warning("execution %s attempt %s: lost its lease", context.info.handle, context.info.attempt)
    return None


def _told(outcome: Outcome) -> dict[str, Any]:
    return {"message": outcome.message, "errors": outcome.errors, "exit_code": outcome.exit_code}


def _move(context: WorkerContext, outcome: Outcome) -> None:
    told = _told(outcome)
    try:
        if outcome.stop is Stop.PAUSE:
            context.end(State.PAUSED, checkpoint=context.saved, lease_until=None, message="paused")
        elif outcome.stop is Stop.SHUTDOWN:
            _leave(context)
        elif _has_retry(context, outcome):
            _retry(context, told)
        else:
            context.end(outcome.state, **(told if outcome.stop is not Stop.ABORT else _abort_told(context)))
    except IllegalMove:
        _yield_to_abort(context)


def _yield_to_abort(context: WorkerContext) -> None:
    """Somebody asked for the end while this attempt was about to leave in another way."""
    try:
        context.end(State.ABORTED, come_from=frozenset({State.ABORTING}), **_abort_told(context))
    except IllegalMove:
        raise LeaseLost from None


def _abort_told(context: WorkerContext) -> dict[str, Any]:
    by = JobExecution.objects.filter(pk=context.execution.pk).values_list("abort_requested_by", flat=True).first()
    return {"message": f"aborted by {by}" if by else "aborted"}


def _leave(context: WorkerContext) -> None:
    if context.execution.plan["on_lost"] == OnLost.RERUN:
        _requeue(context, 0, message="its worker was stopped; it runs again")
    else:
        text = "its worker was stopped before it could end"
        context.end(State.FAILED, message=text, errors=[text])


def _has_retry(context: WorkerContext, outcome: Outcome) -> bool:
    return outcome.state is State.FAILED and context.execution.n_failed < context.execution.plan["retries"]


def _delay_s(context: WorkerContext) -> int:
    plan, n_failed = context.execution.plan, context.execution.n_failed
    return int(min(plan["retry_delay_s"] * 2**n_failed, LONGEST_DELAY_S))


def _retry(context: WorkerContext, told: dict[str, Any]) -> None:
    n_failed = context.execution.n_failed + 1
    position = context.execution.first_action
    _requeue(context, _delay_s(context), n_failed=n_failed, position=position, checkpoint=None, **told)


def _announce_retry(context: WorkerContext, outcome: Outcome) -> None:
    if _has_retry(context, outcome):
        text = f"attempt {context.info.attempt} failed: {outcome.message}; the next one in {_delay_s(context)} s\n"
        context.log(text, "hub")


def _requeue(context: WorkerContext, delay_s: float, **fields: Any) -> None:
    context.end(
        State.QUEUED,
        come_from=frozenset({State.RUNNING}),
        run_at=due_now() + timedelta(seconds=delay_s),
        lease_until=None,
        **fields,
    )

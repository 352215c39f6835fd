"""End executions that are waiting or at work."""

import contextlib
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.engine import chains, remote
from jobs.engine.rights import Actor, Right, audit
from jobs.errors import Conflict, IllegalMove
from jobs.models import JobExecution
from jobs.states import FINAL, State

RACES = 5


def abort(execution: JobExecution, *, actor: Actor) -> None:
    """Ask for an execution's end: a queued or paused one ends at once, a running one becomes `aborting`.

    Harmless when it is aborting already; raises `IllegalMove` when it has ended.
    """
    actor.require(Right.EDIT, execution.project_id, "aborting")
    with transaction.atomic():
        request_abort(execution, by=actor.name)
        audit(actor, "abort", execution.handle, execution.project_id)


def request_abort(execution: JobExecution, *, by: str) -> None:
    """`abort` without the questions of right; for the engine's own use. Call it in a transaction."""
    remote.lock_job(execution)
    asked: dict[str, Any] = {"abort_requested_at": timezone.now(), "abort_requested_by": by}
    for _ in range(RACES):
        with contextlib.suppress(IllegalMove):
            execution.move(
                State.ABORTED,
                come_from=frozenset({State.QUEUED, State.PAUSED}),
                message=f"aborted by {by} before it ran" if not execution.attempt else f"aborted by {by}",
                **asked,
            )
            chains.settle(execution)
            remote.ask_abort(execution)
            return
        with contextlib.suppress(IllegalMove):
            execution.move(State.ABORTING, **asked)
            remote.ask_abort(execution)
            return
        execution.refresh_from_db()
        if execution.state == State.ABORTING:
            return
        if execution.state in FINAL:
            raise IllegalMove(f"execution {execution.handle} has already {execution.state}")
    raise Conflict(f"execution {execution.handle} changes too fast; try again")


def abort_all(executions: Iterable[JobExecution], *, actor: Actor) -> list[JobExecution]:
    """Abort many; those that end in the meantime are left out of the answer."""
    aborted = []
    for execution in executions:
        with contextlib.suppress(Conflict):
            abort(execution, actor=actor)
            aborted.append(execution)
    return aborted

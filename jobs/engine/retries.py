"""Run again what has ended: from its beginning or from the action that failed, one or all that failed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from jobs.engine.rights import Actor, Right
from jobs.engine.trigger import plan_of, trigger
from jobs.errors import Conflict, IllegalMove, JobHubError
from jobs.models import Job, JobExecution
from jobs.states import FINAL, State


@dataclass
class Retried:
    """What became of many: each with its retry (None where it was only asked which), or with the reason why not."""

    done: list[tuple[JobExecution, JobExecution | None]] = field(default_factory=list)
    refused: list[tuple[JobExecution, str]] = field(default_factory=list)

    def document(self, n_matched: int) -> dict[str, Any]:
        """As the native face and the command tell it."""
        return {
            "matched": n_matched,
            "retried": [{"execution": old.pk, "retried_as": new and new.pk} for old, new in self.done],
            "refused": [{"execution": one.pk, "reason": reason} for one, reason in self.refused],
        }


def would_retry(executions: Iterable[JobExecution]) -> Retried:
    return Retried([(one, None) for one in executions])


def retry(execution: JobExecution, *, actor: Actor, from_failed: bool = False) -> JobExecution:
    """Run an ended execution's job again, with its params and the job as it is now.

    `from_failed`: not the actions before the one that failed. Raises `IllegalMove` while it is active, `Conflict` when
    its job is gone or those actions have been changed since, and what `trigger` raises.
    """
    actor.require(Right.EDIT, execution.project_id, "retrying")
    if execution.state not in FINAL:
        raise IllegalMove(f"execution {execution.handle} is {execution.state}; only an ended one can be retried")
    if execution.job is None:
        raise Conflict(f"the job {execution.job_name!r} of execution {execution.handle} was deleted")
    first_action = _failed_action(execution, execution.job) if from_failed else 0
    return trigger(execution.job, actor=actor, params=execution.params, retry_of=execution, first_action=first_action)[
        0
    ]


def to_retry(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those that failed and have not been retried yet, oldest first."""
    return rows.filter(state=State.FAILED, retried_by__isnull=True).order_by("pk")


def retry_all(executions: Iterable[JobExecution], *, actor: Actor, from_failed: bool = False) -> Retried:
    """Retry many, each by itself. One that somebody else retries meanwhile is left out."""
    retried = Retried()
    for execution in executions:
        try:
            again = retry_once(execution, actor=actor, from_failed=from_failed)
        except JobHubError as error:
            retried.refused.append((execution, error.message))
        else:
            retried.done += [(execution, again)] if again else []
    return retried


def retry_once(execution: JobExecution, *, actor: Actor, from_failed: bool = False) -> JobExecution | None:
    """`retry` of one that failed, unless somebody has retried it meanwhile."""
    with transaction.atomic():
        rows = JobExecution.objects.filter(pk=execution.pk)
        list(rows.select_for_update(of=("self",)).values_list("pk"))
        still = to_retry(rows).exists()  # asked behind the lock: a retry made while it was waited for counts
        return retry(execution, actor=actor, from_failed=from_failed) if still else None


def _failed_action(execution: JobExecution, job: Job) -> int:
    """The position of the first action that did not succeed. The job must not have changed before it."""
    if execution.state == State.SUCCEEDED:
        raise IllegalMove(f"execution {execution.handle} has succeeded: no action of it failed")
    planned = execution.plan.get("actions", [])
    states = dict(execution.steps.order_by("attempt").values_list("position", "state"))
    open_ones = [n for n in range(execution.first_action, len(planned)) if states.get(n) != State.SUCCEEDED]
    if not open_ones:
        raise Conflict(f"execution {execution.handle} failed behind its last action; retry it from the beginning")
    if _work(planned, open_ones[0]) != _work(plan_of(job)["actions"], open_ones[0]):
        raise Conflict(
            f"the job {job.name!r} has been changed before its action {open_ones[0] + 1}, at which execution "
            f"{execution.handle} failed; retry it from the beginning"
        )
    return open_ones[0]


def _work(actions: list[dict[str, Any]], before: int) -> list[tuple[str, Any]] | None:
    """What the actions before that position do; none when there is nothing left to do at it."""
    if len(actions) <= before:
        return None
    return [(action["runner"], action["spec"]) for action in actions[:before]]

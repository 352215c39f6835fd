"""What waits for what: dependencies between executions, and what follows from an end."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from jobs import queue
from jobs.engine import notices
from jobs.engine.locks import job_for_share
from jobs.errors import IllegalMove, Invalid
from jobs.models import Condition, Dependency, JobExecution, JobLink
from jobs.models.prepared import hot_cursor
from jobs.states import ACTIVE, FINAL, State

FOLLOWS = f"""
SELECT 0, job_id, condition FROM {JobLink._meta.db_table} WHERE after_job_id = %s
UNION ALL SELECT 1, execution_id, condition FROM {Dependency._meta.db_table} WHERE after_id = %s
UNION ALL SELECT 2, id, '' FROM (
    SELECT id FROM {JobExecution._meta.db_table} WHERE state = 'queued' AND is_parked AND slot_key = %s LIMIT 1) parked
ORDER BY 1, 2
"""
"""Without the ORM: asked at the end of every execution, and mostly for nothing.

A statement of its own behind the move: one that waited for a lock in the move's own would not see who was parked then.
"""
LINK, DEPENDENT, PARKED = range(3)
MEETS = {
    Condition.SUCCESS: frozenset({State.SUCCEEDED}),
    Condition.FAILURE: frozenset({State.FAILED, State.ABORTED}),
    Condition.END: FINAL,
}


def chain(execution: JobExecution, after: Sequence[JobExecution], condition: Condition) -> int:
    """Make a fresh execution wait for others; returns how many of them have not ended yet.

    Call it in the transaction that made the execution. Raises `Invalid` when one has ended already, and otherwise
    than wanted.
    """
    ids = [one.pk for one in after]
    rows = JobExecution.objects.select_for_update().filter(pk__in=ids)
    found, n_waiting = list(rows.order_by("pk")), 0
    if len(found) < len(set(ids)):
        raise Invalid.field("after", "one of the executions to wait for does not exist any more")
    for predecessor in found:
        state = State(predecessor.state)
        if state in FINAL and state not in MEETS[condition]:
            raise Invalid.field("after", f"execution {predecessor.handle} has already {_ended(state)}")
        Dependency.objects.create(execution=execution, after=predecessor, condition=condition)
        n_waiting += state in ACTIVE
    return n_waiting


def settle(execution: JobExecution) -> None:
    """Tell those who waited for this one and those who want a notice of it, start the jobs that come after it, and give
    its slot to the next, in the transaction of its final move.

    Who waits in vain is aborted.
    """
    ended = [execution]
    while ended:
        predecessor = ended.pop()
        notices.note(predecessor, predecessor.state)
        for kind, pk, condition in _what_follows(predecessor):
            if kind == PARKED:
                leave_slot(predecessor)
                continue
            is_wanted = State(predecessor.state) in MEETS[Condition(condition)]
            if kind == LINK and is_wanted:
                _follow(predecessor, pk)
            elif kind == DEPENDENT and is_wanted:
                _unblock(pk)
            elif kind == DEPENDENT and (given_up := _give_up(pk, predecessor)):
                ended.append(given_up)


def leave_slot(execution: JobExecution) -> None:
    """Let the next one that is parked for its slots come forward; `settle` does it at an end."""
    if execution.slot_key:
        JobExecution.objects.unpark(execution.slot_key)


def _what_follows(execution: JobExecution) -> list[tuple[int, int, str]]:
    """Jobs before executions: who locks both locks the job first."""
    with hot_cursor() as cursor:
        cursor.execute(FOLLOWS, [execution.job_id or 0, execution.pk, execution.slot_key])
        return cursor.fetchall()


def _follow(ended: JobExecution, job_id: int) -> None:
    from jobs.engine.followers import follow  # a start may abort others, whose ends are settled here

    follow(ended, job_id)


def _unblock(execution_id: int) -> None:
    rows = JobExecution.objects.filter(pk=execution_id, state=State.QUEUED, n_blocks__gt=0)
    if rows.update(n_blocks=F("n_blocks") - 1, version=F("version") + 1):
        transaction.on_commit(queue.wake)


def _give_up(execution_id: int, predecessor: JobExecution) -> JobExecution | None:
    execution = JobExecution.objects.get(pk=execution_id)
    reason = f"execution {predecessor.handle}, which this one waited for, has {_ended(State(predecessor.state))}"
    try:
        execution.move(State.ABORTED, come_from=frozenset({State.QUEUED}), message=reason, errors=[reason])
    except IllegalMove:
        return None
    return execution


def recount(execution: JobExecution) -> int:
    """How many things block an execution that is about to be queued, in the transaction that does it."""
    job = job_for_share(execution.job_id)
    n_waiting = execution.dependencies.filter(after__state__in=[s.value for s in ACTIVE]).count()
    return n_waiting + bool(job and job.is_held)


def _ended(state: State) -> str:
    return {State.SUCCEEDED: "succeeded", State.FAILED: "failed", State.ABORTED: "been aborted"}[state]

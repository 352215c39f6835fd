"""Which of the queued executions wait for another run: one that must end first, or one that has their slot."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.utils import timezone

from jobs.models import Dependency, JobExecution
from jobs.models.execution import states
from jobs.states import ACTIVE, State
from vendors.datameer.rows import Row

Queues = Mapping[str, Sequence[int]]
"""By slot, who waits for it: the ids of queued executions that nothing else holds back, in their order."""


def waits(row: Row) -> bool:
    """Whether this one does."""
    return row["id"] in waiting_of_job([row])


def waiting_of_job(rows: Iterable[Row]) -> set[int]:
    """The ids of those that do, among executions of one job. At most three queries, none without a queued one."""
    queued = _queued(rows)
    return _waiting(queued, _queue_of_job(queued)) if queued else set()


def waiting_of_all(rows: Iterable[Row]) -> set[int]:
    """The same among all active executions of a project, the oldest first: they are their own queues."""
    queued = _queued(rows)
    queues = defaultdict[str, list[int]](list)
    for row in queued:
        if not row["n_blocks"]:
            queues[row["slot_key"]].append(row["id"])
    return _waiting(queued, queues) if queued else set()


def _queued(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["state"] == State.QUEUED]


def _queue_of_job(queued: list[Row]) -> Queues:
    """Who is before the given ones: as many as could matter."""
    first = queued[0]
    if not first["slot_limit"]:
        return {}
    ahead = JobExecution.objects.filter(job=first["job_id"], state=State.QUEUED.value, n_blocks=0)
    ids = ahead.filter(run_at__lte=timezone.now()).order_by("id").values_list("id", flat=True)
    return {first["slot_key"]: list(ids[: first["slot_limit"]])}


def _waiting(queued: list[Row], queues: Queues) -> set[int]:
    blocked = {row["id"] for row in queued if row["n_blocks"]}
    found = _dependent(blocked) if blocked else set()
    holders = _holders({row["slot_key"] for row in queued if row["slot_limit"]})
    return found | {row["id"] for row in queued if row["slot_limit"] and _has_no_slot(row, queues, holders)}


def _dependent(ids: set[int]) -> set[int]:
    rows = Dependency.objects.filter(execution__in=ids, after__state__in=states(ACTIVE))
    return set(rows.values_list("execution_id", flat=True))


def _holders(keys: set[str]) -> Counter[str]:
    if not keys:
        return Counter()
    return Counter(JobExecution.objects.live().filter(slot_key__in=keys).values_list("slot_key", flat=True))


def _has_no_slot(row: Row, queues: Queues, holders: Counter[str]) -> bool:
    before = sum(1 for pk in queues.get(row["slot_key"], ()) if pk < row["id"])
    n_taken: int = holders[row["slot_key"]] + before
    return n_taken >= row["slot_limit"]

"""The oldest part of a past expires: what is done inside the hub, and what is measured there."""

import time
from datetime import timedelta
from typing import Any

from bench.past import PREFIX

EVERY = 1000
"""Of so many one each is kept, waited for, retried by an active one, and still to be told of."""
NEEDED = ("kept", "waited for", "retried", "untold")
PIECE_BYTES = 2000


def age(*, n: int) -> dict[str, Any]:
    """Let the time of the oldest so many be over, each with a step and an output; some are needed by others.

    Returns the ids of those that must stay.
    """
    from django.db import connection
    from django.utils import timezone

    from jobs.models import JobExecution, Output

    past = JobExecution.objects.filter(handle__startswith=PREFIX).order_by("pk")
    first = past.values_list("pk", flat=True)[0]
    rows = past.filter(pk__lt=first + n)
    over = timezone.now() - timedelta(days=1)
    rows.order_by().update(
        expires_at=over, output_seq=1, output_expires_at=over + timedelta(days=30), plan={"keep": {"days": 1}}
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_actionexecution (execution_id, position, attempt, key, runner, state, n_tries, message, "
            "started_at) SELECT id, 0, 1, 'step', 'python', 'succeeded', 1, '', queued_at FROM jobs_jobexecution "
            "WHERE id >= %s AND id < %s",
            [first, first + n],
        )
    Output.objects.bulk_create(
        (Output(execution_id=pk, seq=1, stream="stdout", text="x" * PIECE_BYTES) for pk in range(first, first + n)),
        batch_size=500,
    )
    return {"needed": _need(first, n), "n": rows.count()}


def _need(first: int, n: int) -> list[int]:
    """Those that something needs, in the four ways."""
    from django.utils import timezone

    from jobs.engine.find import default_project
    from jobs.engine.notices import subscribe
    from jobs.engine.rights import operator
    from jobs.engine.trigger import trigger
    from jobs.models import Delivery, Dependency, Job, JobExecution

    actor, later = operator("bench", default_project()), timezone.now() + timedelta(days=1)
    job = Job.objects.select_related("project").get(name="bench/noop")
    hook = subscribe({"webhook": "https://hooks.example.org/", "events": ["aborted"]}, actor=actor)
    waiting, _ = trigger(job, actor=actor, run_at=later)
    needed = []
    for start in range(first, first + n, EVERY):
        kept, waited_for, retried, untold = range(start, start + len(NEEDED))
        JobExecution.objects.filter(pk=kept).update(is_kept=True)
        Dependency.objects.create(execution=waiting, after_id=waited_for, condition="end")
        again, _ = trigger(job, actor=actor, run_at=later)
        JobExecution.objects.filter(pk=again.pk).update(retry_of=retried)
        whose = {"project": job.project, "execution_id": untold, "subscription": hook, "event": "aborted"}
        Delivery.objects.create(next_at=later, give_up_at=later, **whose)
        needed += [kept, waited_for, retried, untold]
    return needed


def expire_history() -> dict[str, Any]:
    """As the janitor does it; the seconds of it, and the milliseconds of each transaction."""
    from jobs.engine import retention

    pieces: list[float] = []
    delete = retention._delete

    def timed(*args: Any, **given: Any) -> None:
        began_at = time.perf_counter()
        delete(*args, **given)
        pieces.append(1000 * (time.perf_counter() - began_at))

    retention._delete = timed
    began_at = time.monotonic()
    expired = retention.expire()
    return {"seconds": time.monotonic() - began_at, "executions": expired.executions, "pieces": pieces}


def still_there(*, ids: list[int]) -> dict[str, int]:
    """How many of them, and of those that are active."""
    from jobs.models import JobExecution

    return {
        "needed": JobExecution.objects.filter(pk__in=ids).count(),
        "active": JobExecution.objects.active().count(),
        "all": JobExecution.objects.count(),
    }

"""The run by which a job is shown: the one at work, else the paused or the oldest waiting one, else the last."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from jobs.models import Job, JobExecution
from jobs.models.prepared import Prepared
from jobs.models.queries import literals
from jobs.states import LIVE, State

GROUPS: tuple[Iterable[State], ...] = (LIVE, (State.PAUSED,), (State.QUEUED,))
"""The active states, the one to show first."""


@cache
def _run_of_each() -> Any:
    """Index look-ups only, however long a job's history is."""
    active = [JobExecution.objects.filter(job=OuterRef("pk"), state__in=literals(group)) for group in GROUPS]
    same_name = JobExecution.objects.filter(project=OuterRef("project"), job_name=OuterRef("name"))
    ids = [Subquery(rows.order_by("pk").values("pk")[:1]) for rows in active]
    last = Subquery(same_name.order_by("-pk").values("pk")[:1])
    return Job.objects.annotate(run=Coalesce(*ids, last))


@cache
def _run_of_one() -> Prepared:
    return Prepared(_run_of_each().values("run"), "id")


@cache
def _run(columns: tuple[str, ...]) -> Prepared:
    return Prepared(JobExecution.objects.values("id", *columns), "id")


def current_run(job: int, columns: tuple[str, ...]) -> dict[str, Any] | None:
    """Some columns of the current run of one job, by compiled queries; `None` if it never ran."""
    found = _run_of_one().first(job)
    return _run(columns).first(found["run"]) if found and found["run"] else None


def current_runs(jobs: Iterable[int], *columns: str) -> dict[int, dict[str, Any]]:
    """Some columns of the current run of each job, by the job's id; those that never ran are left out."""
    runs = dict(_run_of_each().filter(pk__in=list(jobs)).values_list("run", "pk"))
    runs.pop(None, None)
    rows = JobExecution.objects.filter(pk__in=runs).values("id", *columns)
    return {runs[row["id"]]: row for row in rows}

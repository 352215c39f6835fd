"""A job's current run: the one at work, else the paused or the oldest waiting one, else the last that ended."""

from collections.abc import Iterator
from functools import cache

from django.db.models import Q, Subquery, Value
from django.db.models.functions import Coalesce

from jobs import runners
from jobs.engine.define import WORKBOOK
from jobs.engine.rights import Actor
from jobs.errors import Invalid
from jobs.models import Job, JobExecution
from jobs.models.prepared import Parameter, Prepared
from jobs.models.queries import Literal
from jobs.states import State
from vendors.siren.shapes import STATUS, Row

BEST_FIRST = (State.RUNNING, State.ABORTING, State.PAUSED, State.QUEUED)
"""The active states, asked for one by one: that is a look-up in an index for every planner."""
AT_ONCE = 10_000
"""So many active executions are looked at to list what runs."""


@cache
def _current() -> Prepared:
    """By project, job name and type. One statement of index look-ups, however long the job's history is."""
    project, name, kind = (_parameter(field, at) for at, field in enumerate(("project", "job_name", "kind")))
    job = Subquery(Job.objects.filter(project=project, name=name).values("pk"))
    active = [JobExecution.objects.filter(job=job, state=Literal(state.value)) for state in BEST_FIRST]
    ids = [Subquery(rows.order_by("pk").values("pk")[:1]) for rows in active]
    last = JobExecution.objects.filter(project=project, job_name=name).order_by("-pk").values("pk")[:1]
    return Prepared(JobExecution.objects.filter(pk=Coalesce(*ids, Subquery(last)), kind=kind).values(*STATUS))


def _parameter(field: str, at: int) -> Parameter:
    return Parameter(JobExecution._meta.get_field(field), at)


def read_current(type: str, id: str, project_id: int) -> Row | None:
    return None if "\0" in id + type else _current().first(project_id, id, type)


def find_current(type: str, id: str, actor: Actor) -> Row | None:
    """In the acting project. Raises `Invalid` for a type that no job has."""
    row = read_current(type, id, actor.home)
    if row is None:
        check_type(type, actor)
    return row


def list_current(type: str, actor: Actor) -> list[Row]:
    """The jobs of a type that are active, each once, the last started first."""
    check_type(type, actor)
    found: dict[str, Row] = {}
    for row in _active(type, actor):
        found.setdefault(row["job_name"], row)
    return sorted(found.values(), key=lambda row: (row["started_at"] or row["queued_at"], row["id"]), reverse=True)


def _active(type: str, actor: Actor) -> Iterator[Row]:
    # The kind as an expression: by the kind's own index a planner without statistics would read its whole history.
    rows = JobExecution.objects.filter(project_id=actor.home).alias(its_kind=Coalesce("kind", Value("")))
    for state in BEST_FIRST:
        of_state = rows.filter(state=Literal(state.value), its_kind=type)
        yield from of_state.order_by("pk").values(*STATUS)[:AT_ONCE]


def check_type(type: str, actor: Actor) -> None:
    """A type is a job's kind: a runner's, or one that a job or an execution of the acting project has."""
    if type in runners.RUNNERS or type == WORKBOOK:
        return
    same = Q(project_id=actor.home, kind=type)
    if "\0" in type or not (Job.objects.filter(same).exists() or JobExecution.objects.filter(same).exists()):
        raise Invalid.field("", f"Unknown job type [{type:.100}].")

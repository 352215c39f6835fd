"""The reads behind the commands, each by an index."""

from collections.abc import Sequence
from typing import Any

from jobs.engine.find import ID, find_execution, find_job
from jobs.engine.rights import Actor, Right
from jobs.errors import NotFound
from jobs.models import Job, JobExecution
from jobs.models.prepared import Prepared
from vendors.wire.lookups import ExecutionRows

Row = dict[str, Any]
STATUS = (
    "id",
    "project_id",
    "job_id",
    "state",
    "n_warnings",
    "n_blocks",
    "slot_key",
    "slot_limit",
    "started_at",
    "finished_at",
    "progress_done",
    "progress_total",
)
"""The columns that tell where an execution stands."""
VOLUME = (*STATUS, "kind", "volume_bytes")
DETAILS = (*VOLUME, "records", "n_dropped")

_NEWEST = Prepared(JobExecution.objects.order_by("-id").values(*STATUS), "job", limit=1)
_PROJECT = Prepared(Job.objects.values("id", "project_id"), "id")
_ONE = ExecutionRows(*DETAILS)


def newest(configuration: str, actor: Actor) -> Row | None:
    """The last run of a job, named by its configuration's id; `None`: it has none yet.

    Raises `NotFound` for an unknown and for a foreign job.
    """
    number = _number(configuration, "job configuration")
    row = _NEWEST.first(number)
    _require_sight(row or _PROJECT.first(number), actor, configuration)
    return row


def newest_of(job: Job) -> Row | None:
    """The last run of a job that the actor was shown."""
    return _NEWEST.first(job.pk)


def runs(configuration: str, actor: Actor, columns: Sequence[str], window: slice) -> list[Row]:
    """Some of a job's runs, newest first. Those that the window passes over are read in the index only."""
    number = _number(configuration, "job configuration")
    _require_sight(_PROJECT.first(number), actor, configuration)
    chosen = JobExecution.objects.filter(job=number).order_by("-id").values("id")[window]
    return list(JobExecution.objects.filter(id__in=chosen).order_by("-id").values(*columns))


def details(execution: str, actor: Actor) -> Row:
    """A run by its id."""
    return _ONE.find(str(_number(execution, "job execution")), actor)


def find_configuration(configuration: str, actor: Actor) -> Job:
    """A job by its id alone: a number and nothing else, so that no name is taken for one."""
    return find_job(str(_number(configuration, "job configuration")), actor=actor)


def find_file(file: str, actor: Actor) -> Job:
    """A job by its file id, its uuid or its path, with or without the first slash."""
    return find_job(file.lstrip("/"), actor=actor)


def find_run(execution: str, actor: Actor) -> JobExecution:
    """A run by its id alone: a configuration's id would be that of somebody else's run."""
    return find_execution(str(_number(execution, "job execution")), actor=actor)


def _number(text: str, what: str) -> int:
    if not ID.fullmatch(text):
        raise NotFound(f"there is no {what} {text[:100]!r}")
    return int(text)


def _require_sight(row: Row | None, actor: Actor, configuration: str) -> None:
    if row is None or actor.right(row["project_id"]) < Right.SEE:
        raise NotFound(f"there is no job configuration {configuration!r}")

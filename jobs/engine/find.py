"""Find what somebody names: a job, an execution, a project, a user."""

import re
from typing import TypeVar

from django.db.models import Model, QuerySet

from jobs.engine.rights import Actor, Right
from jobs.errors import Invalid, NotFound
from jobs.models import Delivery, Job, JobExecution, Project, Subscription, User
from jobs.models.prepared import Prepared, columns, instance

M = TypeVar("M", bound=Model)

UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
ID = re.compile(r"[0-9]{1,18}")
DEFAULT_PROJECT = "default"


_JOBS = Job.objects.values(*columns(Job), *columns(Project, "project__"))
_JOB_BY_ID, _JOB_BY_UUID = Prepared(_JOBS, "id"), Prepared(_JOBS, "uuid")
_JOB_BY_NAME = Prepared(_JOBS, "project", "name")


def find_job(ref: str, *, actor: Actor) -> Job:
    """A job by its id or uuid, or by its name in the acting project; `NotFound` when the actor may not see it."""
    job = _job(ref, actor.project_id)
    if job is None or actor.right(job.project_id) < Right.SEE:
        raise NotFound(f"there is no job {ref!r}")
    return job


def _job(ref: str, project_id: int | None) -> Job | None:
    """With its project, from one query."""
    if ID.fullmatch(ref):
        row = _JOB_BY_ID.first(int(ref))
    elif UUID.fullmatch(ref):
        row = _JOB_BY_UUID.first(ref)
    else:
        row = None if "\0" in ref or project_id is None else _JOB_BY_NAME.first(project_id, ref)
    if row is None:
        return None
    job = instance(Job, row)
    job.project = instance(Project, row, "project__")
    return job


def find_execution(ref: str, *, actor: Actor) -> JobExecution:
    """An execution by its id, uuid or handle; `NotFound` when the actor may not see it."""
    executions = JobExecution.objects.select_related("project", "job")
    execution = _by_number(executions, ref)
    if execution is None and not _is_number(ref):
        execution = _first(executions, handle=ref)
    if execution is None or actor.right(execution.project_id) < Right.SEE:
        raise NotFound(f"there is no execution {ref!r}")
    return execution


def find_subscription(ref: str, *, actor: Actor) -> Subscription:
    """A subscription by its id or uuid; `NotFound` when the actor may not see it."""
    row = _by_number(Subscription.objects.select_related("project", "job"), ref)
    if row is None or actor.right(row.project_id) < Right.SEE:
        raise NotFound(f"there is no subscription {ref!r}")
    return row


def find_delivery(ref: str, *, actor: Actor) -> Delivery:
    """A notice by the id that its log shows; `NotFound` when the actor may not see it."""
    row = Delivery.objects.filter(pk=int(ref)).first() if ID.fullmatch(ref) else None
    if row is None or actor.right(row.project_id) < Right.SEE:
        raise NotFound(f"there is no delivery {ref!r}")
    return row


def find_project(ref: str) -> Project:
    """A project by its name, else by its id or uuid. Asks no right: whoever calls it does."""
    project = _first(Project.objects.all(), name=ref) or _by_number(Project.objects.all(), ref)
    if project is None:
        known = ", ".join(Project.objects.values_list("name", flat=True)[:10]) or "none yet"
        raise NotFound(f"there is no project {ref!r}; known: {known}")
    return project


def default_project() -> Project:
    """Where the operator's shell acts when no project is named: `default`, else the only one."""
    first_two = list(Project.objects.all()[:2])
    project = Project.objects.filter(name=DEFAULT_PROJECT).first() or (first_two[0] if len(first_two) == 1 else None)
    if project is None and not first_two:
        raise NotFound("there is no project yet; make one with `manage.py setup`")
    if project is None:
        raise Invalid.field("project", "there are several projects; name one with --project")
    return project


def find_user(username: str) -> User:
    """A user by name. Asks no right: whoever calls it does."""
    user = _first(User.objects.all(), username=username)
    if user is None:
        raise NotFound(f"there is no user {username!r}")
    return user


def _is_number(ref: str) -> bool:
    return bool(ID.fullmatch(ref) or UUID.fullmatch(ref))


def _by_number(rows: QuerySet[M], ref: str) -> M | None:
    if ID.fullmatch(ref):
        return rows.filter(pk=int(ref)).first()
    return rows.filter(uuid=ref).first() if UUID.fullmatch(ref) else None


def _first(rows: QuerySet[M], **fields: str) -> M | None:
    """PostgreSQL takes no NUL in a text, so nothing has one."""
    return None if any("\0" in text for text in fields.values()) else rows.filter(**fields).first()

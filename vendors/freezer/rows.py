"""The rows that jobs' documents are made of. What schedulers and watchers ask for all the time is compiled once."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from jobs.models import Job
from jobs.models.prepared import Prepared
from vendors.freezer import clients
from vendors.freezer.scope import Scope
from vendors.freezer.search import DONE, Search
from vendors.models import FreezerJob

Json = dict[str, Any]
USUAL = 10
"""Every scheduler asks for pages of so many."""
OWN = (
    *("client", "user", "actions", "schedule", "event", "status", "result", "session_id", "session_tag", "extras"),
    *("event_no", "delivered_no"),
)
OF_JOB = ("key", "description", "place", "project_id", "project__uuid")
COLUMNS = (*OWN, "job_id", *(f"job__{name}" for name in OF_JOB))
_OPEN = FreezerJob.objects.order_by("job_id").values(*COLUMNS)
_FIRST_PAGE = Prepared(_OPEN, "project", "client", "is_open", limit=USUAL)
_ONE = Prepared(Job.objects.values("id", *OF_JOB, *(f"freezer__{name}" for name in OWN)), "project", "key")


def of(**wanted: Any) -> QuerySet[Any, Any]:
    return FreezerJob.objects.filter(**wanted).order_by("job_id").values(*COLUMNS)


def one(job_id: str, scope: Scope) -> tuple[int | None, Json | None]:
    """The id of a job, and its row here if it has one; where the scope is all projects, of whichever."""
    if "\0" in job_id:
        return None, None
    found = _ONE.first(scope.project_id, job_id)
    if found is not None:
        return found["id"], _renamed(found) if found["freezer__client"] is not None else None
    if not scope.sees_all:
        return None, None
    job = Job.objects.filter(key=job_id).order_by("pk").values_list("pk", flat=True).first()
    return job, of(job=job).first() if job else None


def _renamed(found: Json) -> Json:
    own = {name: found[f"freezer__{name}"] for name in OWN}
    return {**own, "job_id": found["id"], **{f"job__{name}": found[name] for name in OF_JOB}}


def polled(
    client: str,
    wanted: Search,
    limit: int,
    offset: int,
    scope: Scope,
    shown: Callable[[list[Json]], list[Json]],
) -> list[Json]:
    """A page of a client's jobs that are not completed, by the rest of the search as well."""
    project = clients.home_of(client) if scope.sees_all else scope.project_id
    beyond = _beyond(wanted)
    if project is not None and not beyond and (limit, offset) == (USUAL, 0):
        return _FIRST_PAGE.all(project, client, 1)
    rows = FreezerJob.objects.filter(client=client, is_open=1).order_by("job_id")
    if project is not None:
        rows = rows.filter(project=project)
    if beyond:
        found = rows.values(*COLUMNS)
        return [row for row in found if beyond.takes(shown([row])[0])][offset : offset + limit]
    ids = rows.values_list("job_id", flat=True)[offset : offset + limit]  # skipped over in the index alone
    return list(of(job__in=list(ids)))


def _beyond(wanted: Search) -> Search:
    """What is asked beside a client's jobs that are not completed."""
    return Search(
        tuple(pair for pair in wanted.match if pair[0] != "client_id"),
        tuple(pair for pair in wanted.match_not if pair != DONE),
    )

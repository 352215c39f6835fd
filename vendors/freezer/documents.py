"""Jobs as Freezer's documents."""

from collections.abc import Iterable, Mapping
from typing import Any

from jobs.models import Job, JobAction, Node, Place
from jobs.states import FINAL, State
from vendors.freezer import hub
from vendors.freezer.actions import action_json
from vendors.freezer.vendor import epoch
from vendors.freezer.words import RESULTS, STATES, STOP
from vendors.models import FreezerAction, FreezerJob
from vendors.wire.current import current_runs

Json = dict[str, Any]
RUN = ("state", "started_at", "finished_at")
COLUMNS = (
    *("job_id", "client", "user", "actions", "defined", "schedule", "event", "status", "result"),
    *("session_id", "session_tag", "extras", "event_no", "delivered_no", "project_id", "project__uuid"),
    *("job__key", "job__description", "job__place", "job__version"),
)
"""What a document is made of."""


def job_documents(rows: Iterable[Json]) -> list[Json]:
    """Of rows with `COLUMNS`: two or four queries, however many there are."""
    rows = list(rows)
    actions = _actions_of(rows)
    here = [row["job_id"] for row in rows if row["job__place"] == Place.HUB]
    runs = current_runs(here, *RUN) if here else {}
    return [_document(row, actions, runs.get(row["job_id"])) for row in rows]


def _actions_of(rows: Iterable[Json]) -> dict[tuple[int, str], FreezerAction]:
    ids = {step["action_id"] for row in rows for step in row["actions"]}
    projects = {row["project_id"] for row in rows}
    found = FreezerAction.objects.filter(project__in=projects, action_id__in=ids) if ids else []
    return {(one.project_id, one.action_id): one for one in found}


def _document(row: Json, actions: Mapping[tuple[int, str], FreezerAction], run: Json | None) -> Json:
    project = row["project__uuid"].hex
    steps = [
        {**action_json(actions[row["project_id"], step["action_id"]], project), **step["beside"]}
        for step in row["actions"]
        if (row["project_id"], step["action_id"]) in actions
    ]
    is_here = row["job__place"] == Place.HUB
    extras = row["extras"]
    return {
        "job_id": row["job__key"],
        "project_id": project,
        "user_id": row["user"],
        "job_schedule": _schedule_here(row, run) if is_here else _schedule(row),
        "client_id": row["client"],
        "session_id": extras.get("session_id", row["session_id"]),
        "session_tag": row["session_tag"],
        "description": row["job__description"] or extras.get("description", ""),
        "job_actions": steps,
        **({"user_credentials": extras["user_credentials"]} if "user_credentials" in extras else {}),
    }


def _schedule(row: Json) -> Json:
    """As it was written, but for what is newer in the columns."""
    newer = {name: row[name] for name in ("event", "status", "result")}
    kept = row["schedule"]
    return {**kept, **{name: value for name, value in newer.items() if value or name in kept}}


def _schedule_here(row: Json, run: Json | None) -> Json:
    """Of a job that the hub runs: what its node's scheduler would have told."""
    told = {"status": row["status"]} if run is None else told_of(run)
    if row["status"] == STOP and told["status"] != STATES.words[State.RUNNING]:
        told["status"] = STOP
    return {**_schedule(row), **{name: value for name, value in told.items() if value or name in row["schedule"]}}


def told_of(run: Json) -> Json:
    """What is told of a run."""
    state = State(run["state"])
    return {
        "status": STATES.words[state],
        "result": RESULTS.get(state, ""),
        "time_started": epoch(run["started_at"]),
        "time_ended": epoch(run["finished_at"]) if state in FINAL else -1,
        "event": "",
    }


# -- jobs that were made through another face ----------------------------------------------------------------------
def documents_of_others(jobs: Iterable[Job], nodes: Iterable[Node]) -> list[Json]:
    """Jobs without a client, as they would look here."""
    jobs = list(jobs)
    runs = current_runs([job.pk for job in jobs], *RUN)
    steps: dict[int, list[JobAction]] = {}
    for step in JobAction.objects.filter(job__in=jobs).select_related("action").order_by("position"):
        steps.setdefault(step.job_id, []).append(step)
    client = hub.client_of_any(nodes)
    return [_other(job, steps.get(job.pk, []), runs.get(job.pk), client) for job in jobs]


def _other(job: Job, steps: list[JobAction], run: Json | None, client: str) -> Json:
    user = job.last_editor.uuid.hex if job.last_editor else ""
    project = job.project.uuid.hex
    schedule = {"time_created": epoch(job.created_at), "time_started": -1, "time_ended": -1}
    return {
        "job_id": job.key,
        "project_id": project,
        "user_id": user,
        "job_schedule": {**schedule, **(told_of(run) if run else {})},
        "client_id": hub.client_id_of(job.node) if job.node else client,
        "session_id": "",
        "session_tag": 0,
        "description": job.description or job.name,
        "job_actions": [_step(step, project, user) for step in steps],
    }


def _step(step: JobAction, project: str, user: str) -> Json:
    return {
        "project_id": project,
        "action_id": step.action.key,
        "user_id": user,
        "max_retries": step.action.retries,
        "max_retries_interval": step.action.retry_delay_s or 1,
        "freezer_action": hub.freezer_action_of(step.action.runner, step.action.spec),
        **({"mandatory": True} if step.mandatory else {}),
    }


def rows_of(**wanted: Any) -> Any:
    return FreezerJob.objects.filter(**wanted).values(*COLUMNS)

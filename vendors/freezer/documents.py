"""Jobs as Freezer's documents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.models import Action, Job, JobAction, Node, Place, Schedule
from jobs.models.prepared import Prepared, columns, instance
from jobs.states import FINAL, State
from vendors.freezer import hub, timing
from vendors.freezer.vendor import epoch
from vendors.freezer.words import COMPLETED, RESULTS, SCHEDULED, STATES, STOP
from vendors.wire.current import current_run, current_runs

Json = dict[str, Any]
RUN = ("state", "started_at", "finished_at")


@dataclass(frozen=True)
class Beside:
    """What is read for all rows of a page at once."""

    runs: Mapping[int, Json]
    steps: Mapping[int, list[JobAction]]
    schedules: Mapping[int, Schedule]


_STEPS = Prepared(
    JobAction.objects.order_by("position").values(*columns(JobAction), *columns(Action, "action__")), "job"
)
_SCHEDULE = Prepared(Schedule.objects.filter(name=timing.NAME).values(*columns(Schedule)), "job")


def job_document(row: Json) -> Json:
    """Of one row, by compiled queries: it is what pollers ask for."""
    if row["job__place"] != Place.HUB:
        return _document(row, Beside({}, {}, {}))
    job = row["job_id"]
    run, schedule = current_run(job, RUN), _SCHEDULE.first(job)
    return _document(
        row,
        Beside(
            runs={job: run} if run else {},
            steps={job: [_step_of(step) for step in _STEPS.all(job)]},
            schedules={job: instance(Schedule, schedule)} if schedule else {},
        ),
    )


def _step_of(row: Json) -> JobAction:
    step = instance(JobAction, row)
    step.action = instance(Action, row, "action__")
    return step


def job_documents(rows: Iterable[Json]) -> list[Json]:
    """Of rows with `rows.COLUMNS`; as many queries for many as for one."""
    rows = list(rows)
    here = [row["job_id"] for row in rows if row["job__place"] == Place.HUB]
    beside = Beside(
        runs=current_runs(here, *RUN) if here else {},
        steps=_steps_of(here) if here else {},
        schedules={one.job_id: one for one in Schedule.objects.filter(job__in=here, name=timing.NAME)} if here else {},
    )
    return [_document(row, beside) for row in rows]


def _steps_of(jobs: list[int]) -> dict[int, list[JobAction]]:
    found: dict[int, list[JobAction]] = {}
    for step in JobAction.objects.filter(job__in=jobs).select_related("action").order_by("position"):
        found.setdefault(step.job_id, []).append(step)
    return found


def _document(row: Json, beside: Beside) -> Json:
    is_here = row["job__place"] == Place.HUB
    extras = row["extras"]
    return {
        "job_id": row["job__key"],
        "project_id": row["job__project__uuid"].hex,
        "user_id": row["user"],
        "job_schedule": _schedule_here(row, beside) if is_here else _schedule(row),
        "client_id": row["client"],
        "session_id": extras.get("session_id", row["session_id"]),
        "session_tag": row["session_tag"],
        "description": row["job__description"] or extras.get("description", ""),
        "job_actions": _job_actions_here(row, beside) if is_here else row["actions"],
        **({"user_credentials": extras["user_credentials"]} if "user_credentials" in extras else {}),
    }


def _job_actions_here(row: Json, beside: Beside) -> list[Json]:
    """As they were written, but for those that somebody has changed elsewhere."""
    written, steps = row["actions"], beside.steps.get(row["job_id"], [])
    project, user = row["job__project__uuid"].hex, row["user"]
    known = dict(enumerate(written)) if len(written) == len(steps) else {}
    return [
        known[at]
        if at in known and hub.is_still(known[at]["freezer_action"], known[at], step)
        else _step(step, project, user)
        for at, step in enumerate(steps)
    ]


def _schedule(row: Json) -> Json:
    """As it was written, but for what is newer in the columns."""
    newer = {name: row[name] for name in ("event", "status", "result")}
    kept = row["schedule"]
    return {**kept, **{name: value for name, value in newer.items() if value or name in kept}}


def _schedule_here(row: Json, beside: Beside) -> Json:
    """Of a job that the hub runs: what its node's scheduler would have told."""
    schedule, run = beside.schedules.get(row["job_id"]), beside.runs.get(row["job_id"])
    kept = timing.shown(row["schedule"], schedule)
    told = {"event": "", "status": "", "result": ""} if run is None else told_of(run)
    if told["status"] in ("", COMPLETED):
        told["status"] = _at_rest(row, schedule, run)
    return {**kept, **told}


def _at_rest(row: Json, schedule: Schedule | None, run: Json | None) -> str:
    """The status of a job that neither runs nor is about to."""
    if row["status"] == STOP or (schedule is not None and not schedule.enabled):
        return STOP
    if schedule is not None and schedule.next_at is not None:
        return SCHEDULED
    return COMPLETED if run else ""


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
    ids = [job.pk for job in jobs]
    runs, steps = current_runs(ids, *RUN), _steps_of(ids)
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

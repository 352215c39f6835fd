"""Sessions: jobs of several clients that belong together. Those that start within its hold-off do it at one tag."""

import contextlib
import time
from typing import Any

from django.db import transaction

from jobs.engine.locks import job_for_update
from jobs.engine.rights import Right
from jobs.errors import NotFound
from jobs.models import Job, JobExecution
from jobs.states import FINAL, State
from vendors.freezer import runs, schema
from vendors.freezer.errors import NO_TUPLE, Refusal, bad_format
from vendors.freezer.jobs import find as find_job
from vendors.freezer.scope import Scope
from vendors.freezer.stores import SESSIONS, unpacked
from vendors.freezer.words import COMPLETED, FAIL, RESULTS, RUNNING, STOP
from vendors.models import FreezerJob, VendorDocument

Json = dict[str, Any]
HOLD_OFF_S = 30
BIRTH = {"time_ended": -1, "time_started": -1, "time_end": -1, "time_start": -1}
SUCCESS, HELD_OFF, OUT_OF_SYNC = "success", "hold-off", "out-of-sync"
CHANGED = ("description", "hold_off", "schedule")


def session_json(row: VendorDocument, project: str) -> Json:
    kept = unpacked(row)
    return {"project_id": project, "session_id": row.key, "user_id": row.body["user"], **kept}


def document_of(given: Json) -> Json:
    """A session at its birth."""
    return {
        "description": given.get("description", ""),
        "session_tag": given.get("session_tag", 0),
        "result": None,
        "hold_off": given.get("hold_off", HOLD_OFF_S),
        "status": "active",
        **BIRTH,
        "schedule": given["schedule"],
    }


def check(given: Json, wanted: Any = schema.SESSION) -> None:
    schema.check(wanted, given)
    schema.check_sizes(given)


def patch(session_id: str, given: Json, scope: Scope) -> None:
    check(given, schema.SESSION_PATCH)
    changes = {name: given[name] for name in CHANGED if name in given}
    _change(session_id, lambda kept: {**kept, **changes}, scope)


def _change(session_id: str, make: Any, scope: Scope, **more: Any) -> Json:
    try:
        return SESSIONS.change(session_id, make, scope, **more)
    except NotFound:
        raise NotFound(NO_TUPLE.format(id=session_id, table="Session")) from None


def replace(session_id: str, given: Json, scope: Scope) -> None:
    """Create it with this id, or put another one in its place; its jobs stay."""
    check(given)
    if SESSIONS.find(session_id, scope.project_id) is None:
        SESSIONS.create(session_id, document_of(given), scope)
    else:
        _change(session_id, lambda kept: {**kept, **document_of(given)}, scope)


# -- its jobs ----------------------------------------------------------------------------------------------------------
def add_job(session_id: str, job_id: str, scope: Scope) -> None:
    """The job takes the session's tag and its schedule."""
    with transaction.atomic():
        job, row = _locked(job_id, scope)
        times = {name: row.schedule.get(name, "") for name in ("time_started", "time_ended")}
        entry = {"client_id": row.client, "status": row.status, "result": row.result, **times}
        session = _change(session_id, lambda kept: {**kept, "jobs": {**kept.get("jobs", {}), job_id: entry}}, scope)
        row.session_id, row.session_tag = session_id, session["session_tag"]
        row.extras = {name: value for name, value in row.extras.items() if name != "session_id"}
        runs.give_schedule(job, row, session["schedule"], scope.actor)
        runs.watch(job, row)


def remove_job(session_id: str, job_id: str, scope: Scope) -> None:
    """The job stands still then, with no schedule."""
    with transaction.atomic():
        job, row = _locked(job_id, scope)

        def without(kept: Json) -> Json:
            jobs = {name: entry for name, entry in kept.get("jobs", {}).items() if name != job_id}
            return {**kept, "jobs": jobs}

        _change(session_id, without, scope)
        row.session_id, row.session_tag = "", 0
        runs.give_schedule(job, row, {"event": STOP}, scope.actor)
        runs.watch(job, row)


def _locked(job_id: str, scope: Scope) -> tuple[Job, FreezerJob]:
    scope.actor.require(Right.EDIT, scope.project_id, "changing a session")
    job = find_job(job_id, scope)
    row = FreezerJob.objects.filter(job=job).first() if job else None
    if job is None or row is None:
        raise bad_format(f"No job of Freezer's found with ID {job_id}")
    job = job_for_update(job)
    return job, FreezerJob.objects.select_for_update().get(pk=row.pk)


# -- starts and ends ---------------------------------------------------------------------------------------------------
def act(session_id: str, given: Json, scope: Scope) -> Json:
    """`start` or `end` of one of its jobs; what is answered."""
    action, said = next(iter(given.items()))
    if action not in ("start", "end"):
        raise Refusal(405, "Bad Method", "Bad Action Method")
    if not isinstance(said, dict) or type(said.get("current_tag")) is not int:
        raise bad_format("wanted a job_id and a current_tag")
    job_id, tag = str(said.get("job_id")), said["current_tag"]
    if action == "start":
        return start(session_id, job_id, tag, scope)
    return end(session_id, job_id, tag, str(said.get("result", "")), scope)


def start(session_id: str, job_id: str, tag: int, scope: Scope) -> Json:
    """However many start at once, the tag goes up by one."""
    said: Json = {}

    def make(kept: Json) -> Json:
        now = int(time.time())
        said["result"], changes = _start(kept, tag, now)
        said["session_tag"] = kept["session_tag"] + bool(changes)
        return _begun({**kept, **changes}, job_id, now) if said["result"] == SUCCESS else kept

    _change(session_id, make, scope, is_edit=False, right=Right.TRIGGER)
    return said


def _start(kept: Json, tag: int, now: int) -> tuple[str, Json]:
    """The result, and what becomes of the session."""
    current = kept["session_tag"]
    if tag > current:
        raise bad_format(f"requested tag value too high. Session Tag: {current} Job Tag: {tag}")
    is_held_off = kept["time_start"] >= 0 and now - kept["time_start"] <= kept["hold_off"]
    if is_held_off:
        return (SUCCESS if tag < current else HELD_OFF), {}
    if tag < current:
        return OUT_OF_SYNC, {}
    return SUCCESS, {"session_tag": current + 1, "status": RUNNING, "result": "", "time_start": now, "time_end": -1}


def end(session_id: str, job_id: str, tag: int, result: str, scope: Scope) -> Json:
    """The session ends with the last of its jobs."""
    said: Json = {}

    def make(kept: Json) -> Json:
        said["result"] = SUCCESS if tag == kept["session_tag"] else OUT_OF_SYNC
        said["session_tag"] = kept["session_tag"]
        if tag != kept["session_tag"]:
            return kept
        now = int(time.time())
        return _ended(_with_job(kept, job_id, status=COMPLETED, result=result, time_ended=now), now)

    _change(session_id, make, scope, is_edit=False, right=Right.TRIGGER)
    return said


def _begun(kept: Json, job_id: str, now: int) -> Json:
    return _with_job(kept, job_id, status=RUNNING, result="", time_started=now, time_ended="")


def _with_job(kept: Json, job_id: str, **told: Any) -> Json:
    jobs = kept.get("jobs", {})
    if job_id not in jobs:
        raise bad_format(f"the session has no job {job_id}")
    return {**kept, "jobs": {**jobs, job_id: {**jobs[job_id], **told}}}


def _ended(kept: Json, now: int) -> Json:
    entries = list(kept["jobs"].values())
    if not all(entry["status"] == COMPLETED for entry in entries):
        return kept
    is_good = all(entry["result"] == SUCCESS for entry in entries)
    return {**kept, "status": COMPLETED, "result": SUCCESS if is_good else FAIL, "time_end": now}


# -- runs of the hub's own nodes ---------------------------------------------------------------------------------------
def note_run(execution: JobExecution) -> None:
    """What a scheduler would say of a run of its job: that it starts, or has ended."""
    row = FreezerJob.objects.select_related("job").filter(job=execution.job_id or 0).exclude(session_id="").first()
    if row is None:
        return
    job_id, state, now = row.job.key, State(execution.state), int(time.time())

    def begin(kept: Json) -> Json:
        """Who starts within the hold-off joins, whoever was first raises the tag."""
        _, changes = _start(kept, kept["session_tag"], now)
        return _begun({**kept, **changes}, job_id, now)

    def finish(kept: Json) -> Json:
        return _ended(_with_job(kept, job_id, status=COMPLETED, result=RESULTS[state], time_ended=now), now)

    with contextlib.suppress(NotFound, Refusal), transaction.atomic():
        session = SESSIONS.make_of(row.session_id, finish if state in FINAL else begin, row.project_id)
        FreezerJob.objects.filter(pk=row.pk).update(session_tag=session["session_tag"])

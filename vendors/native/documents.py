"""The bodies that this face takes, beside the engine's job document."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from jobs.engine.documents import JobDocument, SubscriptionDocument
from jobs.engine.forms import Document, Params, Text
from jobs.engine.schedule_documents import ScheduleDocument
from jobs.states import State
from vendors.wire.times import parse_rfc3339


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("wanted a time as text")
    return parse_rfc3339(value)


Time = Annotated[datetime, pydantic.BeforeValidator(_time)]
Ref = int | str
"""An execution by its id, uuid or handle."""


class Trigger(Document):
    """How to start a job. Everything may be left out."""

    params: Params = Field(default_factory=dict)
    """Values that override the job's own params."""
    run_at: Time | None = None
    """Not before this time."""
    priority: int | None = Field(None, ge=-100, le=100)
    """Instead of the job's own; higher ones go first."""
    after: list[Ref] = Field(default_factory=list, max_length=100)
    """Executions that must end first, by id, uuid or handle."""
    on: Literal["success", "failure", "end"] = "success"
    """How those in `after` must end; if one ends otherwise, this one is aborted."""
    idempotency_key: Text = Field("", max_length=200)
    """The same key again gives the first execution back; the header `Idempotency-Key` means the same."""


class Hold(Document):
    """Why a job shall not start, and how long."""

    reason: Text = Field("", max_length=500)
    until: Time | None = None
    """It is released at this time; without one, when somebody releases it."""


class OneRun(Document):
    """Which of a schedule's runs to come."""

    slot_at: Time
    """The time for which it is planned, also when it was moved."""


class SkippedRun(OneRun):
    """A run to leave out, and why."""

    reason: Text = Field("", max_length=500)


class MovedRun(SkippedRun):
    """A run that shall come at another time."""

    to: Time


class EarlyRun(Document):
    """A run to start now; default: the next one."""

    slot_at: Time | None = None


class PlannedQuery(Document):
    """What the list of planned runs takes."""

    hours: float = Field(24, gt=0, le=8784, allow_inf_nan=False)
    """How far to look ahead; at most a year."""
    job: Text | None = None
    """Only of this job: its id, its uuid, or its name."""
    project: Text | None = None
    """By name, uuid or id; `*`: all; default: the one that one acts in."""


class BulkAbort(Document):
    """Which of the active executions to abort, by the list's filters."""

    job: Text | None = None
    kind: Text | None = None
    state: list[State] = Field(default_factory=list)
    project: Text | None = None
    """By name or uuid; default: the project one acts in."""
    node: Text | None = None
    requested_by: Text | None = None
    chain: int | None = Field(None, ge=1, lt=2**63)
    """Those of the chain run that this execution began."""
    queued_from: Time | None = None
    queued_to: Time | None = None
    started_from: Time | None = None
    started_to: Time | None = None
    all: bool = False
    """Must be true when no filter is given."""
    dry_run: bool = False
    """Only say which ones it would be."""


class Retry(Document):
    """From where an ended execution's job is run again."""

    from_: Literal["start", "failed"] = Field("start", alias="from")
    """`failed`: at the first action that did not succeed; those before it must not have been changed since."""


class BulkRetry(Document):
    """Which of the failed executions to retry, by the list's filters."""

    job: Text | None = None
    kind: Text | None = None
    project: Text | None = None
    """By name or uuid; default: the project one acts in."""
    node: Text | None = None
    requested_by: Text | None = None
    chain: int | None = Field(None, ge=1, lt=2**63)
    """Those of the chain run that this execution began."""
    finished_from: Time | None = None
    """Those that failed since then."""
    finished_to: Time | None = None
    all: bool = False
    """Must be true when no filter is given."""
    from_: Literal["start", "failed"] = Field("start", alias="from")
    """`failed`: each at the first action that did not succeed."""
    dry_run: bool = False
    """Only say which ones it would be."""


def _all_optional(schema: dict[str, Any]) -> None:
    schema.pop("required", None)


class JobChanges(JobDocument):
    """Fields of a job to change; those that are left out stay as they are. Described here, checked as a whole."""

    model_config = pydantic.ConfigDict(json_schema_extra=_all_optional)


class HoldState(pydantic.BaseModel):
    """A hold that is in force."""

    reason: str
    until: datetime | None
    by: str


class JobRead(JobDocument):
    """A job: its document, and what the hub knows about it."""

    schedules: list[ScheduleDocument]
    """When it runs by itself."""
    id: int
    uuid: uuid.UUID
    project: str
    owner: str | None
    place: Literal["hub", "remote"]
    """`remote`: a node that polls by itself runs it, and only that node knows its actions."""
    hold: HoldState | None
    created_at: datetime
    updated_at: datetime
    version: int


class SubscriptionChanges(SubscriptionDocument):
    """Fields of a subscription to change; those that are left out stay as they are."""


class SubscriptionRead(SubscriptionDocument):
    """A receiver of notices, and how it does."""

    id: int
    uuid: uuid.UUID
    project: str
    job: str | None
    """The job in whose `notify` it stands; null: it is told of all executions of the project."""
    face: str | None
    """The face that made it and writes what it gets; null: the hub itself."""
    n_failures: int
    """How often in a row it did not answer, or said that it cannot."""
    resting_until: datetime | None
    """It failed, and gets nothing before this time."""
    created_at: datetime
    created_by: str

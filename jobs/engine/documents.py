"""Jobs as documents: what `define` takes and `document_of` gives back."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import Field

from jobs.engine.forms import Document, JsonObject, Key, Name, Params, Seconds, Text
from jobs.engine.schedule_documents import MAX_SCHEDULES, ScheduleDocument, schedule_document
from jobs.models import Channel, Event, Job, JobAction, JobLink, Schedule, Subscription
from jobs.runners.base import Secretable
from jobs.texts import LABEL, check_pin, check_text

MAX_PRIORITY = 100
MAX_URL_CHARS = 2000


class ActionDocument(Document):
    """One step: `use` names a shared action; else `runner` and `spec` say what is done.

    With a `key` the action becomes a shared one of the project, which other jobs may use.
    """

    use: Key | None = None
    key: Key | None = None
    runner: str | None = Field(None, max_length=50)
    spec: JsonObject = Field(default_factory=dict)
    description: Text = Field("", max_length=500)
    timeout_s: Seconds | None = None
    retries: int = Field(0, ge=0, le=100)
    retry_delay_s: int | None = Field(None, ge=0, le=3600)
    """Seconds before each retry; default: 1, and twice as long before each that follows."""
    mandatory: bool = False

    @pydantic.model_validator(mode="after")
    def _either_use_or_runner(self) -> "ActionDocument":
        if (self.use is None) == (self.runner is None):
            raise ValueError("wanted either 'runner' or 'use'")
        if self.use is not None and self.model_fields_set - {"use", "mandatory"}:
            raise ValueError("'use' stands alone, only 'mandatory' may be beside it")
        return self


class LinkDocument(Document):
    """A job whose ends start this one."""

    job: Name
    """Its name, in the same project."""
    on: Literal["success", "failure", "end"] = "success"
    """How it has to end; `failure` also means aborted, `end` whatever becomes of it."""


class NoticeDocument(Document):
    """Who is told of what happens to executions: either a `webhook` or `email`."""

    webhook: Secretable | None = None
    """A URL that gets a POST; `{"secret": name}`: the secret holds the whole URL."""
    secret: Annotated[str, Field(max_length=64), pydantic.AfterValidator(check_text)] = ""
    """The name of the secret that the messages are signed with."""
    email: list[Annotated[str, Field(max_length=254)]] = Field(default_factory=list, max_length=20)
    """Addresses."""
    events: list[Event] = Field(default_factory=lambda: [Event.FAILED, Event.SOFT_TIMEOUT], min_length=1)

    @pydantic.model_validator(mode="after")
    def _one_channel(self) -> Self:
        if (self.webhook is None) == (not self.email):
            raise ValueError("wanted either 'webhook' or 'email'")
        if self.email and self.secret:
            raise ValueError("'secret' signs webhooks; an e-mail is not signed")
        if isinstance(self.webhook, str):
            check_text(self.webhook)
            if len(self.webhook) > MAX_URL_CHARS:
                raise ValueError(f"wanted a URL of at most {MAX_URL_CHARS} characters")
        return self


class SubscriptionDocument(NoticeDocument):
    """A receiver of the notices of a whole project."""

    enabled: bool = True


class KeepRule(Document):
    """`days`: until one is so old; `last`: while it is among so many newest ones; both: as long as either holds."""

    days: int | None = Field(None, ge=0, le=36_500)
    """0: for ever."""
    last: int | None = Field(None, ge=1, le=100_000)


class StateRule(KeepRule):
    """Of one state."""

    @pydantic.model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.days is None and self.last is None:
            raise ValueError("wanted 'days', 'last' or both")
        return self


class KeepDocument(KeepRule):
    """A rule for all ended executions, and rules of their own for those that ended in one state."""

    succeeded: StateRule | None = None
    failed: StateRule | None = None
    aborted: StateRule | None = None


class JobDocument(Document):
    """Everything that can be said about a job."""

    name: Name
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,49}$")] | None = None
    """What the job is, for searches; default: the only action's runner, else `workbook`."""
    description: Text = Field("", max_length=10_000)
    actions: list[ActionDocument] = Field(min_length=1, max_length=100)
    after: list[LinkDocument] = Field(default_factory=list, max_length=100)
    """What starts it, beside triggers: the ends of other jobs. After several it runs once for all of them."""
    params: Params = Field(default_factory=dict)
    """Defaults of the trigger's params."""
    priority: int = Field(0, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    node: Annotated[str, Field(max_length=100), pydantic.AfterValidator(check_pin)] = ""
    """The only node that may run it, or `label:<word>`: any that has this label. Empty: any."""
    timeout_s: Seconds | None = None
    """Longest time of one attempt."""
    soft_timeout_s: Seconds | None = None
    """After so long an attempt is warned of, and goes on; less than `timeout_s`."""
    retries: int = Field(0, ge=0, le=100)
    """Further attempts after a failed one."""
    retry_delay_s: int = Field(10, ge=0, le=86_400)
    """Seconds before the first further attempt; doubled for each that follows, at most an hour."""
    on_lost: Literal["", "rerun", "fail"] = ""
    when_active: Literal["queue", "refuse", "skip", "replace"] = "queue"
    concurrency_key: Text = Field("", max_length=200)
    """Jobs with the same key share their slots; default: the job alone."""
    concurrency_limit: int = Field(1, ge=0, le=1000)
    """How many may run side by side; 0: as many as there are workers."""
    keep: KeepDocument = Field(default_factory=lambda: KeepDocument())
    """How long its ended executions are kept; without it the hub's settings count."""
    remove_archives: bool = False
    """What its backups made goes from disk when their executions expire, unless a level that is kept needs it."""
    notify: list[NoticeDocument] = Field(default_factory=list, max_length=20)
    """Who is told when an execution of it ends."""
    schedules: list[ScheduleDocument] | None = Field(None, max_length=MAX_SCHEDULES)
    """When it runs by itself."""

    @pydantic.field_validator("soft_timeout_s")
    @classmethod
    def _before_the_hard_one(cls, value: int | None, info: pydantic.ValidationInfo) -> int | None:
        timeout_s = info.data.get("timeout_s")
        if value is not None and timeout_s is not None and value >= timeout_s:
            raise ValueError(f"must be less than timeout_s ({timeout_s} s)")
        return value


class RemoteJobDocument(JobDocument):
    """A job that a node does by itself: what it consists of, only that node knows."""

    actions: list[ActionDocument] = Field(default_factory=list, max_length=0)

    @pydantic.field_validator("node")
    @classmethod
    def _one_node(cls, value: str) -> str:
        if value.startswith(LABEL):
            raise ValueError("wanted the name of the node that does it")
        return value


OWN_FIELDS = [
    "name",
    "kind",
    "description",
    "params",
    "priority",
    "node",
    "timeout_s",
    "soft_timeout_s",
    "retries",
    "retry_delay_s",
    "on_lost",
    "when_active",
    "concurrency_key",
    "concurrency_limit",
    "keep",
    "remove_archives",
]


@dataclass
class Parts:
    """What a job consists of beside its own row."""

    steps: list[JobAction] = field(default_factory=list)
    links: list[JobLink] = field(default_factory=list)
    notify: list[Subscription] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)


def parts_of(jobs: Iterable[Job]) -> dict[int, Parts]:
    """The parts of all the given jobs, by their ids, with one query for each kind."""
    found = {job.pk: Parts() for job in jobs}
    for step in JobAction.objects.filter(job__in=found).select_related("action").order_by("position"):
        found[step.job_id].steps.append(step)
    for link in JobLink.objects.filter(job__in=found).select_related("after_job").order_by("after_job__name"):
        found[link.job_id].links.append(link)
    for row in Subscription.objects.filter(job__in=found).order_by("pk"):
        found[row.job_id or 0].notify.append(row)
    for schedule in Schedule.objects.filter(job__in=found):
        found[schedule.job_id].schedules.append(schedule)
    return found


def document_of(job: Job, parts: Parts | None = None) -> dict[str, Any]:
    """The job as a document that `define` would take again. A list of jobs has read the parts of all of them."""
    parts = parts or parts_of([job])[job.pk]
    return {
        **{name: getattr(job, name) for name in OWN_FIELDS},
        "actions": [_step(step) for step in parts.steps],
        "after": [{"job": link.after_job.name, "on": link.condition} for link in parts.links],
        "notify": [notice_of(row) for row in parts.notify],
        "schedules": [schedule_document(schedule) for schedule in parts.schedules],
    }


def notice_of(row: Subscription) -> dict[str, Any]:
    """As it stands in the `notify` of a job."""
    if row.channel == Channel.EMAIL:
        return {"email": row.target, "events": row.words}
    return {"webhook": row.target, "secret": row.secret, "events": row.words}


def _step(step: JobAction) -> dict[str, Any]:
    action = step.action
    if action.is_shared:
        return {"use": action.key, "mandatory": step.mandatory}
    return {
        "runner": action.runner,
        "spec": action.spec,
        "description": action.description,
        "timeout_s": action.timeout_s,
        "retries": action.retries,
        "retry_delay_s": action.retry_delay_s,
        "mandatory": step.mandatory,
    }


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True

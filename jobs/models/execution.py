"""One run of a job: the only truth about it, and the one way to change its state."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from jobs import signals
from jobs.errors import IllegalMove
from jobs.keeping import rule_of
from jobs.models.access import Project
from jobs.models.job import Condition, Job, Place
from jobs.models.moves import DatabaseTime, update_row
from jobs.models.queries import BEGAN_AT, IN_LOG, ExecutionQuerySet
from jobs.states import ACTIVE, FINAL, LIVE, State, sources


def states(group: frozenset[State]) -> list[str]:
    return sorted(state.value for state in group)


def new_log_uuid() -> uuid.UUID:
    """A version-1 UUID with a random node: sortable by time, without this machine's address."""
    return uuid.uuid1(node=uuid.uuid4().int & 0xFFFFFFFFFFFF | 0x010000000000)


STATE_CHOICES = [(state.value, state.value) for state in State]


class JobExecution(models.Model):
    """One run. Only `move` writes `state`; a worker's own writes carry its `attempt` as a fencing token."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    log_uuid = models.UUIDField(default=new_log_uuid, unique=True, editable=False)
    handle = models.CharField(max_length=300, unique=True)
    project = models.ForeignKey(Project, models.PROTECT, related_name="executions", db_index=False)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="executions", db_index=False)
    job_name = models.CharField(max_length=200)
    kind = models.CharField(max_length=50)
    plan = models.JSONField(default=dict)
    params = models.JSONField(default=dict)
    place = models.CharField(max_length=10, choices=Place, default=Place.HUB)
    remote_ref = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField(null=True)
    """When its node was asked to start it; a remote one's only."""

    state = models.CharField(max_length=10, choices=STATE_CHOICES, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    n_failed = models.PositiveSmallIntegerField(default=0)
    n_lost = models.PositiveSmallIntegerField(default=0)
    priority = models.SmallIntegerField(default=0)
    run_at = models.DateTimeField(default=timezone.now)
    n_blocks = models.PositiveSmallIntegerField(default=0)
    pinned_to = models.CharField(max_length=100, blank=True)
    """A node, or `label:` and a label that some nodes have; empty: any."""
    is_parked = models.BooleanField(default=False)
    """Its slots were all taken when a claim met it; it is out of the way of the claims until one is given back."""
    slot_key = models.CharField(max_length=250, blank=True)
    slot_limit = models.PositiveSmallIntegerField(default=0)
    slot_no = models.PositiveSmallIntegerField(null=True)

    schedule = models.ForeignKey("jobs.Schedule", models.SET_NULL, null=True, related_name="executions", db_index=False)
    slot_at = models.DateTimeField(null=True)
    """The time of its schedule for which it was started."""
    requested_by = models.CharField(max_length=150)
    requested_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    requested_face = models.CharField(max_length=30)
    requested_key = models.CharField(max_length=32, blank=True)
    idempotency_key = models.CharField(max_length=400, null=True)

    node = models.CharField(max_length=100, blank=True)
    worker = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    soft_timeout_at = models.DateTimeField(null=True)
    """When this attempt's soft timeout passes; null once that has been told."""
    abort_requested_at = models.DateTimeField(null=True)
    abort_requested_by = models.CharField(max_length=150, blank=True)
    pause_requested_at = models.DateTimeField(null=True)
    checkpoint = models.JSONField(null=True)
    position = models.PositiveSmallIntegerField(default=0)

    progress_done = models.BigIntegerField(null=True)
    progress_total = models.BigIntegerField(null=True)
    progress_unit = models.CharField(max_length=30, blank=True)
    records = models.BigIntegerField(null=True)
    last_id = models.CharField(max_length=500, null=True)
    n_dropped = models.BigIntegerField(null=True)
    """Records that could not be written and were left out."""
    volume_bytes = models.BigIntegerField(null=True)
    """About how many bytes were read."""
    message = models.TextField(blank=True)
    exit_code = models.IntegerField(null=True)
    errors = models.JSONField(default=list)
    n_warnings = models.PositiveIntegerField(default=0)
    output_seq = models.PositiveIntegerField(default=0)
    output_dropped = models.BigIntegerField(default=0)

    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    output_expires_at = models.DateTimeField(null=True)
    is_kept = models.BooleanField(default=False)
    """Somebody said that it shall never expire."""
    version = models.PositiveIntegerField(default=1)
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="retried_by")
    first = models.BigIntegerField(null=True)
    """The id of the execution that was retried first, by however many retries; null: this one is no retry."""
    triggered_by = models.BigIntegerField(null=True)
    """The id of the execution whose end started it, by a link of its job. That one may have expired since."""
    chain = models.BigIntegerField(null=True)
    """The id of the first execution of its chain run, also in that one itself; null: it started nothing."""
    is_skipped = models.BooleanField(default=False)
    """It was never to run: a record of why it did not."""

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        verbose_name = "execution"
        constraints = [
            models.UniqueConstraint(
                fields=["slot_key", "slot_no"],
                condition=Q(state__in=states(LIVE)),
                name="one_execution_a_slot",
            ),
            models.UniqueConstraint(fields=["idempotency_key"], name="one_execution_a_key"),
            models.UniqueConstraint(
                fields=["job", "remote_ref"], condition=~Q(remote_ref=""), name="one_execution_a_remote_run"
            ),
            models.UniqueConstraint(
                fields=["triggered_by", "job"], condition=Q(triggered_by__isnull=False), name="one_start_an_end"
            ),
            models.UniqueConstraint(
                fields=["schedule", "slot_at"], condition=Q(schedule__isnull=False), name="one_execution_a_slot_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=states(FINAL), finished_at__isnull=False)
                | Q(state__in=states(ACTIVE), finished_at__isnull=True),
                name="final_means_finished",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=states(LIVE), place=Place.HUB) | Q(lease_until__isnull=False),
                name="live_here_means_leased",
            ),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in State]), name="known_state"),
        ]
        indexes = [
            models.Index(
                fields=["pinned_to", "-priority", "run_at", "id"],
                condition=Q(state="queued", place="hub", n_blocks=0, is_parked=False),
                name="exec_due",
            ),
            models.Index(
                fields=["slot_key", "pinned_to", "-priority", "run_at", "id"],
                condition=Q(state="queued", is_parked=True),
                name="exec_parked",
            ),
            models.Index(fields=["node"], condition=Q(state__in=states(LIVE)), name="exec_on_node"),
            models.Index(
                fields=["run_at"],
                condition=Q(state="queued", place="remote", n_blocks=0, asked_at__isnull=True),
                name="exec_unasked",
            ),
            models.Index(fields=["lease_until"], condition=Q(state__in=states(LIVE)), name="exec_leased"),
            models.Index(fields=["slot_key"], condition=Q(state__in=states(LIVE)), name="exec_slots"),
            models.Index(fields=["id"], condition=Q(state__in=states(ACTIVE)), name="exec_active"),
            models.Index(fields=["n_blocks"], condition=Q(state="queued", n_blocks__gt=0), name="exec_blocked"),
            models.Index(fields=["expires_at"], condition=Q(state__in=states(FINAL)), name="exec_expiry"),
            models.Index(
                fields=["output_expires_at"],
                condition=Q(output_expires_at__isnull=False, output_seq__gt=0),
                name="exec_output_expiry",
            ),
            models.Index(fields=["chain", "job"], condition=Q(chain__isnull=False), name="exec_by_chain"),
            models.Index(
                fields=["schedule"],
                condition=Q(state__in=states(ACTIVE), schedule__isnull=False),
                name="exec_of_schedule",
            ),
            models.Index(fields=["project", "id"], name="exec_by_project"),
            models.Index(fields=["project", "state", "id"], name="exec_by_state"),
            models.Index(fields=["project", "kind", "id"], name="exec_by_kind"),
            models.Index(fields=["project", "job_name", "id"], name="exec_by_name"),
            models.Index(fields=["job", "state", "id"], name="exec_by_job"),
            models.Index(fields=["job", "id"], name="exec_newest"),
            models.Index(fields=["project", "requested_by", "id"], name="exec_by_requester"),
            models.Index(fields=["project", "node", "id"], name="exec_by_node"),
            models.Index(fields=["project", "queued_at"], name="exec_by_queued"),
            models.Index(fields=["project", "started_at"], name="exec_by_started"),
            models.Index(fields=["project", "finished_at"], name="exec_by_finished"),
            models.Index("project", "state", BEGAN_AT, "id", condition=IN_LOG, name="exec_log"),
            models.Index("project", "kind", "state", BEGAN_AT, "id", condition=IN_LOG, name="exec_log_by_kind"),
            models.Index(
                "project", "job_name", "state", BEGAN_AT, "id", "kind", condition=IN_LOG, name="exec_log_by_name"
            ),
        ]

    def __str__(self) -> str:
        return self.handle

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def first_action(self) -> int:
        """The position at which its attempts begin: behind what another execution, of which it is a retry, has done."""
        return int(self.plan.get("first_action", 0))

    def move(
        self,
        to: State,
        *,
        come_from: frozenset[State] | None = None,
        fence: int | None = None,
        lease_is_over: bool = False,
        **fields: Any,
    ) -> None:
        """Change the state by one conditional UPDATE, with whatever else changes along with it.

        `come_from` narrows the states that the table allows. `fence` is the attempt of the worker that asks: its
        move counts only while that attempt is the newest. `lease_is_over` asks for a lost lease once more.
        Raises `IllegalMove` when the row does not fit; nothing was written then. On success the attributes are set in
        memory, the row is not read again.
        """
        allowed = sources(to) if come_from is None else sources(to) & come_from
        fields = {"state": to.value, **(self._ending(to) if to in FINAL else {}), **fields}
        version = allowed and update_row(
            JobExecution, self.pk, states=allowed, fence=fence, lease_is_over=lease_is_over, fields=fields
        )
        if not version:
            raise IllegalMove(f"execution {self.handle} cannot become {to}")
        self.version = version
        for name, value in fields.items():
            if not isinstance(value, DatabaseTime):
                setattr(self, name, value)
        if self.plan.get("is_watched"):
            signals.run_moved.send(JobExecution, execution=self)

    def _ending(self, to: State) -> dict[str, Any]:
        now, hub = timezone.now(), settings.HUB
        rule = rule_of(self.plan.get("keep", {}), to, days=hub["KEEP_DAYS"], last=hub["KEEP_LAST"])
        output_days = hub["OUTPUT_DAYS"]
        return {
            "finished_at": now,
            "expires_at": rule.expiry(now),
            "output_expires_at": now + timedelta(days=output_days) if output_days else None,
            "lease_until": None,
            "checkpoint": None,
        }


class Dependency(models.Model):
    """An execution that waits for another."""

    execution = models.ForeignKey(JobExecution, models.CASCADE, related_name="dependencies")
    after = models.ForeignKey(JobExecution, models.CASCADE, related_name="dependents")
    condition = models.CharField(max_length=10, choices=Condition, default=Condition.SUCCESS)

    class Meta:
        verbose_name_plural = "dependencies"
        constraints = [models.UniqueConstraint(fields=["execution", "after"], name="one_dependency")]

    def __str__(self) -> str:
        return f"{self.execution_id} after {self.condition} of {self.after_id}"


class ActionExecution(models.Model):
    """One step of one attempt: the timeline of an execution."""

    execution = models.ForeignKey(JobExecution, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    attempt = models.PositiveIntegerField()
    key = models.CharField(max_length=100)
    runner = models.CharField(max_length=50)
    state = models.CharField(max_length=10, choices=STATE_CHOICES, default=State.RUNNING)
    n_tries = models.PositiveSmallIntegerField(default=1)
    message = models.TextField(blank=True)
    exit_code = models.IntegerField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "step of an execution"
        verbose_name_plural = "steps of executions"
        ordering = ["attempt", "position"]
        constraints = [models.UniqueConstraint(fields=["execution", "position", "attempt"], name="one_step_an_attempt")]

    def __str__(self) -> str:
        return f"{self.runner} {self.state}"


class Output(models.Model):
    """A piece of an execution's output, at most 64 KiB of text."""

    execution = models.ForeignKey(JobExecution, models.CASCADE, related_name="output", db_index=False)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    stream = models.CharField(max_length=6)
    text = models.TextField()

    class Meta:
        verbose_name = "piece of output"
        verbose_name_plural = "pieces of output"
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["execution", "seq"], name="one_output_a_seq")]

    def __str__(self) -> str:
        return f"{self.execution_id} #{self.seq}"

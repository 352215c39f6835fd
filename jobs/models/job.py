"""What can be run: jobs and their actions."""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from jobs.models.access import Project


def new_key() -> str:
    return uuid.uuid4().hex


class Place(models.TextChoices):
    """Who does the work."""

    HUB = "hub"
    """Workers of the hub."""
    REMOTE = "remote"
    """A node that polls by itself and reports."""


class WhenActive(models.TextChoices):
    """What a trigger does while another execution of the job is active."""

    QUEUE = "queue"
    """The new one waits for its turn."""
    REFUSE = "refuse"
    """The trigger is refused."""
    SKIP = "skip"
    """The trigger is answered with an execution that was aborted at once: a record that this one was left out."""
    REPLACE = "replace"
    """The old ones are aborted."""


class LostPolicy(models.TextChoices):
    """What becomes of an execution whose worker died."""

    RUNNER = ""
    """What the job's runners say: rerun only when all of them may be rerun."""
    RERUN = "rerun"
    FAIL = "fail"


class Condition(models.TextChoices):
    """How a predecessor has to end."""

    SUCCESS = "success"
    FAILURE = "failure"
    END = "end"


class Job(models.Model):
    """What can be run, as it is defined now. Each of its executions keeps the plan as it was at its trigger."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="jobs")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=64, default=new_key)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=50)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="owned_jobs"
    )
    last_editor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    edited_by = models.CharField(max_length=150, blank=True, editable=False)
    """The last editor's name when it was saved; empty for the operator's shell, who may do everything."""
    params = models.JSONField(default=dict, blank=True)
    priority = models.SmallIntegerField(default=0)
    node = models.CharField(max_length=100, blank=True)
    place = models.CharField(max_length=10, choices=Place, default=Place.HUB, editable=False)
    is_watched = models.BooleanField(default=False, editable=False)
    """A face wants to hear of what becomes of its runs: see `jobs.signals`."""
    timeout_s = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    soft_timeout_s = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    retries = models.PositiveSmallIntegerField(default=0)
    retry_delay_s = models.PositiveIntegerField(default=10)
    on_lost = models.CharField(max_length=10, choices=LostPolicy, default=LostPolicy.RUNNER, blank=True)
    when_active = models.CharField(max_length=10, choices=WhenActive, default=WhenActive.QUEUE)
    concurrency_key = models.CharField(max_length=200, blank=True)
    concurrency_limit = models.PositiveSmallIntegerField(default=1)
    keep = models.JSONField(default=dict, blank=True)
    """How long its ended executions stay: see `jobs.keeping`."""
    keep_is_new = models.BooleanField(default=False, editable=False)
    """It was changed, and what ended before goes by the old rule until the next expiry."""
    remove_archives = models.BooleanField(default=False)
    """What a backup made goes from disk when its execution expires, and no other level needs it."""
    is_held = models.BooleanField(default=False)
    hold_until = models.DateTimeField(null=True, blank=True)
    hold_reason = models.CharField(max_length=500, blank=True)
    held_by = models.CharField(max_length=150, blank=True)
    cursor = models.JSONField(null=True, blank=True)
    extras = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="job_name"),
            models.UniqueConstraint(fields=["project", "key"], name="job_key"),
        ]
        indexes = [
            models.Index(fields=["project", "kind", "name"], name="job_by_kind"),
            models.Index(fields=["hold_until"], condition=models.Q(is_held=True), name="job_held"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def slot_key(self) -> str:
        """The name of what its executions share, empty without a limit."""
        if not self.concurrency_limit:
            return ""
        return f"key:{self.project_id}:{self.concurrency_key}" if self.concurrency_key else f"job:{self.pk}"


class Action(models.Model):
    """A reusable step of a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="actions")
    key = models.CharField(max_length=100, default=new_key)
    description = models.CharField(max_length=500, blank=True)
    runner = models.CharField(max_length=50)
    spec = models.JSONField(default=dict, blank=True)
    timeout_s = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    retries = models.PositiveSmallIntegerField(default=0)
    retry_delay_s = models.PositiveIntegerField(null=True, blank=True)
    """Seconds before each retry; empty: 1, and twice as long before each that follows."""
    jobs = models.ManyToManyField(Job, through="JobAction", related_name="actions")
    is_shared = models.BooleanField(default=False)
    """Named by its author for use in several jobs; an unshared one lives and dies with its job."""
    last_editor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    edited_by = models.CharField(max_length=150, blank=True)
    """Of a shared one as of a job: empty for the operator's shell."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="action_key")]

    def __str__(self) -> str:
        return f"{self.runner} {self.key}"


class JobAction(models.Model):
    """An action's place in a job."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="steps")
    action = models.ForeignKey(Action, models.PROTECT, related_name="uses")
    position = models.PositiveSmallIntegerField()
    mandatory = models.BooleanField(default=False)
    """Runs also after an earlier step has failed."""

    class Meta:
        verbose_name = "step of a job"
        verbose_name_plural = "steps of jobs"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="one_action_a_position")]

    def __str__(self) -> str:
        return f"{self.position}. {self.action}"


class JobLink(models.Model):
    """A job that is started by the ends of another's executions."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="links")
    after_job = models.ForeignKey(Job, models.CASCADE, related_name="followers")
    condition = models.CharField(max_length=10, choices=Condition, default=Condition.SUCCESS)

    class Meta:
        verbose_name = "link between jobs"
        verbose_name_plural = "links between jobs"
        constraints = [models.UniqueConstraint(fields=["job", "after_job"], name="one_link")]

    def __str__(self) -> str:
        return f"{self.job_id} after {self.condition} of {self.after_job_id}"

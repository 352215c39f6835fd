"""When jobs run by themselves, and the single times at which they do not."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from jobs.models.access import Project
from jobs.models.job import Job
from jobs.schedules import Dialect, Policy, Timetable, parse
from jobs.schedules.interval import is_continuous


class CatchUp(models.TextChoices):
    """What becomes of times that passed while nothing could start: an outage, a pause, a job on hold."""

    SKIP = "skip"
    """They are left out."""
    ONCE = "once"
    """One run makes up for all of them."""
    ALL = "all"
    """Each of them is run, one after the other."""


class Schedule(models.Model):
    """One schedule of a job. A time at which it starts the job is a slot."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=64)
    position = models.PositiveSmallIntegerField(default=0)
    dialect = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Dialect])
    text = models.CharField(max_length=500, blank=True)
    fields = models.JSONField(default=dict, blank=True)
    """What the dialect of fields has in place of a text."""
    zone = models.CharField(max_length=64, default="UTC")
    policy = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in Policy], default=Policy.ONCE.value
    )
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    anchor_at = models.DateTimeField(default=timezone.now)
    """From when an interval without a start is counted: when it was written."""
    catch_up = models.CharField(max_length=10, choices=CatchUp, default=CatchUp.ONCE)
    grace_s = models.PositiveIntegerField(default=60)
    """A slot that could not start within so many seconds is missed."""
    enabled = models.BooleanField(default=True)
    broken = models.CharField(max_length=500, blank=True)
    """Why it was switched off."""
    is_paused = models.BooleanField(default=False)
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=500, blank=True)
    paused_by = models.CharField(max_length=150, blank=True)
    missed_until = models.DateTimeField(null=True)
    """Slots up to then are missed, however short ago they were: the end of the last pause or hold."""
    missed_reason = models.CharField(max_length=500, blank=True)
    next_at = models.DateTimeField(null=True)
    """The next slot to look at; empty when none will come. Of a paused one: the first that it missed."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["job_id", "position", "pk"]  # by `job` it would be joined, and locked with the schedule
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="one_schedule_name")]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(is_paused=False, next_at__isnull=False), name="schedule_due"),
            models.Index(fields=["paused_until"], condition=Q(paused_until__isnull=False), name="schedule_paused"),
        ]

    def __str__(self) -> str:
        return f"{self.job.name}: {self.name}"

    @property
    def project(self) -> Project:
        return self.job.project

    @property
    def value(self) -> str | dict[str, Any]:
        """What it says, in its dialect."""
        return self.fields if self.dialect == Dialect.FIELDS else self.text

    @property
    def is_continuous(self) -> bool:
        """It runs again as soon as its last run has ended."""
        return self.dialect == Dialect.INTERVAL and is_continuous(self.text)

    def timetable(self) -> Timetable:
        """Raises `Invalid` when it can no longer be read."""
        return parse(
            self.dialect,
            self.value,
            zone=self.zone,
            policy=self.policy,
            start=self.starts_at,
            end=self.ends_at,
            anchor=self.anchor_at,
        )


class Fate(models.TextChoices):
    """What became of a slot that was not simply run."""

    SKIPPED = "skipped"
    """Somebody left it out, or the job was busy."""
    MISSED = "missed"
    """It passed while nothing could start."""
    MOVED = "moved"
    """Somebody gave it another time."""


class SlotFate(models.Model):
    """A slot, or a row of them, that was not simply run; those that were have an execution and no row here."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="fates", db_index=False)
    slot_at = models.DateTimeField()
    until_at = models.DateTimeField(db_index=True)
    """The last of the row; of a single one the same."""
    n = models.PositiveIntegerField(default=1)
    fate = models.CharField(max_length=10, choices=Fate)
    moved_to = models.DateTimeField(null=True)
    is_waiting = models.BooleanField(default=False)
    """Moved, and not started yet."""
    reason = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-slot_at"]
        constraints = [models.UniqueConstraint(fields=["schedule", "slot_at"], name="one_fate_a_slot")]
        indexes = [models.Index(fields=["moved_to"], condition=Q(is_waiting=True), name="slot_moved")]

    def __str__(self) -> str:
        return f"{self.slot_at:%Y-%m-%d %H:%M:%S} {self.fate}"

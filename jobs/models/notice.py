"""Who wants to be told how executions end, and what was sent to whom."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

GIVE_UP_AFTER = timedelta(days=3)


def give_up_at() -> datetime:
    return timezone.now() + GIVE_UP_AFTER


class Event(models.TextChoices):
    """What is told of an execution: each final state by its own word, and what happens on the way there."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    SOFT_TIMEOUT = "soft_timeout"
    """It runs for longer than its soft timeout, and goes on."""


class Channel(models.TextChoices):
    """How it is told."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class Subscription(models.Model):
    """A receiver of notices: of all executions of a project, or of one job only (its document's `notify`)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey("jobs.Project", models.CASCADE, related_name="subscriptions", db_index=False)
    job = models.ForeignKey("jobs.Job", models.CASCADE, null=True, related_name="subscriptions", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel)
    target = models.JSONField()
    """A webhook's URL, or `{"secret": name}` with all of it; the addresses of an e-mail."""
    secret = models.CharField(max_length=64, blank=True)
    """The name of the secret that webhooks are signed with."""
    events = models.CharField(max_length=100)
    """Words of `Event`, with blanks between them: read at the end of every execution, without a parser."""
    face = models.CharField(max_length=30, blank=True)
    """Whose the subscription is and who writes its bodies; empty for the hub's own."""
    extras = models.JSONField(default=dict, blank=True)
    """What a face's document holds that the engine does not need."""
    is_enabled = models.BooleanField(default=True)
    n_failures = models.PositiveIntegerField(default=0, editable=False)
    """How often in a row it did not answer, or said that it cannot."""
    resting_until = models.DateTimeField(null=True, editable=False)
    """Nothing is sent before this time: it failed, and one receiver's trouble must not keep the others waiting."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=150, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["project", "id"], name="subscription_by_project"),
            models.Index(fields=["job"], condition=Q(job__isnull=False), name="subscription_by_job"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.shown_target}"

    @property
    def words(self) -> list[str]:
        """Its events."""
        return self.events.split()

    @property
    def shown_target(self) -> str:
        if isinstance(self.target, dict):
            return f"the secret {self.target['secret']!r}"
        return self.target if isinstance(self.target, str) else ", ".join(self.target)


class Notice(models.Model):
    """Something happened that somebody wants to be told of, written in the transaction in which it happened.

    It is one row however many want it, so that an end costs the same; soon it becomes a delivery for each of them.
    """

    execution = models.ForeignKey("jobs.JobExecution", models.CASCADE, related_name="notices")
    event = models.CharField(max_length=20, choices=Event)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.execution_id} {self.event}"


class Delivery(models.Model):
    """One notice to one receiver.

    It is pending while `next_at` is set, delivered when `delivered_at` is, and else given up. A sender claims it by
    moving `next_at` on, so that it is sent again when the sender dies: at least once, each time with the same `uuid`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    project = models.ForeignKey("jobs.Project", models.CASCADE, related_name="+", db_index=False)
    execution = models.ForeignKey("jobs.JobExecution", models.CASCADE, related_name="deliveries")
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="deliveries", db_index=False)
    event = models.CharField(max_length=20, choices=Event)
    created_at = models.DateTimeField(default=timezone.now)
    """When that happened."""
    next_at = models.DateTimeField(null=True, default=timezone.now)
    give_up_at = models.DateTimeField(default=give_up_at)
    delivered_at = models.DateTimeField(null=True)
    n_tries = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    answer = models.PositiveSmallIntegerField(null=True)
    """The HTTP status of the last try, if there was an answer."""
    error = models.CharField(max_length=500, blank=True)
    """Why the last try failed."""
    duration_ms = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="delivery_due"),
            models.Index(
                fields=["subscription", "next_at"], condition=Q(next_at__isnull=False), name="delivery_pending"
            ),
            models.Index(fields=["created_at"], condition=Q(next_at__isnull=True), name="delivery_ended"),
            models.Index(fields=["subscription", "id"], name="delivery_by_subscription"),
            models.Index(fields=["project", "id"], name="delivery_by_project"),
            models.Index(
                fields=["project", "id"],
                condition=Q(next_at__isnull=True, delivered_at__isnull=True),
                name="delivery_given_up",
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk} that {self.execution_id} {self.event}"

    @property
    def outcome(self) -> str:
        """`pending`, `delivered` or `failed`."""
        if self.next_at is not None:
            return "pending"
        return "delivered" if self.delivered_at is not None else "failed"

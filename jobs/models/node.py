"""Where work runs, and which of the nodes keeps the clock."""

import uuid

from django.db import models
from django.utils import timezone

from jobs.texts import LABEL


class Node(models.Model):
    """A machine whose workers take executions."""

    name = models.CharField(max_length=100, unique=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    workers = models.PositiveSmallIntegerField(default=0)
    interval_s = models.PositiveIntegerField(default=0)
    """How often a node that polls by itself says that it is alive; 0 for the hub's own."""
    labels = models.JSONField(default=list, blank=True)
    """Those that people have given it."""
    own_labels = models.JSONField(default=list, blank=True, editable=False)
    """Those that its workers say it has."""
    max_running = models.PositiveSmallIntegerField(null=True, blank=True)
    """How many executions may run on it side by side; null: as many as it has workers."""
    drained_at = models.DateTimeField(null=True, blank=True)
    """Since when it takes no new work."""
    drain_reason = models.CharField(max_length=500, blank=True)
    drained_by = models.CharField(max_length=150, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def all_labels(self) -> list[str]:
        return sorted({*self.labels, *self.own_labels})

    @property
    def pins(self) -> tuple[str, ...]:
        """What an execution may be pinned to in order to run here; empty: to nothing."""
        return ("", self.name, *(f"{LABEL}{label}" for label in self.all_labels))


class Leader(models.Model):
    """Who may do what only one process at a time does; taken by compare-and-set."""

    duty = models.CharField(max_length=130, unique=True)
    holder = models.CharField(max_length=64)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.duty}: {self.holder}"

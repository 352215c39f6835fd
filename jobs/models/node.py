"""Where work runs, and which of the nodes keeps the clock."""

import uuid

from django.db import models
from django.utils import timezone


class Node(models.Model):
    """A machine whose workers take executions."""

    name = models.CharField(max_length=100, unique=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    workers = models.PositiveSmallIntegerField(default=0)
    interval_s = models.PositiveIntegerField(default=0)
    """How often a node that polls by itself says that it is alive; 0 for the hub's own."""
    first_seen_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Leader(models.Model):
    """Who may do what only one process at a time does; taken by compare-and-set."""

    duty = models.CharField(max_length=130, unique=True)
    holder = models.CharField(max_length=64)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.duty}: {self.holder}"

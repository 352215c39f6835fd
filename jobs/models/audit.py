"""Who did what, from where, through which face and key."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from jobs.models.queries import Literal

COMMON_DEED = "trigger"
"""Most rows are of this deed; the index by deeds is of the others."""


class AuditQuerySet(models.QuerySet[Any]):
    def of_deed(self, deed: str) -> "AuditQuerySet":
        """Only this deed; the rare ones by their index."""
        rows = self.filter(deed=deed)
        return rows if deed == COMMON_DEED else rows.exclude(deed=Literal(COMMON_DEED))


class AuditEvent(models.Model):
    """One deed, written in the transaction of the deed itself, so the two cannot part; or the refusals of a minute."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    username = models.CharField(max_length=150)
    face = models.CharField(max_length=30)
    key_id = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=45, blank=True)
    """Where it came from; empty for the operator's shell and for the hub itself."""
    project = models.ForeignKey("jobs.Project", models.SET_NULL, null=True, related_name="+", db_index=False)
    deed = models.CharField(max_length=30)
    subject = models.CharField(max_length=250)
    count = models.PositiveBigIntegerField(default=1)
    minute = models.DateTimeField(null=True)
    """The minute whose equal refusals this row counts; empty for a deed that was done."""
    detail = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = "audit event"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["minute", "deed", "address", "username", "subject", "face"],
                condition=Q(minute__isnull=False),
                name="one_refusal_a_minute",
            )
        ]
        indexes = [
            models.Index(fields=["project", "id"], name="audit_by_project"),
            models.Index(fields=["username", "id"], name="audit_by_name"),
            models.Index(fields=["subject", "id"], name="audit_by_subject"),
            models.Index(fields=["deed", "id"], condition=~Q(deed=COMMON_DEED), name="audit_by_rare_deed"),
        ]

    def __str__(self) -> str:
        return f"{self.username} {self.deed} {self.subject}"

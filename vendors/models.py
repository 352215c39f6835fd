"""The wire's own tables: what the faces keep that the engine does not need."""

from django.db import models
from django.utils import timezone

from jobs.models import JobExecution, Project


class Hidden(models.Model):
    """An execution that was taken out of one face. The others still show it."""

    face = models.CharField(max_length=30)
    execution = models.ForeignKey(JobExecution, models.CASCADE, related_name="hidden_in")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "face"], name="hidden_once")]

    def __str__(self) -> str:
        return f"{self.execution} in {self.face}"


class VendorDocument(models.Model):
    """A document of a face that is no job: a datasource, a connection, a client. Written by `vendors.wire.stored`."""

    face = models.CharField(max_length=30)
    kind = models.CharField(max_length=50)
    project = models.ForeignKey(Project, models.CASCADE, related_name="vendor_documents", db_index=False)
    key = models.CharField(max_length=255)
    body = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "face", "kind", "key"], name="one_vendor_document")]

    def __str__(self) -> str:
        return f"{self.face} {self.kind} {self.key}"

"""What jobs need and nobody may read."""

from django.db import models
from django.utils import timezone


class Secret(models.Model):
    """A value that specs name as `{"secret": "name"}`. Only a run reads it; no face and no page ever shows it."""

    project = models.ForeignKey("jobs.Project", models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=64)
    ciphertext = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150)
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["project", "name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_secret_name")]

    def __str__(self) -> str:
        return self.name

"""What backups made."""

from django.db import models

from jobs.models.access import Project


class Archive(models.Model):
    """One archive level on disk. The manifest beside the archive is the truth; this row makes it searchable."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="archives")
    execution = models.ForeignKey("jobs.JobExecution", models.SET_NULL, null=True, related_name="archives")
    job_name = models.CharField(max_length=200)
    node = models.CharField(max_length=100, blank=True)
    container = models.CharField(max_length=1000)
    name = models.CharField(max_length=200)
    level = models.PositiveSmallIntegerField()
    parent = models.CharField(max_length=1500, blank=True)
    path = models.CharField(max_length=1500)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    is_expired = models.BooleanField(default=False)
    """Its execution has gone, and its job said that it shall go as well: it does when no other level needs it."""

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["node", "path"], name="one_archive_a_path")]
        indexes = [
            models.Index(fields=["project", "name", "created_at"], name="archive_by_name"),
            models.Index(fields=["project", "created_at"], name="archive_by_age"),
            models.Index(fields=["node"], condition=models.Q(is_expired=True), name="archive_expired"),
        ]

    def __str__(self) -> str:
        return f"{self.name} level {self.level} of {self.created_at:%Y-%m-%d %H:%M:%S}"

"""Who there is: users, projects, memberships and keys."""

import uuid

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class Argon2id(Argon2PasswordHasher):
    """Argon2id as OWASP recommends it (2024): 19 MiB and about 25 ms a check, not Django's 100 MiB."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


class User(AbstractUser):
    """A person or a service that can log in."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(blank=True)
    is_service = models.BooleanField(default=False)
    """A program that works for all projects: it sees, triggers and reports in each, also where it is no member."""


class Project(models.Model):
    """The owner of jobs and their executions; what a user may do is said per project."""

    name = models.CharField(max_length=100, unique=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a user is in a project, lowest first."""

    READER = "reader"
    MEMBER = "member"
    ADMIN = "admin"


class Level(models.TextChoices):
    """What a key may do at most, lowest first."""

    RESTRICTED = "restricted"
    NORMAL = "normal"
    ADMIN = "admin"


class Membership(models.Model):
    """A user's role in a project; the default one is where the user acts when nothing else is said."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="one_membership"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_default=True), name="one_default_membership"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class ApiKey(models.Model):
    """A key of one user for one project. Its secret is shown once; only the SHA-256 of it is stored."""

    key_id = models.CharField(max_length=32, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    name = models.CharField(max_length=100, blank=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    project = models.ForeignKey(Project, models.CASCADE, related_name="api_keys")
    level = models.CharField(max_length=10, choices=Level, default=Level.NORMAL)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name or 'key'} ({self.key_id})"


class Token(models.Model):
    """A login for a while, of a user for one project or for none. Nothing that is stored here opens anything: the text
    that a client holds is signed, see `jobs.engine.tokens`."""

    token_id = models.CharField(max_length=32, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="tokens")
    methods = models.CharField(max_length=50)
    """How it was got: `password`, or `token,password`."""
    address = models.CharField(max_length=45, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.token_id

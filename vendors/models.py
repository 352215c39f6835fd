"""The wire's own tables: what the faces keep that the engine does not need."""

import json
from typing import Any

from django.db import models
from django.utils import timezone

from jobs.models import Job, JobExecution, Project
from jobs.models.job import new_key


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
        indexes = [models.Index(fields=["project", "face", "kind", "id"], name="vendor_document_by_age")]

    def __str__(self) -> str:
        return f"{self.face} {self.kind} {self.key}"


class OrderedJSON(models.JSONField):
    """JSON kept as text: PostgreSQL's jsonb forgets the order of names. It cannot be searched."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002
        return "text"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: ARG002
        return json.dumps(value, separators=(",", ":"))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


class FreezerClient(models.Model):
    """A node that polls for jobs of the Freezer face by itself, as it has registered."""

    client_id = models.CharField(max_length=255, unique=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="freezer_clients", db_index=False)
    user = models.CharField(max_length=32)
    """Of the user who registered it: the uuid's hex."""
    uuid = models.CharField(max_length=36, default=new_key)
    hostname = models.CharField(max_length=255, null=True)
    description = models.CharField(max_length=255, null=True)
    is_central = models.BooleanField(default=False)
    """It works for all projects."""
    supported = models.JSONField(default=dict)
    """Lists of its actions, modes, storages and engines."""

    class Meta:
        indexes = [models.Index(fields=["project", "client_id"], name="freezer_client_by_project")]

    def __str__(self) -> str:
        return self.client_id


class FreezerAction(models.Model):
    """A step of Freezer's jobs: what its agent is told to do. One that was made within a job has an id as well."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="freezer_actions")
    action_id = models.CharField(max_length=64, default=new_key)
    user = models.CharField(max_length=32)
    body = OrderedJSON(default=dict)
    """`freezer_action`, and beside it `max_retries`, `max_retries_interval` and what else there is."""
    made_in = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    """The job that it came with."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "action_id"], name="one_freezer_action")]

    def __str__(self) -> str:
        return self.action_id


class FreezerJob(models.Model):
    """A job as the Freezer face knows it: whose it is, what its node is to do, and what the node last told.

    `event` is a mailbox of one place. Each event that is put there counts `event_no` up; `delivered_no` is the number
    of the last one that its node has fetched.
    """

    job = models.OneToOneField(Job, models.CASCADE, related_name="freezer")
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    """The job's own."""
    client = models.CharField(max_length=255)
    user = models.CharField(max_length=32)
    """Of the user who last wrote it: the uuid's hex."""
    actions = OrderedJSON(default=list)
    """Its `job_actions` as they are shown: read at every poll, and written anew whenever one of `uses` changes."""
    uses = models.ManyToManyField(FreezerAction, related_name="used_in")
    schedule = OrderedJSON(default=dict)
    """Its `job_schedule`, as it was last written; the columns below are newer than what it says of them."""
    event = models.CharField(max_length=10, blank=True)
    event_no = models.PositiveIntegerField(default=0)
    delivered_no = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, blank=True)
    result = models.CharField(max_length=10, blank=True)
    is_open = models.PositiveSmallIntegerField(default=1)
    """1 while its node asks for it, 0 once it is completed; a number, for SQLite has no index for a truth value."""
    session_id = models.CharField(max_length=64, blank=True)
    session_tag = models.BigIntegerField(default=0)
    extras = OrderedJSON(default=dict)
    """What else its document holds."""

    class Meta:
        indexes = [
            models.Index(fields=["project", "client", "is_open", "job"], name="freezer_poll"),
            models.Index(fields=["client", "is_open", "job"], name="freezer_poll_of_all"),
            models.Index(fields=["project", "job"], name="freezer_by_project"),
        ]

    def __str__(self) -> str:
        return f"{self.job} of {self.client}"

    @property
    def is_undelivered(self) -> bool:
        """An event waits that its node has not seen."""
        return bool(self.event) and self.event_no > self.delivered_no

"""The answers as serializers: they show the small tables, and describe everything in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.engine.nodes import NodeState, is_silent, state_of
from jobs.models import ActionExecution, Archive, Event, Node, Project
from jobs.states import State


class ProgressSerializer(serializers.Serializer[Any]):
    done = serializers.IntegerField(allow_null=True)
    total = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField()


class ReasonSerializer(serializers.Serializer[Any]):
    """One thing that a queued execution waits for."""

    kind = serializers.ChoiceField(["execution", "slot", "hold", "time", "node", "node_limit", "worker"])
    text = serializers.CharField()
    executions = serializers.ListField(child=serializers.CharField(), required=False)
    reason = serializers.CharField(required=False)
    until = serializers.DateTimeField(required=False, allow_null=True)
    node = serializers.CharField(required=False)


class ExecutionSerializer(serializers.Serializer[Any]):
    """One run of a job, as `execution_shape.execution_json` builds it."""

    id = serializers.IntegerField()
    uuid = serializers.UUIDField()
    handle = serializers.CharField()
    project = serializers.CharField()
    job = serializers.CharField(help_text="The job's name when it was triggered.")
    job_id = serializers.IntegerField(allow_null=True, help_text="null: the job was deleted.")
    kind = serializers.CharField()
    state = serializers.ChoiceField([state.value for state in State])
    attempt = serializers.IntegerField()
    progress = ProgressSerializer(allow_null=True)
    records = serializers.IntegerField(allow_null=True)
    last_id = serializers.CharField(allow_null=True)
    n_dropped = serializers.IntegerField(allow_null=True, help_text="Records that could not be written.")
    volume_bytes = serializers.IntegerField(allow_null=True, help_text="About how many bytes were read.")
    message = serializers.CharField()
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="Outermost cause first."
    )
    n_warnings = serializers.IntegerField()
    exit_code = serializers.IntegerField(allow_null=True)
    params = serializers.DictField()
    priority = serializers.IntegerField()
    run_at = serializers.DateTimeField(help_text="Not before this time.")
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="From then on only its job's `last` keeps it; null: it is kept for ever."
    )
    is_kept = serializers.BooleanField(help_text="Somebody said that it shall never expire.")
    requested_by = serializers.CharField()
    node = serializers.CharField()
    retry_of = serializers.IntegerField(allow_null=True)
    first = serializers.IntegerField(
        allow_null=True, help_text="Of a retry: the execution that was retried first; it may have expired."
    )
    triggered_by = serializers.IntegerField(
        allow_null=True, help_text="The execution whose end started it, by `after` of its job; it may have expired."
    )
    chain = serializers.IntegerField(
        allow_null=True, help_text="The first execution of the chain run that it belongs to."
    )
    waiting_for = ReasonSerializer(many=True)


class PieceSerializer(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    stream = serializers.CharField()
    text = serializers.CharField()


class OutputSerializer(serializers.Serializer[Any]):
    """A page of an execution's output."""

    execution = serializers.IntegerField()
    state = serializers.ChoiceField([state.value for state in State])
    results = PieceSerializer(many=True)
    next_after = serializers.IntegerField(help_text="What to send as `after` the next time.")
    dropped_bytes = serializers.IntegerField(help_text="What fell between the kept head and tail.")
    is_final = serializers.BooleanField(help_text="Nothing more will come.")
    is_expired = serializers.BooleanField(help_text="There was output; its time is over.")


class StepSerializer(serializers.ModelSerializer[ActionExecution]):
    class Meta:
        model = ActionExecution
        fields = [
            "position",
            "attempt",
            "key",
            "runner",
            "state",
            "n_tries",
            "message",
            "exit_code",
            "started_at",
            "finished_at",
        ]


class NodeSerializer(serializers.ModelSerializer[Node]):
    """A node; `context["running"]` tells how many executions each has."""

    state = serializers.SerializerMethodField(
        help_text="`draining`: no new work, still some old; `silent`: not heard of for too long, its work is rescued."
    )
    is_live = serializers.SerializerMethodField(help_text="It is not silent.")
    running = serializers.SerializerMethodField(help_text="How many executions it has now.")
    labels = serializers.ListField(child=serializers.CharField(), help_text="Given by people.")
    own_labels = serializers.ListField(child=serializers.CharField(), help_text="Said by its workers.")

    class Meta:
        model = Node
        fields = [
            "id",
            "uuid",
            "name",
            "state",
            "running",
            "max_running",
            "workers",
            "labels",
            "own_labels",
            "drained_at",
            "drain_reason",
            "drained_by",
            "first_seen_at",
            "seen_at",
            "is_live",
        ]

    @extend_schema_field({"type": "string", "enum": [state.value for state in NodeState]})
    def get_state(self, node: Node) -> str:
        return state_of(node, self.get_running(node)).value

    def get_is_live(self, node: Node) -> bool:
        return not is_silent(node)

    def get_running(self, node: Node) -> int:
        found: int = self.context["running"].get(node.name, 0)
        return found


class ProjectSerializer(serializers.ModelSerializer[Project]):
    right = serializers.SerializerMethodField(help_text="What one may do in it.")

    class Meta:
        model = Project
        fields = ["id", "uuid", "name", "description", "created_at", "right"]

    def get_right(self, project: Project) -> str:
        right: str = self.context["actor"].right(project.pk).name.lower()
        return right


class ArchiveSerializer(serializers.ModelSerializer[Archive]):
    execution = serializers.IntegerField(source="execution_id", allow_null=True)
    project = serializers.CharField(source="project.name")
    job = serializers.CharField(source="job_name")

    class Meta:
        model = Archive
        fields = [
            "id",
            "project",
            "execution",
            "job",
            "node",
            "container",
            "name",
            "level",
            "parent",
            "path",
            "size_bytes",
            "sha256",
            "created_at",
        ]


class AuditSerializer(serializers.Serializer[Any]):
    """One deed, or the equal refusals of a minute."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField(help_text="Of a row with a count: the first one.")
    who = serializers.CharField(help_text="Empty: nobody was logged in.")
    face = serializers.CharField(help_text="`native` and its like, `admin`, `session`, `shell`, `ticker`.")
    key = serializers.CharField(help_text="The id of the API key.")
    project = serializers.CharField(allow_null=True)
    deed = serializers.CharField()
    subject = serializers.CharField()
    address = serializers.CharField(help_text="Where it came from; empty: the hub's own machine.")
    count = serializers.IntegerField(help_text="More than 1: refusals of one minute.")
    detail = serializers.DictField()


class DeliverySerializer(serializers.Serializer[Any]):
    """One notice to one receiver."""

    id = serializers.IntegerField()
    uuid = serializers.UUIDField(help_text="The `Webhook-Id`, the same for every try.")
    execution = serializers.IntegerField()
    handle = serializers.CharField(help_text="Of the execution.")
    subscription = serializers.IntegerField()
    event = serializers.ChoiceField(Event.values)
    outcome = serializers.ChoiceField(["pending", "delivered", "failed"])
    created_at = serializers.DateTimeField(help_text="When it happened.")
    next_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried again.")
    delivered_at = serializers.DateTimeField(allow_null=True)
    n_tries = serializers.IntegerField()
    tried_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.IntegerField(allow_null=True, help_text="The HTTP status of the last try.")
    error = serializers.CharField(help_text="Why the last try failed.")
    duration_ms = serializers.IntegerField(allow_null=True, help_text="Of the last try.")


class MyKeySerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    level = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class MeSerializer(serializers.Serializer[Any]):
    """Who is asking, and what they may do."""

    user = serializers.CharField()
    is_superuser = serializers.BooleanField()
    project = ProjectSerializer(allow_null=True, help_text="Where names are looked up and jobs are made.")
    key = MyKeySerializer(allow_null=True)


class AbortedSerializer(serializers.Serializer[Any]):
    matched = serializers.IntegerField()
    aborted = serializers.ListField(child=serializers.IntegerField(), help_text="With `dry_run` those that would be.")
    is_complete = serializers.BooleanField(help_text="false: there are more; ask again.")


class RetriedOneSerializer(serializers.Serializer[Any]):
    execution = serializers.IntegerField()
    retried_as = serializers.IntegerField(allow_null=True, help_text="null with `dry_run`.")


class RefusalSerializer(serializers.Serializer[Any]):
    execution = serializers.IntegerField()
    reason = serializers.CharField()


class RetriedSerializer(serializers.Serializer[Any]):
    matched = serializers.IntegerField()
    retried = RetriedOneSerializer(many=True)
    refused = RefusalSerializer(many=True)
    is_complete = serializers.BooleanField(help_text="false: there are more; ask again.")


class FieldErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class PauseSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True, help_text="null: until somebody releases it.")
    by = serializers.CharField()


class MomentSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="In UTC.")
    local = serializers.DateTimeField(help_text="The same in the schedule's zone.")


class FateSerializer(serializers.Serializer[Any]):
    """One time of a schedule, or a row of them, that was not simply run."""

    slot_at = serializers.DateTimeField()
    until_at = serializers.DateTimeField(help_text="The last one of a row.")
    count = serializers.IntegerField(help_text="How many they are; 1001: more than 1000.")
    fate = serializers.ChoiceField(["skipped", "missed", "moved"])
    moved_to = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    by = serializers.CharField(help_text="`schedule`: the hub itself.")
    at = serializers.DateTimeField()


class ScheduleSerializer(serializers.Serializer[Any]):
    """A schedule of a job, as `shapes.schedule_json` builds it."""

    name = serializers.CharField()
    interval = serializers.CharField(required=False)
    cron = serializers.CharField(required=False)
    quartz = serializers.CharField(required=False)
    fields = serializers.DictField(required=False)  # type: ignore[assignment]
    at = serializers.CharField(required=False)
    zone = serializers.CharField()
    policy = serializers.ChoiceField(["once", "wall"])
    catch_up = serializers.ChoiceField(["skip", "once", "all"])
    grace_s = serializers.IntegerField()
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    enabled = serializers.BooleanField()
    means = serializers.CharField(help_text="What it says, in words.")
    broken = serializers.CharField(help_text="Why it was switched off; empty: it was not.")
    pause = PauseSerializer(allow_null=True)
    next = MomentSerializer(many=True, help_text="The next five times.")
    recent = FateSerializer(many=True, help_text="The last twenty that were skipped, missed or moved, newest first.")
    version = serializers.IntegerField()


class PlannedSerializer(serializers.Serializer[Any]):
    """A run to come."""

    at = serializers.DateTimeField(help_text="When it starts, in UTC.")
    local = serializers.DateTimeField(help_text="The same in the schedule's zone.")
    slot_at = serializers.DateTimeField(help_text="For when it was planned: its name among the runs of its schedule.")
    job = serializers.CharField()
    job_id = serializers.IntegerField()
    project = serializers.CharField()
    schedule = serializers.CharField()
    state = serializers.ChoiceField(["planned", "moved", "skipped", "paused", "held"])
    reason = serializers.CharField()
    by = serializers.CharField()


class AllPlannedSerializer(serializers.Serializer[Any]):
    results = PlannedSerializer(many=True)
    is_complete = serializers.BooleanField(help_text="false: these are the first of them; look less far ahead.")


class LinksSerializer(serializers.Serializer[Any]):
    """Where things are."""

    jobs = serializers.URLField()
    executions = serializers.URLField()
    nodes = serializers.URLField()
    projects = serializers.URLField()
    archives = serializers.URLField()
    audit = serializers.URLField()
    subscriptions = serializers.URLField()
    deliveries = serializers.URLField()
    planned = serializers.URLField()
    me = serializers.URLField()
    schema = serializers.URLField()


class SeenSerializer(serializers.Serializer[Any]):
    """An execution as one face shows it."""

    face = serializers.CharField()
    product = serializers.CharField()
    id = serializers.CharField(help_text="Its id in that face.")
    url = serializers.CharField(help_text="Where that face shows it.")
    body = serializers.JSONField(help_text="What is answered there.")


class SeenByAllSerializer(serializers.Serializer[Any]):
    """An execution as every face shows it that does."""

    results = SeenSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)

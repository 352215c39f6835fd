"""Executions as the cluster's jobs."""

from typing import Any

from django.db.models import Case, F, IntegerField, OuterRef, Q, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, NullIf

from jobs.engine.rights import Actor
from jobs.errors import NotFound
from jobs.models import ActionExecution
from jobs.states import State
from vendors.ontap.hub import SVMS
from vendors.ontap.problems import no_entry
from vendors.ontap.query.kinds import Integer, StateWord, Text, Time, Uuid
from vendors.ontap.query.lookups import Bytewise
from vendors.ontap.resources import Field, Member, Prefix, Resource, Row, link
from vendors.ontap.vendor import STATES, WORDS, ontap_time
from vendors.ontap.window import is_shown
from vendors.wire.lookups import ExecutionRows

CANCELLED = 458785
"""Somebody aborted it."""
FAILED = 459753
"""ONTAP's "Command execution failed with custom error from the program"."""
LAST_EXIT_STATUS = 255
"""A greater exit code is no program's: a runner has it from the product that it asked, and it is shown as it is."""
SAYS_NOTHING = {
    State.PAUSED: "paused",
    State.SUCCEEDED: "success",
    State.FAILED: "failed",
    State.ABORTED: "aborted",
}
"""Messages where the run has none of its own: clients take an ended job without one for a success."""
FAILURES = sorted(state.value for state in STATES.back["failure"])
AT_WORK = sorted(state.value for state in STATES.back["running"])

_is_failure = Q(state__in=FAILURES)
_step = ActionExecution.objects.filter(
    execution=OuterRef("pk"), attempt=OuterRef("attempt"), position=OuterRef("position")
).order_by()
_NUMBER = Cast(F("position") + 1, TextField())
STEP = Subquery(
    _step.values(text=Concat(Value("step "), _NUMBER, Value(": "), F("runner"), output_field=TextField()))[:1]
)
MESSAGE = Coalesce(
    NullIf(F("message"), Value("")),
    Case(
        When(state__in=AT_WORK, then=Coalesce(STEP, Value("running"))),
        *(When(state=state.value, then=Value(text)) for state, text in SAYS_NOTHING.items()),
        output_field=TextField(),
    ),
    output_field=TextField(),
)
CODE = Case(
    When(_is_failure & Q(exit_code__gt=LAST_EXIT_STATUS), then=F("exit_code")),
    When(state=State.FAILED.value, then=Value(FAILED)),
    When(state=State.ABORTED.value, then=Value(CANCELLED)),
    default=Value(0),
    output_field=IntegerField(),
)
STATE = Case(*(When(state=state.value, then=Value(word)) for state, word in WORDS.items()), output_field=TextField())
START = Coalesce(F("started_at"), F("finished_at"))
"""What was cancelled before it ran has a start, too: its end."""
EXIT_STATUS = "exit_status"


def _on_failure(value: Any) -> Case:
    return Case(When(_is_failure, then=value), output_field=TextField())


def _on_exit(value: Any) -> Case:
    return Case(When(_is_failure & Q(exit_code__isnull=False), then=value), output_field=TextField())


def _error(row: Row, _prefix: Prefix) -> dict[str, Any] | None:
    """Equal to message and code, but its codes are texts."""
    if row["state"] not in FAILURES:
        return None
    error = {"message": row["shown_message"], "code": str(row["shown_code"])}
    if row["exit_code"] is None:
        return error
    return {**error, "arguments": [{"code": EXIT_STATUS, "message": str(row["exit_code"])}]}


def _svm(row: Row, prefix: Prefix) -> dict[str, Any]:
    svm: dict[str, Any] = {"name": row["project__name"], "uuid": str(row["project__uuid"])}
    return svm if prefix is None else {**svm, "_links": link(f"{prefix}{SVMS.path}/{svm['uuid']}")}


JOBS = Resource(
    path="api/cluster/jobs",
    keys=("uuid",),
    members={
        "uuid": Member(("uuid",), lambda row, _: str(row["uuid"])),
        "description": Member(("job_name",), lambda row, _: row["job_name"]),
        "state": Member(("state",), lambda row, _: WORDS[State(row["state"])]),
        "message": Member(("shown_message",), lambda row, _: row["shown_message"]),
        "code": Member(("shown_code",), lambda row, _: row["shown_code"]),
        "start_time": Member(
            ("started_at", "finished_at"), lambda row, _: ontap_time(row["started_at"] or row["finished_at"])
        ),
        "end_time": Member(("finished_at",), lambda row, _: ontap_time(row["finished_at"])),
        "error": Member(("state", "shown_message", "shown_code", "exit_code"), _error),
        "svm": Member(("project__name", "project__uuid"), _svm),
        "node": Member(("node",), lambda row, _: {"name": row["node"]} if row["node"] else None),
    },
    computed={"shown_message": MESSAGE, "shown_code": CODE},
    on_wish=frozenset({"node"}),
    fields=(
        Field("uuid", Uuid(), F("uuid")),
        Field("description", Text(), Bytewise(F("job_name"))),
        Field("state", StateWord(STATES), STATE),
        Field("message", Text(), Bytewise(MESSAGE)),
        Field("code", Integer(), CODE),
        Field("start_time", Time(), START),
        Field("end_time", Time(), F("finished_at")),
        Field("error.message", Text(), Bytewise(_on_failure(MESSAGE))),
        Field("error.code", Text(), Bytewise(_on_failure(Cast(CODE, TextField())))),
        Field("error.target"),
        Field("error.arguments.code", Text(), Bytewise(_on_exit(Value(EXIT_STATUS)))),
        Field("error.arguments.message", Text(), Bytewise(_on_exit(Cast(F("exit_code"), TextField())))),
        Field("svm.name", Text(), Bytewise(F("project__name"))),
        Field("svm.uuid", Uuid(), F("project__uuid")),
        Field("node.name", Text(), Bytewise(NullIf(F("node"), Value("")))),
    ),
)
ROWS = ExecutionRows(
    "project_id", *(name for name in JOBS.columns(JOBS.whole) if name not in JOBS.computed), **JOBS.computed
)


def find(uuid: str, actor: Actor) -> Row:
    """A job that the actor may see. Raises `Refused` for an unknown, a foreign and an expired one alike."""
    try:
        row = ROWS.find(uuid, actor)
    except NotFound:
        raise no_entry() from None
    if not is_shown(row["finished_at"]):
        raise no_entry()
    return row

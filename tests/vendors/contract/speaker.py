"""How the contract suite speaks to a face. Each face has one in `tests/vendors/<face>/speaker.py`, called `SPEAKER`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jobs.models import Job, JobExecution
from jobs.states import State
from vendors.wire.problems import Kind


@dataclass(frozen=True)
class Call:
    """One request. Paths are the vendor's own, at the server's root."""

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """The few things that every face can do, in its own words."""

    job: dict[str, Any] = field(default_factory=dict)
    """Fields that a job needs to be shown here, beside its name and a no-op action."""
    prepare: Callable[[Job], None] | None = None
    """What else has to be there for a job to be shown here."""
    one: Callable[[JobExecution], str]
    """The path of an execution (or of its job, where a face shows a job by its last run)."""
    id_of: Callable[[JobExecution], str]
    """Its id, as this face writes it."""
    id_in: Callable[[Any], str]
    """The id in the body of `one`."""
    word_in: Callable[[Any], str]
    """The state in the body of `one`, as `VENDOR.states` names it."""
    times_in: Callable[[Any], list[Any]]
    """The times in the body of `one`, as they are written there."""
    is_time: Callable[[Any], bool]
    """Whether something is written as the vendor writes times."""
    all: Callable[[], str]
    """The path of the list that shows executions, or jobs, of every state in `listed`."""
    ids_in: Callable[[Any], list[str]]
    """The ids in the body of `all`, in its order."""
    listed: frozenset[State] = frozenset(State)
    unknown: str
    """The path of an execution that does not exist."""
    foreign: Kind = Kind.NOT_FOUND
    """What is said of an execution of somebody else's project."""
    no_route: tuple[str, ...]
    """Paths that the face owns and does not know."""
    wrong_method: Call
    trigger: Callable[[Job], Call] | None = None
    """`None`: this face starts nothing."""
    triggered: int = 200
    """The status of a trigger's answer."""
    abort: Callable[[JobExecution], Call] | None = None
    aborted: int = 200
    abort_of_ended: int = 200
    """The status of an abort that comes too late."""
    malformed: Call | None = None
    """A call that takes a JSON body; it is sent with a broken one."""

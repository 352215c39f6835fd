"""What can go wrong with a request, in kinds that every face has a status and a code for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from jobs.errors import FieldError


class Kind(StrEnum):
    """Why a request was not done. Each vendor's statuses and codes are total maps from these."""

    INVALID = "invalid"
    """A field or parameter has a value that cannot be; `fields` names them."""
    MALFORMED = "malformed"
    """The request cannot be read at all: broken JSON, a bad header."""
    UNAUTHENTICATED = "unauthenticated"
    """There are no credentials, or wrong ones."""
    FORBIDDEN = "forbidden"
    """The credentials are good, their rights do not suffice."""
    NOT_FOUND = "not_found"
    """There is no such thing, or it belongs to somebody else."""
    NO_ROUTE = "no_route"
    """No such path below the face's mounts."""
    METHOD = "method"
    """The path is known, the method is not one of its."""
    CONFLICT = "conflict"
    """The thing's state does not allow it."""
    HELD = "held"
    """The job is on hold."""
    BUSY = "busy"
    """The job is already active."""
    ILLEGAL_MOVE = "illegal_move"
    """The execution cannot go from its state to the wanted one."""
    STALE = "stale"
    """`If-Match` names a version that is no longer the newest."""
    TOO_LARGE = "too_large"
    """The body is larger than `JOBHUB_MAX_BODY`."""
    MEDIA_TYPE = "media_type"
    """The body is of a type that the face does not read."""
    THROTTLED = "throttled"
    """Too many unverified passwords at once."""
    UNAVAILABLE = "unavailable"
    """The database is away."""
    BUG = "bug"
    """The hub's own fault; the log has the traceback."""


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong. `headers` go into the answer whatever the face."""

    kind: Kind
    detail: str
    fields: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    """The path that was asked for."""
    method: str = ""
    uri: str = ""
    """The path with its query, as it was asked."""
    allowed: tuple[str, ...] = ()
    """The methods that the path takes, where the asked one is none of them."""
    user: str = ""
    """Who asked, as far as that was known by then."""


@dataclass(frozen=True)
class ErrorRow:
    """What a face says to one kind of problem."""

    status: int
    code: str
    """In the vendor's own numbering or words."""
    title: str = ""
    reason: str = ""
    """The reason phrase of a status that HTTP does not know."""


PLAIN: Mapping[Kind, ErrorRow] = {
    Kind.INVALID: ErrorRow(400, ""),
    Kind.MALFORMED: ErrorRow(400, ""),
    Kind.UNAUTHENTICATED: ErrorRow(401, ""),
    Kind.FORBIDDEN: ErrorRow(403, ""),
    Kind.NOT_FOUND: ErrorRow(404, ""),
    Kind.NO_ROUTE: ErrorRow(404, ""),
    Kind.METHOD: ErrorRow(405, ""),
    Kind.CONFLICT: ErrorRow(409, ""),
    Kind.HELD: ErrorRow(409, ""),
    Kind.BUSY: ErrorRow(409, ""),
    Kind.ILLEGAL_MOVE: ErrorRow(409, ""),
    Kind.STALE: ErrorRow(412, ""),
    Kind.TOO_LARGE: ErrorRow(413, ""),
    Kind.MEDIA_TYPE: ErrorRow(400, ""),
    Kind.THROTTLED: ErrorRow(429, ""),
    Kind.UNAVAILABLE: ErrorRow(503, ""),
    Kind.BUG: ErrorRow(500, ""),
}
"""HTTP's own statuses, for vendors that document no errors."""


def total(table: Mapping[Kind, ErrorRow]) -> Mapping[Kind, ErrorRow]:
    """The table, if it has a row for every kind. Raises `ValueError` that names the missing ones."""
    if missing := set(Kind) - set(table):
        raise ValueError(f"no row for: {', '.join(sorted(missing))}")
    return table

"""What ONTAP says when it refuses: statuses, codes, texts and targets.

Sources: the reference of /cluster/jobs (9.6 to 9.17) for the codes of jobs; "Interpret an ONTAP REST API response" for
1 to 8; captures from clusters for 262179, 262197 and 6691623 (November 2026).
"""

from typing import Any

SHOWN = 200
"""Characters of a wrong value that are repeated to the client."""

TERMINAL = "458762"
RUNNING = "458771"
NOT_RUNNING = "458776"
NO_PAUSE = "458783"
NO_CANCEL = "458784"
OF_JOBS = {
    TERMINAL: "Job is already in a terminal state.",
    RUNNING: "The specified job is running.",
    NOT_RUNNING: "The specified job is not currently running.",
    NO_PAUSE: "This job does not support pause.",
    NO_CANCEL: "This job does not support cancel.",
}


class Refused(Exception):
    """A request that ONTAP would refuse with a code of its own."""

    def __init__(self, status: int, code: str, message: str, target: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = error_json(code, message, target)


def error_json(code: str, message: str, target: str = "") -> dict[str, Any]:
    """One error; its code is a text (Trident, cinder and manila compare texts)."""
    error = {"message": message, "code": code}
    return {"error": {**error, "target": target} if target else error}


def invalid(value: str, field: str, wanted: str) -> Refused:
    """A value that the field or parameter cannot have; `wanted` is its type in ONTAP's words."""
    return Refused(400, "2", f'"{_cut(value)}" is an invalid value for field "{_cut(field)}" (<{wanted}>)', field)


def invalid_in_path(value: str, field: str, wanted: str) -> Refused:
    """The same for a part of the path: recorded as a 404."""
    refused = invalid(value, field, wanted)
    refused.status = 404
    return refused


def no_entry(target: str = "uuid") -> Refused:
    """There is no such object, or none that the user may see."""
    return Refused(404, "4", "entry doesn't exist", target)


def unknown_name(value: str, parameter: str) -> Refused:
    """A name that is none of the object's fields, in a parameter that takes such names."""
    return Refused(400, "262197", f'The value "{_cut(value)}" is invalid for field "{parameter}"', parameter)


def unexpected(name: str, *, status: int = 400) -> Refused:
    """A parameter that the call does not take; as a part of the path it is a 404."""
    return Refused(status, "262179", f'Unexpected argument "{_cut(name)}".')


def not_settable(name: str) -> Refused:
    """A field in the body that cannot be set."""
    return Refused(400, "262196", f'Field "{_cut(name)}" cannot be set in this operation', _cut(name))


def no_delimiter() -> Refused:
    """A parameter without `=`."""
    return Refused(400, "262248", "Unexpected parameter missing a delimiter.")


def of_job(code: str) -> Refused:
    """The job's state, or its kind, does not allow the action."""
    return Refused(409, code, OF_JOBS[code])


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"

"""What the documents of Freezer's clients must be like: JSON schemas, and the first thing that is wrong in its words.

The patterns and the order are the server's (freezer-api 19.0.0): its texts quote them.
"""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft4Validator, ValidationError
from jsonschema.validators import extend

from vendors.freezer.errors import bad_format

ID_CHARS = 36
TEXT_CHARS = 255
SMALL = 2**31 - 1
ID = {"type": "string", "pattern": r"^[\w-]+$"}
HOST = r"(?:[a-zA-Z\d]|[a-zA-Z\d][a-zA-Z\d\-]{0,61}[a-zA-Z\d])"
CLIENT_ID = {"type": "string", "pattern": rf"^(?:([\w\-]+)\_)?{HOST}(\.{HOST})*$"}
INTEGER = {"type": "integer"}
TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
DATE = {
    "type": "string",
    "pattern": (
        r"^(-?(?:[1-9][0-9]*)?[0-9]{4})-(1[0-2]|0[1-9])-(3[01]|0[1-9]|[12][0-9])T(2[0-3]|[01][0-9]):([0-5][0-9]):"
        r"([0-5][0-9])(\.[0-9]+)?(Z|[+-](?:2[0-3]|[01][0-9]):[0-5][0-9])?$"
    ),
}
SCHEDULE = {
    "type": "object",
    "properties": {
        "time_created": INTEGER,
        "time_started": INTEGER,
        "time_ended": INTEGER,
        "event": {"type": "string", "enum": ["", "stop", "start", "abort", "remove"]},
        "status": {
            "type": "string",
            "enum": ["", "completed", "stop", "scheduled", "running", "aborting", "removed"],
        },
        "result": {"type": "string", "enum": ["", "success", "fail", "aborted"]},
        "schedule_date": DATE,
        "schedule_interval": {
            "type": "string",
            "pattern": r"^(continuous|(\d+ +(weeks|days|hours|minutes|seconds)))$",
        },
        "schedule_start_date": DATE,
        "schedule_end_date": DATE,
        "schedule_year": {"type": "string", "pattern": r"^\d{4}$"},
        **{f"schedule_{name}": TEXT for name in ("month", "day", "week", "day_of_week", "hour", "minute", "second")},
        "current_pid": INTEGER,
    },
    "additionalProperties": False,
}
ACTIONS = ["backup", "restore", "info", "admin", "exec"]
MODES = ["fs", "mongo", "mysql", "sqlserver", "cinder", "glance", "cindernative", "nova"]
FREEZER_ACTION = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": ACTIONS},
        "mode": {"enum": [*MODES, None]},
        "path_to_backup": MAYBE_TEXT,
        "backup_name": MAYBE_TEXT,
        "container": MAYBE_TEXT,
        "restore_abs_path": MAYBE_TEXT,
        "cindernative_freezer_only": {"type": ["boolean", "null"]},
    },
    "additionalProperties": True,
    "required": ["action"],
}
OF_ACTION = {
    "freezer_action": FREEZER_ACTION,
    "max_retries": INTEGER,
    "max_retries_interval": INTEGER,
    "mandatory": {"type": "boolean"},
    "action_id": ID,
}
OF_JOB = {
    "job_actions": {
        "type": "array",
        "items": {"type": "object", "properties": OF_ACTION, "additionalProperties": True},
    },
    "job_schedule": SCHEDULE,
    "job_id": ID,
    "client_id": CLIENT_ID,
    "session_id": {"type": ["string", "null"], "pattern": r"^[\w-]*$"},
    "session_tag": INTEGER,
    "session_name": MAYBE_TEXT,
    "user_id": {"type": ["string", "null"]},
    "project_id": {"type": ["string", "null"]},
    "description": MAYBE_TEXT,
    "_version": INTEGER,
    "action_defaults": {"type": "object"},
    "user_credentials": {"type": ["object", "null"]},
}
LISTS = {
    f"supported_{name}": {"type": ["array", "null"], "items": TEXT}
    for name in ("actions", "modes", "storages", "engines")
}


def _object(properties: dict[str, Any], *required: str, more: bool = True) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "additionalProperties": more}
    return {**schema, "required": list(required)} if required else schema


def _pattern(_validator: Any, pattern: str, text: Any, _schema: Any) -> Iterator[ValidationError]:
    """As a pattern means it: `$` is the end, not a place before a last line feed."""
    if isinstance(text, str) and (text.endswith("\n") or not re.search(pattern, text)):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


STRICT = extend(Draft4Validator, {"pattern": _pattern})
JOB = STRICT(_object(OF_JOB, "job_actions", "job_schedule", "client_id", more=False))
JOB_PATCH = STRICT(_object(OF_JOB, more=False))
ACTION = STRICT(_object(OF_ACTION, "freezer_action"))
ACTION_PATCH = STRICT(_object(OF_ACTION))
CLIENT = STRICT(
    _object(
        {
            "client_id": CLIENT_ID,
            "hostname": MAYBE_TEXT,
            "description": MAYBE_TEXT,
            "uuid": MAYBE_TEXT,
            "is_central": {"type": ["boolean", "null"]},
            **LISTS,
        },
        "client_id",
    )
)
OF_SESSION = {
    "session_id": ID,
    "schedule": SCHEDULE,
    "description": MAYBE_TEXT,
    "hold_off": INTEGER,
    "session_tag": INTEGER,
}
SESSION = STRICT(_object(OF_SESSION, "schedule"))
SESSION_PATCH = STRICT(_object(OF_SESSION))


def check(schema: Any, document: Any) -> None:
    """Raises `Refusal` with the first line of what is wrong first."""
    error = next(schema.iter_errors(document), None)
    if error is not None:
        raise bad_format(error.message.splitlines()[0])


def check_sizes(document: dict[str, Any]) -> None:
    """What its database could not keep: the server has an error of its own then."""
    for name in ("job_id", "action_id", "session_id", "uuid"):
        _check_chars(document, name, ID_CHARS)
    for name in ("client_id", "description", "hostname"):
        _check_chars(document, name, TEXT_CHARS)
    for name in ("session_tag", "hold_off", "max_retries", "max_retries_interval"):
        if isinstance(number := document.get(name), int) and abs(number) > SMALL:
            raise bad_format(f"{number} of {name} is out of range")


def _check_chars(document: dict[str, Any], name: str, longest: int) -> None:
    if len(str(document.get(name) or "")) > longest:
        raise bad_format(f"{name} must not be longer than {longest} characters")

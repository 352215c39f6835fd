"""A consumer as strict as the Go clients: Trident, Harvest and ontap-mcp decode into structs with types.

A JSON null, a number where a text is wanted, or a time that is not RFC 3339 to the letter ends their decoding.
"""

import re
from collections.abc import Callable
from typing import Any

DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
RFC3339 = re.compile(rf"{DATE}T{CLOCK}:[0-5]\d(\.\d+)?(Z|[+-]{CLOCK})")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STATES = ("queued", "running", "paused", "success", "failure")
Check = Callable[[Any, str], None]


class Undecodable(Exception):
    """A Go client would give up here."""


def text(value: Any, where: str) -> None:
    _must(isinstance(value, str) and value != "", value, where)


def integer(value: Any, where: str) -> None:
    _must(type(value) is int and -(2**63) <= value < 2**63, value, where)


def time(value: Any, where: str) -> None:
    _must(isinstance(value, str) and RFC3339.fullmatch(value) is not None, value, where)


def uuid(value: Any, where: str) -> None:
    _must(isinstance(value, str) and UUID.fullmatch(value) is not None, value, where)


def state(value: Any, where: str) -> None:
    _must(value in STATES, value, where)


def href(value: Any, where: str) -> None:
    _must(isinstance(value, str) and value.startswith("/api/"), value, where)


def struct(**fields: Check) -> Check:
    """An object with some of these members, and no others."""

    def check(value: Any, where: str) -> None:
        _must(isinstance(value, dict), value, where)
        for name, inner in value.items():
            _must(name in fields, name, where)
            fields[name](inner, f"{where}.{name}")

    return check


def several(of: Check) -> Check:
    def check(value: Any, where: str) -> None:
        _must(isinstance(value, list), value, where)
        for number, one in enumerate(value):
            of(one, f"{where}[{number}]")

    return check


LINKS = struct(self=struct(href=href), next=struct(href=href))
ERROR = struct(message=text, code=text, target=text, arguments=several(struct(code=text, message=text)))
_JOB = struct(
    uuid=uuid,
    description=text,
    state=state,
    message=text,
    code=integer,
    start_time=time,
    end_time=time,
    error=ERROR,
    svm=struct(name=text, uuid=uuid, _links=LINKS),
    node=struct(name=text),
    _links=LINKS,
)
REFUSAL = struct(error=ERROR)
COLLECTION = struct(records=several(_JOB), num_records=integer, _links=LINKS)
ACCEPTED = struct(job=struct(uuid=uuid, _links=LINKS))


def job(value: Any, where: str = "job") -> None:
    """One job, with what every loop that waits for it looks at."""
    _JOB(value, where)
    if value.get("state") == "failure" and {"code", "message"} & set(value):
        _must(value.get("code") != 0, value, where)
    if {"error", "message", "code"} <= set(value):
        error = value["error"]
        _must(error["message"] == value["message"] and error["code"] == str(value["code"]), error, where)


def _must(is_so: bool, value: Any, where: str) -> None:
    if not is_so:
        raise Undecodable(f"{where}: {value!r}")

"""A `PATCH` of a whole collection: which jobs it selects, and what is done to them."""

from dataclasses import dataclass
from typing import Any, Self

from vendors.ontap.actions import chosen
from vendors.ontap.jobs import JOBS
from vendors.ontap.order import KEY
from vendors.ontap.parameters import LONGEST_TIMEOUT_S, START, Condition, Parameters, conditions
from vendors.ontap.problems import invalid, not_settable, unexpected
from vendors.ontap.query.kinds import Uuid, read_uuid

KNOWN = frozenset(
    {"action", "continue_on_failure", "ignore_unknown_fields", "return_records", "return_timeout", "serial_records"}
)
AT_ONCE = 1000
"""So many jobs are patched by one request; the answer links to the rest."""
RECORDS = "records"


@dataclass(frozen=True)
class Patch:
    """What is asked for. The jobs are selected by queries, or named by the records in the body, or both."""

    action: str | None
    queries: list[Condition]
    named: list[Any] | None
    start: Any
    """The uuid at which it goes on."""
    goes_on: bool
    """After a failure."""
    returns_records: bool

    @classmethod
    def read(cls, parameters: Parameters, body: dict[str, Any]) -> Self:
        """Raises `Refused`; also when nothing is selected: a forgotten query would mean every job."""
        parameters.flag("serial_records", default=False)
        parameters.number("return_timeout", default=0, low=0, high=LONGEST_TIMEOUT_S)
        asked = cls(
            action=chosen(parameters),
            queries=conditions(parameters, JOBS, KNOWN),
            named=_named(body),
            start=_start(parameters),
            goes_on=parameters.flag("continue_on_failure", default=False),
            returns_records=parameters.flag("return_records", default=False),
        )
        if not asked.queries and asked.named is None:
            raise invalid("", "query", "at least one field of the jobs to change")
        return asked


def _start(parameters: Parameters) -> Any:
    for name in parameters.start:
        if name != KEY:
            raise unexpected(f"{START}{name}")
    text = parameters.start.get(KEY)
    return None if text is None else _uuid(text, f"{START}{KEY}")


def _named(body: dict[str, Any]) -> list[Any] | None:
    """The uuids in `{"records": [{"uuid": …}]}`, as `Job.patch_collection(records=…)` sends them."""
    for name in body:
        if name != RECORDS:
            raise not_settable(name)
    if RECORDS not in body:
        return None
    records = body[RECORDS]
    if not isinstance(records, list) or not 0 < len(records) <= AT_ONCE:
        raise invalid(type(records).__name__, RECORDS, f"1..{AT_ONCE} objects")
    return [_named_by(record) for record in records]


def _named_by(record: Any) -> Any:
    if not isinstance(record, dict) or not isinstance(record.get(KEY), str):
        raise invalid(type(record).__name__, RECORDS, "objects with a uuid")
    for name in record:
        if name != KEY:
            raise not_settable(name)
    return _uuid(record[KEY], KEY)


def _uuid(text: str, field: str) -> Any:
    try:
        return read_uuid(text)
    except ValueError:
        raise invalid(text, field, Uuid.wanted) from None

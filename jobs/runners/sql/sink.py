"""What a target of an ingestion promises, and what becomes of records that it does not take."""

from typing import Protocol

from jobs.errors import RunFailed
from jobs.runners.context import Context
from jobs.runners.sql.place import Place
from jobs.runners.sql.values import Record

MAX_TOLD = 20
MAX_REASON_CHARS = 500


class Drops:
    """Records that could not be written: told, counted, and too many of them end the run."""

    def __init__(self, context: Context, max_errors: int, already: int = 0) -> None:
        self.count = already
        self._context = context
        self._max = max_errors

    def drop(self, record: Record, reason: str, key: str | None = None) -> None:
        self.count += 1
        which = f"record with {key} {record.get(key)!s:.100}" if key in record else "a record"
        text = f"{which} cannot be written: {reason:.{MAX_REASON_CHARS}}"
        if self.count > self._max:
            if self._max == 0:
                raise RunFailed(text)
            raise RunFailed(f"{self.count} records could not be written (max_errors is {self._max})", causes=[text])
        if self.count <= MAX_TOLD:
            self._context.log(f"dropped: {text}\n", "hub")


class Sink(Protocol):
    """Takes records. What was committed stays whatever happens; what was not is undone, at the latest by the next
    `start`."""

    def start(self, place: Place | None) -> Place:
        """The place that the target really is at: its own memory wins over the given one.

        Nothing behind that place is in the target afterwards.
        """
        ...

    def write(self, records: list[Record]) -> None:
        """Each with the same fields. Raises `RunFailed` for one that it cannot take, unless some may be dropped."""
        ...

    def commit(self, place: Place) -> Place:
        """Make all that was written last, and remember the place. Returns the place as it is to be kept."""
        ...

"""Where an incremental run goes on, and whether the rows come in an order that allows it."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from operator import lt
from typing import Any
from uuid import UUID

from jobs.errors import RunFailed
from jobs.runners.sql.values import Row, Unwritable, freeze, text_of, thaw

MAX_KEY = "max_primary_key"
LAST_RECORD = "last_record"
TIMESTAMP = "last_record_timestamp"
UNORDERED = (list, dict)
ORDERED = {int, bytes, date, UUID}
"""Of these any two can be compared."""


@dataclass(frozen=True)
class Place:
    """How far a target is. It is kept on the job, and in the target where that can keep it."""

    stream: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Which series of runs this is: a new one for every fresh start."""
    offset: int | None = None
    """The length of a file whose content is known."""
    max_key: Any = None
    last_record: dict[str, Any] = field(default_factory=dict)
    """Only the columns that the query asks for."""
    timestamp: str | None = None
    """When the last run that came to its end began."""
    execution: str = ""
    count: int = 0
    """Rows of that execution, over all its attempts."""
    dropped: int = 0
    volume_bytes: int = 0
    """About what these rows are long."""

    def value(self, name: str) -> Any:
        """Of a variable of the query; `None` while there is none."""
        if name == MAX_KEY:
            return self.max_key
        if name == TIMESTAMP:
            return None if self.timestamp is None else datetime.fromisoformat(self.timestamp)
        if name == LAST_RECORD:
            return self.last_record or None
        return self.last_record.get(name.removeprefix(f"{LAST_RECORD}."))

    def to_json(self) -> dict[str, Any]:
        frozen = {name: freeze(value) for name, value in self.last_record.items()}
        return {
            "stream": self.stream,
            "offset": self.offset,
            MAX_KEY: freeze(self.max_key),
            LAST_RECORD: frozen,
            TIMESTAMP: self.timestamp,
            "execution": self.execution,
            "count": self.count,
            "dropped": self.dropped,
            "volume_bytes": self.volume_bytes,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Place":
        return cls(
            stream=raw["stream"],
            offset=raw["offset"],
            max_key=thaw(raw[MAX_KEY]),
            last_record={name: thaw(value) for name, value in raw[LAST_RECORD].items()},
            timestamp=raw[TIMESTAMP],
            execution=raw["execution"],
            count=raw["count"],
            dropped=raw["dropped"],
            volume_bytes=raw.get("volume_bytes", 0),
        )


class Walk:
    """Goes over the rows of a query, batch by batch, and knows the place behind the last one.

    `order` are the names of the variables that say where to go on. With them the rows must come in strictly
    increasing order of these columns; the first ones may repeat what the place already holds. Texts are compared only
    for equality: every database sorts them by rules of its own.
    """

    def __init__(self, columns: list[str], *, pk_field: str | None, order: Iterable[str], place: Place) -> None:
        self.place = place
        self.skipped = 0
        self._last_row: Row | None = None
        self._order = [(name, self._index(name, columns, pk_field)) for name in order]
        self._key = columns.index(pk_field) if pk_field in columns else None
        if pk_field is not None and self._key is None:
            raise RunFailed(f"the query gives no column {pk_field!r} (pk_field); it gives {', '.join(columns)}")
        self._names = ", ".join(columns[index] for _, index in self._order)
        self._last = self._resumed() if self._order else None
        self._has_moved = self._last is None

    @staticmethod
    def _index(name: str, columns: list[str], pk_field: str | None) -> int:
        column = pk_field if name == MAX_KEY else name.removeprefix(f"{LAST_RECORD}.")
        if column in columns:
            return columns.index(column)
        if column and column.isdigit() and int(column) < len(columns):
            return int(column)
        raise RunFailed(f"the query gives no column {column!r}; it gives {', '.join(columns)}")

    def _resumed(self) -> Row | None:
        values = tuple(self.place.value(name) for name, _ in self._order)
        return None if any(value is None for value in values) else values

    def take(self, rows: list[Row], size_bytes: int = 0) -> list[Row]:
        """The rows that are new; afterwards the place is behind them. All of them together are so long."""
        fresh = rows
        if self._order and not self._are_plainly_new(rows):
            fresh = [row for row in rows if self._is_new(row)]
        if fresh:
            self._move(fresh, size_bytes)
        return fresh

    def last_id(self) -> str | None:
        """The key of the newest row, for people."""
        if self._key is None or self._last_row is None:
            return None
        return text_of(self._last_row[self._key])

    def _are_plainly_new(self, rows: list[Row]) -> bool:
        """The usual case at a tenth of the cost: one column, of one type that has an order."""
        if len(self._order) > 1:
            return False
        keys = [row[self._order[0][1]] for row in rows]
        kinds = set(map(type, keys if self._last is None else [*keys, self._last[0]]))
        if len(kinds) > 1 or kinds.isdisjoint(ORDERED) or not all(map(lt, keys, keys[1:])):
            return False
        if self._last is not None and not self._last[0] < keys[0]:
            return False
        self._last, self._has_moved = (keys[-1],), True
        return True

    def _is_new(self, row: Row) -> bool:
        key = tuple(row[index] for _, index in self._order)
        if None in key:
            raise RunFailed(f"a row has no value in {self._names}, so it has no place in the order")
        is_new = self._last is None or _is_after(key, self._last, self._names)
        if not is_new and self._has_moved:
            raise RunFailed(self._disorder(key))
        self.skipped += not is_new
        if is_new:
            self._last, self._has_moved = key, True
        return is_new

    def _disorder(self, key: Row) -> str:
        assert self._last is not None
        if key == self._last:
            return f"two rows have the same {self._names} ({_told(key)}): it must be unique to go on after it"
        return (
            f"the rows do not come in increasing order of {self._names} ({_told(key)} came after {_told(self._last)}): "
            f"add ORDER BY {self._names} to the query"
        )

    def _move(self, fresh: list[Row], size_bytes: int) -> None:
        self._last_row = fresh[-1]
        count, volume_bytes = self.place.count + len(fresh), self.place.volume_bytes + size_bytes
        place = replace(self.place, count=count, volume_bytes=volume_bytes)
        if self._order:
            values = {name: fresh[-1][index] for name, index in self._order}
            key = values.pop(MAX_KEY, place.max_key)
            kept = {name.removeprefix(f"{LAST_RECORD}."): value for name, value in values.items()}
            place = replace(place, max_key=key, last_record=kept)
        elif self._key is not None:
            place = replace(place, max_key=_highest(place.max_key, [row[self._key] for row in fresh]))
        self.place = place


def _is_after(key: Row, last: Row, names: str) -> bool:
    for mine, before in zip(key, last, strict=True):
        if mine == before:
            continue
        if isinstance(mine, str) and isinstance(before, str):
            return True
        try:
            return bool(mine > before)
        except (TypeError, ArithmeticError):
            raise RunFailed(f"the values of {names} cannot be compared: {mine!r:.100} and {before!r:.100}") from None
    return False


def _highest(known: Any, keys: list[Any]) -> Any:
    """Of keys that may come in any order; unordered ones are passed over."""
    for key in keys:
        if key is None or isinstance(key, UNORDERED) or _is_nan(key):
            continue
        try:
            known = key if known is None or key > known else known
        except TypeError:
            known = key
    return known


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | Decimal) and value != value


def _told(key: Row) -> str:
    return ", ".join(f"{text_of(value):.100}" for value in key)


def storable(place: Place) -> dict[str, Any]:
    """As JSON, or `RunFailed` for keys that nothing can go on from."""
    try:
        return place.to_json()
    except Unwritable as error:
        raise RunFailed(str(error)) from None

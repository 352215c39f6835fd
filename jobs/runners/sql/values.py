"""Values of databases as JSON: exact in files and documents, and reversible in a cursor."""

import base64
import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

Row = tuple[Any, ...]
Record = dict[str, Any]

DUMP = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_SUBCLASS


class Unwritable(ValueError):
    """This value cannot be written; the text says why."""


# -- as JSON -----------------------------------------------------------------------------------------------------------
def dump(record: Any) -> bytes:
    """A record, or any value, as JSON.

    Times are RFC 3339 (without an offset when the database gave none), bytes Base64, decimals and whole numbers of any
    size exact numbers; NaN and infinity, which JSON does not know, are null.

    Raises `Unwritable`.
    """
    try:
        return orjson.dumps(record, _default, DUMP)
    except orjson.JSONEncodeError:
        pass
    try:
        return orjson.dumps(_tame(record), _default, DUMP)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise Unwritable(str(error)) from None


def dump_line(record: Record) -> bytes:
    return dump(record) + b"\n"


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value)) if value.is_finite() else None
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, timedelta):
        return clock_text(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int):
        return orjson.Fragment(str(int(value)))
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, tuple):
        return list(value)
    return str(value)


def _tame(value: Any) -> Any:
    """What orjson does not take by itself, anywhere in the value: whole numbers beyond 64 bits, times with a zone."""
    if isinstance(value, dict):
        return {key: _tame(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tame(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return orjson.Fragment(str(value))
    return value.isoformat() if isinstance(value, time) else value


def clock_text(value: timedelta) -> str:
    """A span as databases write their `time`: `-26:03:04.000005`."""
    total = value // timedelta(microseconds=1)
    seconds, micros = divmod(abs(total), 1_000_000)
    text = f"{'-' if total < 0 else ''}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{micros:06}" if micros else text


# -- as text -----------------------------------------------------------------------------------------------------------
def text_of(value: Any) -> str:
    """A key as a person reads it: as in JSON, without quotes."""
    if isinstance(value, str):
        return value
    raw = dump(value).decode()
    return str(json.loads(raw)) if raw.startswith('"') else raw


# -- in a cursor -------------------------------------------------------------------------------------------------------
def freeze(value: Any) -> Any:
    """A value as JSON from which `thaw` makes the very same again; `Unwritable` for what has no order anyway."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float) and math.isfinite(value):
        return {"float": value.hex()}
    if isinstance(value, str):
        return _frozen_text(value)
    for name, (kind, to_text, _) in KINDS.items():
        if type(value) is kind:
            return {name: to_text(value)}
    raise Unwritable(f"a value of the type {type(value).__name__} cannot be a place to go on from")


def thaw(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    [(name, text)] = value.items()
    return READERS[name](text)


def _frozen_text(value: str) -> Any:
    is_plain = "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    return value if is_plain else {"text": base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()}


KINDS: dict[str, tuple[type, Any, Any]] = {
    "decimal": (Decimal, str, Decimal),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "seconds": (timedelta, lambda span: str(span // timedelta(microseconds=1)), lambda text: _span(text)),
    "uuid": (UUID, str, UUID),
    "bytes": (bytes, lambda data: base64.b64encode(data).decode(), base64.b64decode),
}
READERS: dict[str, Any] = {
    "int": int,
    "float": float.fromhex,
    "text": lambda text: base64.b64decode(text).decode("utf-8", "surrogatepass"),
    **{name: reader for name, (_, _, reader) in KINDS.items()},
}


def _span(text: str) -> timedelta:
    return timedelta(microseconds=int(text))

"""Columns of a target table: their types when the table is made, and values as its database wants them."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from jobs.runners.sql.values import Record, clock_text, dump, text_of
from jobs.sources import MYSQL, POSTGRESQL, SQLITE

Adapter = Callable[[Any], Any]
KEY_CHARS = 255
"""MySQL keys need a length."""
Types = dict[str, sa.types.TypeEngine[Any]]


# -- types -------------------------------------------------------------------------------------------------------------
def column_types(records: list[Record], key: str | None, dialect: str) -> Types:
    """The type of each column that holds all its values in these records; text where there is none but NULL."""
    return {name: _type([record[name] for record in records], dialect, is_key=name == key) for name in records[0]}


def _type(values: list[Any], dialect: str, *, is_key: bool) -> sa.types.TypeEngine[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and any(value.bit_length() > 63 for value in values if value is not None):
        kinds = {Decimal}
    if kinds == {int, Decimal}:
        kinds = {Decimal}
    elif len(kinds) > 1 and kinds <= {int, float, Decimal}:
        kinds = {float}
    if kinds == {datetime} and any(value.tzinfo for value in values if value is not None):
        return sa.TIMESTAMP(timezone=True) if dialect == POSTGRESQL else _of(datetime, dialect)
    kind = kinds.pop() if len(kinds) == 1 else str
    return _text(dialect, is_key) if kind is str else _of(kind, dialect)


def _text(dialect: str, is_key: bool) -> sa.types.TypeEngine[Any]:
    if dialect != MYSQL:
        return sa.Text()
    return sa.String(KEY_CHARS, collation="utf8mb4_bin") if is_key else mysql.LONGTEXT(collation="utf8mb4_bin")


def _of(kind: type, dialect: str) -> sa.types.TypeEngine[Any]:
    own = DIALECT_TYPES[dialect].get(kind) or COMMON_TYPES.get(kind)
    return own() if own else _text(dialect, is_key=False)


COMMON_TYPES: dict[type, Callable[[], sa.types.TypeEngine[Any]]] = {
    bool: sa.Boolean,
    int: sa.BigInteger,
    float: sa.Double,
    Decimal: sa.Numeric,
    datetime: sa.DateTime,
    date: sa.Date,
    time: sa.Time,
    bytes: sa.LargeBinary,
}
DIALECT_TYPES: dict[str, dict[type, Callable[[], sa.types.TypeEngine[Any]]]] = {
    POSTGRESQL: {
        UUID: postgresql.UUID,
        timedelta: postgresql.INTERVAL,
        dict: postgresql.JSONB,
        list: postgresql.JSONB,
    },
    MYSQL: {
        datetime: lambda: mysql.DATETIME(fsp=6),
        time: lambda: mysql.TIME(fsp=6),
        timedelta: lambda: mysql.TIME(fsp=6),
        Decimal: lambda: mysql.DECIMAL(65, 20),
        bytes: mysql.LONGBLOB,
        UUID: lambda: sa.String(36),
        dict: sa.JSON,
        list: sa.JSON,
    },
    SQLITE: {int: sa.Integer, dict: sa.Text, list: sa.Text, UUID: sa.Text},
}


# -- values ------------------------------------------------------------------------------------------------------------
def adapters(dialect: str, columns: Types) -> dict[str, Adapter]:
    """For each column, the function that makes a value of any source what this database's driver takes."""
    made = {POSTGRESQL: _for_postgresql, MYSQL: lambda _kind: _for_mysql, SQLITE: lambda _kind: _for_sqlite}[dialect]
    return {name: made(kind) for name, kind in columns.items()}


def _for_postgresql(kind: sa.types.TypeEngine[Any]) -> Adapter:
    from psycopg.types.json import Json, Jsonb

    if isinstance(kind, postgresql.JSONB):
        return lambda value: None if value is None else Jsonb(value, dumps=dump)
    if isinstance(kind, sa.JSON):
        return lambda value: None if value is None else Json(value, dumps=dump)
    if isinstance(kind, sa.Boolean):
        return lambda value: bool(value) if isinstance(value, int) else value
    if isinstance(kind, sa.String):
        return _for_text
    return lambda value: value


def _for_text(value: Any) -> Any:
    """PostgreSQL makes no text of other types by itself."""
    if value is None or isinstance(value, str):
        return value
    return _json_text(value) if isinstance(value, dict | list) else text_of(value)


def _for_mysql(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, dict | list):
        return _json_text(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise ValueError(f"MySQL has no {value}")
    return value


def _for_sqlite(value: Any) -> Any:
    if value is None or isinstance(value, str | bytes | float):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, dict | list):
        return _json_text(value)
    if isinstance(value, timedelta):
        return clock_text(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _json_text(value: Any) -> str:
    return dump(value).decode()

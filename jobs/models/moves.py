"""The conditional UPDATE under every move, written without the ORM's compiler: it is half the cost of a short run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.utils import timezone

from jobs.models.prepared import hot_cursor
from jobs.states import State


@dataclass(frozen=True)
class DatabaseTime:
    """So many seconds from now by the database's clock, which is the one that leases are measured with."""

    seconds: float = 0.0

    def as_sql(self) -> tuple[str, list[Any]]:
        """SQLite has no clock of its own: it is this machine's."""
        if connection.vendor == "postgresql":
            return "STATEMENT_TIMESTAMP() + %s * INTERVAL '1 second'", [self.seconds]
        at = timezone.now() + timedelta(seconds=self.seconds)
        return "%s", [connection.ops.adapt_datetimefield_value(at)]


def due_now() -> datetime:
    """A time that has surely come for the database, too: SQLite's clock tells milliseconds only, and compares them as
    text, in which `.123` comes before `.123000`."""
    now = timezone.now() - timedelta(milliseconds=1)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def update_row(
    model: type[models.Model],
    pk: int,
    *,
    states: Iterable[State],
    fence: int | None,
    lease_is_over: bool,
    fields: Mapping[str, Any],
) -> int | None:
    """Set fields of one row and count its version up, if its state, its attempt and its lease are as wanted.

    Returns the new version, `None` when the row is not so.
    """
    sets, params = ["version = version + 1"], []
    for name, value in fields.items():
        field = model._meta.get_field(name)
        sql, values = _value(field, value)
        sets.append(f"{field.column} = {sql}")  # type: ignore[union-attr]
        params += values
    wanted = ", ".join(f"'{state.value}'" for state in states)
    where, params = f"id = %s AND state IN ({wanted})", [*params, pk]
    if fence is not None:
        where, params = f"{where} AND attempt = %s", [*params, fence]
    if lease_is_over:
        now, values = DatabaseTime().as_sql()
        where, params = f"{where} AND lease_until < {now}", [*params, *values]
    with hot_cursor() as cursor:
        table = model._meta.db_table
        cursor.execute(f"UPDATE {table} SET {', '.join(sets)} WHERE {where} RETURNING version", params)
        rows = cursor.fetchall()
    return rows[0][0] if rows else None


def _value(field: Any, value: Any) -> tuple[str, list[Any]]:
    if isinstance(value, DatabaseTime):
        return value.as_sql()
    return "%s", [field.get_db_prep_save(value, connection)]

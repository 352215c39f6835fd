"""Hot reads and inserts, compiled once: the ORM's compiler costs ten times what the database does for one row."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Expression, Model

Row = dict[str, Any]
Converter = Callable[[Any, Any, Any], Any]
M = TypeVar("M", bound=Model)


def hot_cursor() -> Any:
    """A cursor for SQL that is asked again and again: PostgreSQL parses and plans it once in each connection.

    Not for the ORM's own, which does not always survive parameters bound by the server (GROUP BY an expression).
    """
    if connection.vendor != "postgresql":
        return connection.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor  # loads psycopg

    connection.ensure_connection()
    raw = connection.connection
    usual, raw.cursor_factory = raw.cursor_factory, ServerBindingCursor
    try:
        return connection.cursor()
    finally:
        raw.cursor_factory = usual


class Parameter(Expression):
    """The place of a value in a query that is compiled before the value is known."""

    def __init__(self, field: Any, index: int) -> None:
        super().__init__(output_field=field)
        self.index = index

    def adapted(self, values: Sequence[Any]) -> Any:
        """Its value as the database takes it."""
        return self.output_field.get_db_prep_value(values[self.index], connection)

    def as_sql(self, compiler: Any, connection: Any) -> Any:  # noqa: ARG002
        return "%s", [self]


@dataclass(frozen=True)
class Compiled:
    sql: str
    params: tuple[Any, ...]
    names: tuple[str, ...]
    converters: tuple[tuple[int, Sequence[Converter], Any], ...]


class Prepared:
    """A read of the rows that some lookups select. Its SQL and converters are made once in each thread.

    `rows` is a query that ends in `values(…)`; what it is filtered by beside the lookups stays as it was. `limit`: no
    more than so many of them. `for_share`: nobody can change them before this transaction ends; on SQLite there is one
    writer anyway.
    """

    def __init__(self, rows: Any, *lookups: str, limit: int | None = None, for_share: bool = False) -> None:
        self._rows = rows
        self._lookups = lookups
        self._limit = limit
        self._for_share = for_share
        self._local = threading.local()

    def first(self, *values: Any) -> Row | None:
        """The row with these values, if there is one."""
        return next(iter(self.all(*values)), None)

    def all(self, *values: Any) -> list[Row]:
        """The rows with these values, read afresh; what is read is converted as the ORM does it."""
        compiled = self._compiled()
        params = [one.adapted(values) if isinstance(one, Parameter) else one for one in compiled.params]
        with hot_cursor() as cursor:
            cursor.execute(compiled.sql, params)
            return [_converted(list(row), compiled) for row in cursor.fetchall()]

    def _compiled(self) -> Compiled:
        compiled: Compiled | None = getattr(self._local, "compiled", None)
        if compiled is None:
            compiled = self._local.compiled = self._compile()
        return compiled

    def _compile(self) -> Compiled:
        rows = self._rows.filter(**{name: self._parameter(name, i) for i, name in enumerate(self._lookups)})
        rows = rows if self._limit is None else rows[: self._limit]
        compiler = rows.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        is_locked = self._for_share and connection.vendor == "postgresql"
        expressions = [column[0] for column in compiler.select]
        converters = compiler.get_converters(expressions)
        return Compiled(
            sql=f"{sql} FOR SHARE" if is_locked else sql,
            params=tuple(params),
            names=tuple(rows.query.selected),
            converters=tuple((index, *found) for index, found in converters.items()),
        )

    def _parameter(self, lookup: str, index: int) -> Parameter:
        return Parameter(self._rows.model._meta.get_field(lookup.partition("__")[0]), index)


def _converted(row: list[Any], compiled: Compiled) -> Row:
    for index, converters, expression in compiled.converters:
        for convert in converters:
            row[index] = convert(row[index], expression, connection)
    return dict(zip(compiled.names, row, strict=True))


def columns(model: type[Model], prefix: str = "") -> list[str]:
    """What `instance` needs, for `values(…)`."""
    return [f"{prefix}{field.attname}" for field in model._meta.concrete_fields]


def instance(model: type[M], row: Row, prefix: str = "") -> M:
    """An instance from a row that has its columns."""
    names = columns(model)
    return model.from_db("default", names, [row[f"{prefix}{name}"] for name in names])


def insert(new: Model) -> None:
    """`new.save(force_insert=True)` for a model without signals and parents, at half its cost.

    What is empty is left out: a statement of many values is slow to prepare.
    """
    model = type(new)
    values = [(field, field.pre_save(new, True)) for field in _fields(model)]
    given = [(field, value) for field, value in values if value is not None]
    with hot_cursor() as cursor:
        params = [field.get_db_prep_save(value, connection) for field, value in given]
        cursor.execute(_insert_sql(model, tuple(field.column for field, _ in given)), params)
        new.pk = cursor.fetchone()[0]
    new._state.adding, new._state.db = False, connection.alias


def insert_all(rows: Sequence[Model]) -> None:
    """The same for rows of one model in one statement, whose ids nobody needs."""
    model = type(rows[0])
    fields = _fields(model)
    params = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields]
    head = _insert_head(model, tuple(field.column for field in fields))
    with hot_cursor() as cursor:
        cursor.execute(f"{head} VALUES {', '.join([_places(len(fields))] * len(rows))}", params)


@cache
def _fields(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


@cache
def _insert_sql(model: type[Model], names: tuple[str, ...]) -> str:
    return f"{_insert_head(model, names)} VALUES {_places(len(names))} RETURNING id"


def _insert_head(model: type[Model], names: tuple[str, ...]) -> str:
    return f"INSERT INTO {model._meta.db_table} ({', '.join(map(connection.ops.quote_name, names))})"


def _places(n: int) -> str:
    return f"({', '.join(['%s'] * n)})"

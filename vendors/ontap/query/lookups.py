"""Expressions that SQLite and PostgreSQL word differently."""

from typing import Any

from django.db.models import BooleanField, Func, TextField


class Bytewise(Func):
    """A text that sorts by its bytes in both databases, whatever the language of a PostgreSQL database.

    No index answers for it (SQLite's `+`): what is recent is to be found by its time, not by its name among all.
    """

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002
        sql, params = compiler.compile(self.source_expressions[0])
        return f"(+{sql})", params

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002
        sql, params = compiler.compile(self.source_expressions[0])
        return f'(({sql})::text COLLATE "C")', params


class UuidText(Func):
    """A UUID as clients write it. SQLite keeps it as 32 digits without dashes."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002
        sql, params = compiler.compile(self.source_expressions[0])
        pieces = [f"substr({sql}, {start}, {length})" for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))]
        return "(" + " || '-' || ".join(pieces) + ")", [*params] * len(pieces)

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002
        sql, params = compiler.compile(self.source_expressions[0])
        return f"({sql})::text", params


class Matches(Func):
    """Whether a text has these parts in this order, with anything between them: SQLite's LIKE forgets about case."""

    output_field = BooleanField()

    def __init__(self, expression: Any, parts: tuple[str, ...] = (), **extra: Any) -> None:
        super().__init__(expression, **extra)
        self.parts = parts

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002
        return self._compared(compiler, "{} GLOB %s", "*".join(map(for_glob, self.parts)))

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002
        return self._compared(compiler, "{} LIKE %s", "%".join(map(_for_like, self.parts)))

    def _compared(self, compiler: Any, template: str, pattern: str) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        return f"({template.format(sql)})", [*params, pattern]


def for_glob(text: str) -> str:
    """A text that means itself in a GLOB, and in `fnmatch`."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)


def _for_like(text: str) -> str:
    return "".join(f"\\{character}" if character in "\\%_" else character for character in text)

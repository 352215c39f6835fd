"""Queries as mustache templates whose variables become bound values, never text.

`{{name}}` (also `'{{name}}'`, as some write it) is a bound value, `{{#name}}…{{/name}}` stands in the query when the
variable has a value, `{{^name}}…{{/name}}` when it has none, `{{! … }}` never.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jobs.errors import Invalid
from jobs.sources.connect import literal, placeholder
from jobs.sources.statements import VALUE, check_query

TAG = re.compile(
    r"(?P<quote>(?<!')'(?=\{\{[\w.\s]+\}\}'(?!')))?\{\{\s*(?P<mark>[#^/!]?)\s*(?P<name>[^{}]*?)\s*\}\}(?(quote)')"
)
NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*", re.ASCII)
MAX_DEPTH = 20

Values = Callable[[str], Any]


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(frozen=True)
class Section:
    name: str
    when_set: bool
    parts: tuple["Part", ...]


Part = Text | Variable | Section


@dataclass(frozen=True)
class Bound:
    """A query for a driver, with its values."""

    sql: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Template:
    parts: tuple[Part, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All variables, in the order in which they first stand in the query."""
        return tuple(dict.fromkeys(_names(self.parts)))

    def bind(self, dialect: str, values: Values, *, field: str = "query") -> Bound:
        """The query with its values; a variable without one is `None`. Raises `Invalid` for what is no query."""
        shown = list(_shown(self.parts, values))
        plain = "".join(part.text if isinstance(part, Text) else VALUE for part in shown)
        check_query(plain, dialect, field=field)
        sql = ""
        bound: dict[str, Any] = {}
        for part in shown:
            if isinstance(part, Text):
                sql += literal(dialect, part.text)
            else:
                name = f"v{len(bound)}"
                bound[name] = values(part.name)
                sql += placeholder(dialect, name)
        return Bound(sql, bound)

    def check(self, dialect: str, *, field: str = "query") -> None:
        """Refuse what cannot be a query, be it with all its variables or with none."""
        self.bind(dialect, lambda _name: None, field=field)
        self.bind(dialect, lambda _name: "", field=field)


def parse(text: str, known: Callable[[str, bool], bool], *, field: str = "query") -> Template:
    """`known(name, is_section)` says whether there is such a variable; raises `Invalid`."""
    tokens = list(_tokens(text, field))
    for token in tokens:
        if not isinstance(token, Text) and not known(token[1], bool(token[0])):
            raise Invalid.field(field, f"there is no variable {token[1]!r}")
    parts, rest = _parts(tokens, None, field, 0)
    assert not rest
    return Template(parts)


Token = Text | tuple[str, str]
"""A tag is its mark and its name."""


def _tokens(text: str, field: str) -> Iterator[Token]:
    at = 0
    for tag in TAG.finditer(text):
        yield from _text(text[at : tag.start()], field)
        at = tag.end()
        if tag["mark"] != "!":
            if not NAME.fullmatch(tag["name"]):
                raise Invalid.field(field, f"{tag[0]!r} is no variable, section or comment")
            yield tag["mark"], tag["name"]
    yield from _text(text[at:], field)


def _text(text: str, field: str) -> Iterator[Text]:
    if "{{" in text:
        raise Invalid.field(field, "a '{{' is opened and never closed")
    if text:
        yield Text(text)


def _parts(tokens: list[Token], section: str | None, field: str, depth: int) -> tuple[tuple[Part, ...], list[Token]]:
    """The parts up to the end of the section, and the tokens behind it."""
    found: list[Part] = []
    if depth > MAX_DEPTH:
        raise Invalid.field(field, f"sections stand more than {MAX_DEPTH} deep in each other")
    while tokens:
        token, *tokens = tokens
        if isinstance(token, Text):
            found.append(token)
            continue
        mark, name = token
        if mark == "":
            found.append(Variable(name))
        elif mark == "/":
            if name != section:
                raise Invalid.field(field, f"{{{{/{name}}}}} closes no section of that name")
            return tuple(found), tokens
        else:
            inner, tokens = _parts(tokens, name, field, depth + 1)
            found.append(Section(name, mark == "#", inner))
    if section is not None:
        raise Invalid.field(field, f"the section {{{{#{section}}}}} is never closed")
    return tuple(found), []


def _names(parts: tuple[Part, ...]) -> Iterator[str]:
    for part in parts:
        if not isinstance(part, Text):
            yield part.name
        if isinstance(part, Section):
            yield from _names(part.parts)


def _shown(parts: tuple[Part, ...], values: Values) -> Iterator[Text | Variable]:
    for part in parts:
        if not isinstance(part, Section):
            yield part
        elif (values(part.name) is not None) == part.when_set:
            yield from _shown(part.parts, values)

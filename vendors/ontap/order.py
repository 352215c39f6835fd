"""The order of a list, and where its pages begin.

A page begins with a record that its link names by the sort key and the uuid, so that it is found again when the record
has gone meanwhile. Fields that are not set come before those that are, and behind them in descending order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Left

from vendors.ontap.parameters import START, Parameters
from vendors.ontap.problems import invalid, no_entry, unexpected, unknown_name
from vendors.ontap.query.kinds import NOTHING, Text, Uuid
from vendors.ontap.query.lookups import Bytewise
from vendors.ontap.resources import Field, Resource

UNSET = "null"
SORTED_CHARS = 200
"""Texts are sorted by so many characters, then by uuid: a link must hold the key."""
KEY = "uuid"


@dataclass(frozen=True)
class Term:
    """One field of an order."""

    field: Field
    is_descending: bool = False

    @property
    def column(self) -> str:
        return f"by_{self.field.column}"

    @property
    def expression(self) -> Any:
        source = self.field.source
        return Bytewise(Left(source, SORTED_CHARS)) if isinstance(self.field.kind, Text) else source

    @property
    def sort(self) -> Any:
        column = F(self.column)
        return column.desc(nulls_last=True) if self.is_descending else column.asc(nulls_first=True)

    def write(self, value: Any) -> str:
        """A value for a link; texts are quoted, so that none is taken for `null`."""
        if value is None:
            return UNSET
        return f'"{value}"' if isinstance(self.field.kind, Text) else self.field.kind.write(value)

    def read(self, text: str) -> Any:
        if text == UNSET and self.field.name != KEY:
            return None
        if isinstance(self.field.kind, Text):
            return text.removeprefix('"').removesuffix('"')
        try:
            return self.field.kind.read(text)
        except ValueError:
            raise invalid(text, f"{START}{self.field.name}", self.field.kind.wanted) from None

    def is_at(self, value: Any) -> Q:
        return Q(**{f"{self.column}__isnull": True}) if value is None else Q(**{self.column: value})

    def is_beyond(self, value: Any) -> Q:
        unset = Q(**{f"{self.column}__isnull": True})
        if value is None:
            return NOTHING if self.is_descending else ~unset
        if self.is_descending:
            return Q(**{f"{self.column}__lt": value}) | unset
        return Q(**{f"{self.column}__gt": value})


class Order:
    """The terms of `order_by`; the uuid comes last, where it is not there anyway."""

    def __init__(self, resource: Resource, parameters: Parameters) -> None:
        self.asked = [_term(resource, text, parameters) for text in parameters.words("order_by")]
        found: dict[str, Term] = {}
        for term in [*filter(None, self.asked), Term(resource.by_name[KEY])]:
            if KEY not in found:
                found.setdefault(term.field.name, term)
        self.terms = tuple(found.values())

    @property
    def names(self) -> list[str]:
        return [term.field.name for term in self.asked if term]

    @property
    def columns(self) -> list[str]:
        """What has to be read for a link."""
        return [term.column for term in self.terms]

    @property
    def sort(self) -> list[Any]:
        """For `order_by` of rows that are `keyed`."""
        return [term.sort for term in self.terms]

    def keyed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with their sort keys."""
        return rows.annotate(**{term.column: term.expression for term in self.terms})

    def link(self, row: Mapping[str, Any]) -> str:
        """The parameters of a page that begins with this row, the uuid first."""
        pairs = [(term.field.name, term.write(row[term.column])) for term in self.terms]
        pairs.sort(key=lambda pair: pair[0] != KEY)
        return "&".join(f"{START}{name}={quote(value, safe='')}" for name, value in pairs)

    def begin(self, start: Mapping[str, str], everything: QuerySet[Any]) -> Q:
        """The condition on keyed rows that they stand at the place that `start` names, or behind it.

        A link that names the uuid only stands for its record, which is looked for in `everything`.
        """
        if not start:
            return Q()
        self._check(start)
        if all(term.field.name in start for term in self.terms):
            return self._from([term.read(start[term.field.name]) for term in self.terms])
        return self._from(self._values_of(start[KEY], everything))

    def _check(self, start: Mapping[str, str]) -> None:
        known = {term.field.name for term in self.terms}
        for name in start:
            if name not in known:
                raise unexpected(f"{START}{name}")
        if KEY not in start:
            raise invalid("", f"{START}{KEY}", Uuid.wanted)

    def _values_of(self, text: str, everything: QuerySet[Any]) -> list[Any]:
        key = next(term for term in self.terms if term.field.name == KEY).read(text)
        row = self.keyed(everything.filter(uuid=key)).values(*self.columns).first()
        if row is None:
            raise no_entry(f"{START}{KEY}")
        return [row[column] for column in self.columns]

    def _from(self, values: Sequence[Any]) -> Q:
        """At the place or behind it: (a, b) >= (x, y), spelled out."""
        same, beyond = Q(), NOTHING
        for term, value in zip(self.terms, values, strict=True):
            beyond |= same & term.is_beyond(value)
            same &= term.is_at(value)
        return beyond | same


def _term(resource: Resource, text: str, parameters: Parameters) -> Term | None:
    """One of `order_by`: a field, then perhaps a direction. `None` for a field that is never set."""
    name, *direction = text.split()
    field = resource.find(name)
    if field is None and parameters.is_lenient:
        return None
    if field is None or direction[1:] or (direction and direction[0].lower() not in ("asc", "desc")):
        raise unknown_name(text, "order_by")
    if field.source is None:
        return None
    return Term(field, is_descending=[word.lower() for word in direction] == ["desc"])

"""The query of a request: read as it was sent, because the links between pages repeat it so."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from vendors.ontap.problems import invalid, no_delimiter, unexpected
from vendors.ontap.resources import Field, Resource, Tree
from vendors.ontap.vendor import LARGEST

OF_PAGES = frozenset({"max_records", "return_records", "return_timeout", "order_by"})
OF_READING = frozenset({"fields", "ignore_unknown_fields"}) | OF_PAGES
START = "start."
LONGEST_TIMEOUT_S = 120
MOST = 1000
"""Parameters of a request."""
MOST_QUERIES = 20


@dataclass(frozen=True)
class Pair:
    """One parameter; `raw` is how it was sent."""

    name: str
    value: str
    raw: str


class Parameters:
    """All parameters, in the order in which they were sent. Raises `Refused` for what is none."""

    def __init__(self, raw: str) -> None:
        sent = [one for one in raw.split("&") if one]
        if len(sent) > MOST:
            raise unexpected(sent[MOST])
        self.pairs = tuple(map(_pair, sent))

    def all(self, name: str) -> list[str]:
        return [pair.value for pair in self.pairs if pair.name == name]

    def words(self, name: str) -> list[str]:
        """The comma lists of all parameters of that name, joined."""
        return [word for value in self.all(name) for part in value.split(",") if (word := part.strip())]

    def last(self, name: str) -> str | None:
        return next(reversed(self.all(name)), None)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.last(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise invalid(value, name, "true|false")
        return value.lower() == "true"

    def number(self, name: str, *, default: int, low: int, high: int) -> int:
        value = self.last(name)
        if value is None:
            return default
        if not re.fullmatch(r"\d{1,18}", value, re.ASCII) or not low <= int(value) <= high:
            raise invalid(value, name, f"{low}..{high}")
        return int(value)

    @property
    def is_lenient(self) -> bool:
        return self.flag("ignore_unknown_fields", default=False)

    @property
    def start(self) -> dict[str, str]:
        """Where a page begins: the values of its first record, by field."""
        return {pair.name.removeprefix(START): pair.value for pair in self.pairs if pair.name.startswith(START)}

    def without_start(self) -> str:
        """As they were sent."""
        return "&".join(pair.raw for pair in self.pairs if not pair.name.startswith(START))

    def others(self, known: Iterable[str]) -> list[Pair]:
        """Those that are none of the `known` ones and belong to no page: queries."""
        names = frozenset(known)
        return [pair for pair in self.pairs if pair.name not in names and not pair.name.startswith(START)]

    def refuse_others(self, known: Iterable[str]) -> None:
        """Raises `Refused` for the first that is none of the `known` ones, unless these are to be overlooked."""
        strangers = self.others(known)
        if strangers and not self.is_lenient:
            raise unexpected(strangers[0].name)


def _pair(sent: str) -> Pair:
    if "=" not in sent:
        raise no_delimiter()
    name, _, value = (unquote_plus(part, errors="replace") for part in sent.partition("="))
    if "\0" in name or "\0" in value:
        raise invalid(value.replace("\0", "\ufffd"), name.replace("\0", "\ufffd"), "text")
    return Pair(name, value, sent)


@dataclass(frozen=True)
class Condition:
    """A query: a field and what it must be."""

    field: Field
    text: str

    def question(self) -> Any:
        """As a condition of the database on the field's column. Raises `Refused` for a value that cannot be."""
        try:
            return self.field.kind.question(self.field.column, self.text)
        except ValueError:
            raise invalid(self.text, self.field.name, self.field.kind.wanted) from None


def conditions(parameters: Parameters, resource: Resource, known: Iterable[str]) -> list[Condition]:
    """The queries among the parameters. Raises `Refused` for the first that is neither known nor a field."""
    found: list[Condition] = []
    for pair in parameters.others(known):
        field = resource.find(pair.name)
        if len(found) == MOST_QUERIES or (field is None and not parameters.is_lenient):
            raise unexpected(pair.name)
        if field is not None:
            found.append(Condition(field, pair.value))
    return found


def wished_of_one(raw: str, resource: Resource) -> Tree:
    """What a request for one object wishes to see; parameters of lists mean nothing to it, some clients send them."""
    if not raw:
        return resource.usual
    parameters = Parameters(raw)
    parameters.refuse_others(OF_READING)
    names = parameters.words("fields")
    return resource.wished(names, is_lenient=parameters.is_lenient) if names else resource.usual


def page_size(parameters: Parameters) -> int:
    """A page may end before `max_records`; there is a link to the next one then."""
    wanted = parameters.number("max_records", default=LARGEST, low=1, high=2**32 - 1)
    parameters.number("return_timeout", default=0, low=0, high=LONGEST_TIMEOUT_S)
    return min(wanted, LARGEST)

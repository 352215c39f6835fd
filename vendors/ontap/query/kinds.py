"""What values a field can have, and how each test of a query reads for the database.

A value that the field cannot have raises `ValueError`.
"""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import reduce
from operator import ge, gt, le, lt, or_
from typing import Any

from django.db.models import F, Q

from vendors.ontap.query.grammar import Alternative, Compared, Equal, Like, Operator, Unset, parse
from vendors.ontap.query.lookups import Matches, UuidText, for_glob
from vendors.wire.states import StateWords
from vendors.wire.times import parse_rfc3339

LONGEST = 4000
"""Characters of a value: SQLite has a limit for patterns."""
MOST_TESTS = 20
"""Alternatives that are more than a value: SQLite has a limit for the depth of a condition, too."""
BIGGEST = 2**63 - 1
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LOST_PLUS = re.compile(r"(?<=\d) (?=\d\d:\d\d$)")
"""An offset's `+` that was not encoded arrives as a blank."""
SECOND = timedelta(seconds=1)
NOTHING = Q(pk__in=[])


class Kind:
    """Values of one type."""

    wanted = ""
    """What ONTAP says that it wanted."""
    separators = "|"

    def question(self, column: str, text: str) -> Q:
        """The condition on `column` that a query's value means."""
        if len(text) > LONGEST:
            raise ValueError
        alternatives = parse(text, separators=self.separators)
        values = [one.test.text for one in alternatives if isinstance(one.test, Equal) and not one.is_negated]
        others = [one for one in alternatives if not isinstance(one.test, Equal) or one.is_negated]
        if len(others) > MOST_TESTS:
            raise ValueError
        found = [self._alternative(column, one) for one in others]
        return reduce(or_, [self.among(column, values), *found] if values else found)

    def _alternative(self, column: str, one: Alternative) -> Q:
        """What is not set is neither equal nor unequal to anything."""
        is_set = Q(**{f"{column}__isnull": False})
        if isinstance(one.test, Unset):
            return is_set if one.is_negated else ~is_set
        if isinstance(one.test, Like) and one.test.is_anything:
            return NOTHING if one.is_negated else is_set
        found = self._test(column, one.test)
        return is_set & ~found if one.is_negated else found

    def _test(self, column: str, test: Equal | Like | Compared) -> Q:
        if isinstance(test, Equal):
            return self.among(column, [test.text])
        if isinstance(test, Like):
            return self.like(column, test.parts)
        return reduce(Q.__and__, (self.compared(column, operator, text) for operator, text in test.bounds))

    def among(self, column: str, texts: list[str]) -> Q:
        """Equal to one of these."""
        values = [self.read(text) for text in texts]
        return Q(**{f"{column}__in": values}) if len(values) > 1 else Q(**{column: values[0]})

    def compared(self, column: str, operator: Operator, text: str) -> Q:
        return Q(**{f"{column}__{operator}": self.read(text)})

    def like(self, column: str, parts: tuple[str, ...]) -> Q:  # noqa: ARG002
        """Wildcards beside other characters are for texts."""
        raise ValueError

    def read(self, text: str) -> Any:
        """A value as the database takes it."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """A value of the database as `read` takes it: for the links between pages."""
        return str(value)


class Text(Kind):
    """Compared byte by byte."""

    wanted = "text"

    def read(self, text: str) -> str:
        return text

    def like(self, column: str, parts: tuple[str, ...]) -> Q:
        return Q(Matches(F(column), parts))


class Integer(Kind):
    """Numbers beyond the database's are as good as its last ones."""

    wanted = "integer"

    def read(self, text: str) -> int:
        if not re.fullmatch(r"\s*[+-]?\d{1,100}\s*", text, re.ASCII):
            raise ValueError
        return max(-BIGGEST, min(BIGGEST, int(text)))


class Uuid(Kind):
    wanted = "UUID"
    separators = "|,"

    def read(self, text: str) -> uuid.UUID:
        return read_uuid(text.strip())

    def like(self, column: str, parts: tuple[str, ...]) -> Q:
        return Q(Matches(UuidText(F(column)), tuple(part.lower() for part in parts)))


class Time(Kind):
    """Clients see whole seconds, so these are what is compared. The links between pages carry the whole time."""

    wanted = "YYYY-MM-DDThh:mm:ss[+|-]hh:mm"

    def read(self, text: str) -> datetime:
        return parse_rfc3339(LOST_PLUS.sub("+", text.strip()))

    def write(self, value: Any) -> str:
        text: str = value.isoformat()
        return text

    def among(self, column: str, texts: list[str]) -> Q:
        if len(texts) > MOST_TESTS:
            raise ValueError
        return reduce(or_, (self._within(column, self.read(text)) for text in texts))

    def _within(self, column: str, second: datetime) -> Q:
        if second.microsecond:
            return NOTHING
        return Q(**{f"{column}__gte": second, f"{column}__lt": _later(second)})

    def compared(self, column: str, operator: Operator, text: str) -> Q:
        at = self.read(text)
        this = at.replace(microsecond=0)
        if operator in (Operator.MORE, Operator.AT_MOST):
            bound = _later(this)
        else:
            bound = _later(this) if at.microsecond else this
        lookup = "gte" if operator in (Operator.MORE, Operator.AT_LEAST) else "lt"
        return Q(**{f"{column}__{lookup}": bound})


def _later(at: datetime) -> datetime:
    try:
        return at + SECOND
    except OverflowError:
        raise ValueError from None


COMPARE: dict[Operator, Callable[[str, str], bool]] = {
    Operator.AT_LEAST: ge,
    Operator.AT_MOST: le,
    Operator.MORE: gt,
    Operator.LESS: lt,
}


class StateWord(Kind):
    """One of a few words, on which the test is made."""

    separators = "|,"

    def __init__(self, words: StateWords) -> None:
        self._words = words
        self.wanted = "|".join(words.back)

    def question(self, column: str, text: str) -> Q:
        if len(text) > LONGEST:
            raise ValueError
        alternatives = parse(text.lower(), separators=self.separators)
        found = {word for word in self._words.back if any(self._passes(word, one) for one in alternatives)}
        return Q(**{f"{column}__in": sorted(found)})

    def _passes(self, word: str, one: Alternative) -> bool:
        return self._is_so(word, one) is not one.is_negated

    def _is_so(self, word: str, one: Alternative) -> bool:
        test = one.test
        if isinstance(test, Unset):
            return False
        if isinstance(test, Like):
            return fnmatchcase(word, "*".join(map(for_glob, test.parts)))
        if isinstance(test, Equal):
            return word == self.read(test.text)
        return all(COMPARE[operator](word, text) for operator, text in test.bounds)

    def read(self, text: str) -> str:
        if text.strip() not in self._words.back:
            raise ValueError
        return text.strip()


def read_uuid(text: str) -> uuid.UUID:
    """In the usual form with dashes, in either case. Raises `ValueError`."""
    if not UUID.fullmatch(text):
        raise ValueError
    return uuid.UUID(text)

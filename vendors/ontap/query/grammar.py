"""What may stand behind a field's `=`: alternatives, each with an operator, a range or wildcards.

Source: the section on queries in the reference of every release (9.6 to 9.17). That double quotes take away the
operators' meaning is the command line's rule.
"""

from dataclasses import dataclass
from enum import StrEnum

Marked = list[tuple[str, bool]]
"""Characters, each with whether it may be an operator (not quoted)."""


class Operator(StrEnum):
    """Values are the names of Django's lookups."""

    AT_LEAST = "gte"
    AT_MOST = "lte"
    MORE = "gt"
    LESS = "lt"


PREFIXES = {">=": Operator.AT_LEAST, "<=": Operator.AT_MOST, ">": Operator.MORE, "<": Operator.LESS}


@dataclass(frozen=True)
class Unset:
    """`null`: the field has no value."""


@dataclass(frozen=True)
class Equal:
    text: str


@dataclass(frozen=True)
class Like:
    """`a*b`: the texts around the wildcards; an empty one at an end means that anything may stand there."""

    parts: tuple[str, ...]

    @property
    def is_anything(self) -> bool:
        return not any(self.parts)


@dataclass(frozen=True)
class Compared:
    """`>=a`; a range is two of them."""

    bounds: tuple[tuple[Operator, str], ...]


Test = Unset | Equal | Like | Compared


@dataclass(frozen=True)
class Alternative:
    """One of several, any of which may be true. A field that is not set passes no test but `null`, negated or not."""

    test: Test
    is_negated: bool = False


def parse(text: str, *, separators: str = "|") -> list[Alternative]:
    """The alternatives of a query's value."""
    found: list[Marked] = [[]]
    for character, is_free in _marked(text):
        if is_free and character in separators:
            found.append([])
        else:
            found[-1].append((character, is_free))
    return [_alternative(one) for one in found]


def _marked(text: str) -> Marked:
    """Without the quotes; one that is never closed is a character like any other."""
    marked: Marked = []
    position = 0
    while position < len(text):
        end = _closing(text, position) if text[position] == '"' else None
        if end is None:
            marked.append((text[position], True))
            position += 1
        else:
            marked += [(character, False) for character in _unescaped(text[position + 1 : end])]
            position = end + 1
    return marked


def _closing(text: str, opening: int) -> int | None:
    """Where the quote ends that opens there; a backslash keeps the next character from ending it."""
    position = opening + 1
    while position < len(text):
        if text[position] == '"':
            return position
        position += 2 if text[position] == "\\" else 1
    return None


def _unescaped(text: str) -> str:
    plain, position = [], 0
    while position < len(text):
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        plain.append(text[position])
        position += 1
    return "".join(plain)


def _alternative(marked: Marked) -> Alternative:
    is_negated = marked[:1] == [("!", True)]
    return Alternative(_test(marked[1:] if is_negated else marked), is_negated)


def _test(marked: Marked) -> Test:
    free = "".join(character if is_free else "\0" for character, is_free in marked)
    if free == "null":
        return Unset()
    for prefix, operator in PREFIXES.items():
        if free.startswith(prefix):
            return Compared(((operator, _plain(marked[len(prefix) :])),))
    if ".." in free:
        return _range(marked, free.index(".."))
    if "*" in free:
        return Like(_parts(marked))
    return Equal(_plain(marked))


def _range(marked: Marked, dots: int) -> Test:
    """An end that is left out is open."""
    ends = (Operator.AT_LEAST, _plain(marked[:dots])), (Operator.AT_MOST, _plain(marked[dots + 2 :]))
    bounds = tuple((operator, text) for operator, text in ends if text)
    return Compared(bounds) if bounds else Like(("", ""))


def _parts(marked: Marked) -> tuple[str, ...]:
    """Cut at the wildcards; several in a row are one."""
    parts: list[Marked] = [[]]
    for character, is_free in marked:
        if not (is_free and character == "*"):
            parts[-1].append((character, is_free))
        elif parts[-1] or len(parts) == 1:
            parts.append([])
    return tuple(_plain(part) for part in parts)


def _plain(marked: Marked) -> str:
    return "".join(character for character, _ in marked)

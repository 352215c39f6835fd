"""The search in the body of a GET: pairs that a document must have somewhere in it, and pairs that it must not."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from vendors.freezer.errors import Refusal, bad_format
from vendors.freezer.words import COMPLETED
from vendors.wire.parsers import read_json

Json = dict[str, Any]
Pair = tuple[str, Any]
ALL = "_all"
CHUNK = 200
MOST_PAIRS = 100
COLUMN_OF = {"client_id": "client", "session_id": "session_id", "job_id": "job__key"}
"""What is a column of a job: rows that differ there are not read."""
DONE = ("status", COMPLETED)


@dataclass(frozen=True)
class Search:
    match: tuple[Pair, ...] = ()
    match_not: tuple[Pair, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.match or self.match_not)

    @property
    def client(self) -> str | None:
        """The client whose jobs are wanted."""
        return next((value for name, value in self.match if name == "client_id" and isinstance(value, str)), None)

    @property
    def is_poll(self) -> bool:
        """A scheduler asks so for what it has to do; the command line sends the client alone."""
        return self.client is not None and DONE in self.match_not

    def takes(self, document: Json) -> bool:
        values = flat(document)
        return all(name in values and values[name] == value for name, value in self.match) and not any(
            name in values and values[name] == value for name, value in self.match_not
        )

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Without rows that cannot match, as far as an index tells."""
        for name, value in self.match:
            if name in COLUMN_OF and isinstance(value, str):
                rows = rows.filter(**{COLUMN_OF[name]: value}) if "\0" not in value else rows.none()
        return rows


def parse(body: Any) -> Search:
    """Raises `Refusal` for what is no search."""
    if not body:
        return Search()
    if not isinstance(body, dict):
        raise bad_format("wanted an object with match and match_not")
    match, match_not = (_pairs(body.get(name)) for name in ("match", "match_not"))
    text = next((value for name, value in match if name == ALL), None)
    return Search(match, match_not) if text is None else _of_text(text)


def _pairs(given: Any) -> tuple[Pair, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise bad_format("wanted lists of objects in match and match_not")
    pairs = tuple(pair for one in given for pair in one.items())
    if len(pairs) > MOST_PAIRS:
        raise bad_format(f"wanted at most {MOST_PAIRS} pairs to match")
    return pairs


def _of_text(text: Any) -> Search:
    """A text that is JSON itself is the whole search; any other text is none."""
    try:
        return Search(_pairs(read_json(str(text).encode("utf-8", "replace"))))
    except (ValueError, Refusal):
        return Search()


def flat(document: Any) -> Json:
    """Every name in it, however deep, with the value of its last place."""
    found: Json = {}
    for name, value in _items(document):
        found[name] = value
    return found


def _items(value: Any) -> Iterator[Pair]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from _items(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _items(inner)


def page(
    rows: QuerySet[Any], search: Search, limit: int, offset: int, shown: Callable[[Iterable[Any]], list[Json]]
) -> list[Json]:
    """The documents that match, behind the first `offset` of them. Read by the piece, until there are enough."""
    if not search:
        return shown(rows[offset : offset + limit])
    found: list[Json] = []
    start = 0
    while len(found) < offset + limit:
        chunk = list(rows[start : start + CHUNK])
        found += [document for document in shown(chunk) if search.takes(document)]
        if len(chunk) < CHUNK:
            break
        start += CHUNK
    return found[offset : offset + limit]

"""Bodies: read once, strictly, with a message that says what is wrong with them."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 64
INTEGERS = range(-(2**63), 2**64)
"""What every database, client and encoder can carry."""


def read_json(body: bytes) -> Any:
    """The value of a JSON text. Raises `ValueError` for what not everybody would read in the same way.

    That is: broken or too deep text, other encodings than UTF-8, lone surrogates, NUL, NaN, numbers out of range and
    names that appear twice in one object.
    """
    if not body.strip():
        raise ValueError("wanted JSON, got an empty body")
    try:
        orjson.loads(body)
        value = json.loads(
            body, object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
        )
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from None
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:100]!r} appears twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 20 or int(digits) not in INTEGERS:
        raise ValueError(f"the number {digits[:20]}… is out of range")
    return int(digits)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is out of range")
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check(value: Any) -> None:
    """Refuse NUL and depth; level by level, because a bomb would break a recursion."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        level = [child for item in level for child in _children(item)]
    raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def _children(item: Any) -> list[Any]:
    if isinstance(item, str):
        if "\0" in item:
            raise ValueError("texts must not contain NUL characters")
        return []
    if isinstance(item, dict):
        return [*item, *item.values()]
    return item if isinstance(item, list) else []


class JsonParser(BaseParser):
    """JSON in UTF-8, sent as `application/json`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        try:
            return read_json(stream.read())
        except ValueError as error:
            raise ParseError(f"the body is not JSON that can be read: {error}") from None


class MergePatchParser(JsonParser):
    """The same, as RFC 7396 names it."""

    media_type = "application/merge-patch+json"


class AnyTypeParser(JsonParser):
    """JSON whatever the Content-Type says, or without one: for faces whose clients do not care."""

    media_type = "*/*"

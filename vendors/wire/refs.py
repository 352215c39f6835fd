"""What a path names: an id, a UUID or a name."""

import uuid

from jobs.engine.documents import is_uuid
from jobs.errors import NotFound

BIGGEST_ID = 2**63 - 1
LONGEST = 1000


def parse_ref(text: str) -> int | uuid.UUID | str:
    """Raises `NotFound` for what can name nothing: NUL, numbers beyond every id, overlong text."""
    if "\0" in text or len(text) > LONGEST:
        raise NotFound
    if text.isascii() and text.isdigit():
        number = int(text)
        if number > BIGGEST_ID:
            raise NotFound
        return number
    return uuid.UUID(text) if is_uuid(text) else text


def field_of(ref: int | uuid.UUID | str, name: str) -> str:
    """The field that it is a value of: `id`, `uuid`, or the one called `name`."""
    if isinstance(ref, int):
        return "id"
    return "uuid" if isinstance(ref, uuid.UUID) else name


def lookup(text: str, name: str) -> dict[str, object]:
    """The filter that finds it."""
    ref = parse_ref(text)
    return {field_of(ref, name): ref}

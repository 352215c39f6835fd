"""Documents of the connector, whatever they are: found by their id in the acting project, versioned, listed by id."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import sha256

import pydantic

from jobs.engine.documents import Document
from jobs.engine.rights import Actor
from jobs.errors import Conflict, Invalid
from vendors.models import VendorDocument
from vendors.siren.filters import Window
from vendors.siren.shapes import Row
from vendors.siren.vendor import VENDOR
from vendors.wire.renderers import compact
from vendors.wire.stored import Shelf

COUNTED = 10_000
MAX_BYTES = 262_144
DOCUMENT = "document"
"""What a document is called where it is kept, as text."""


class Loose(Document):
    """A part of a document whose unknown fields are kept and shown again."""

    model_config = pydantic.ConfigDict(extra="allow")


@dataclass(frozen=True)
class Found:
    id: str
    version: int
    source: Row


class Documents(ABC):
    """One kind of documents. `put` and `delete` ask for the right to edit."""

    @abstractmethod
    def put(self, id: str, raw: Row, *, actor: Actor, create_only: bool) -> tuple[int, bool]:
        """The version, and whether it is new. Raises `Invalid`, and `Conflict` when it exists with `create_only`."""

    @abstractmethod
    def get(self, id: str, *, actor: Actor) -> Found | None: ...

    @abstractmethod
    def delete(self, id: str, *, actor: Actor) -> bool:
        """Whether there was one."""

    @abstractmethod
    def search(self, window: Window, *, actor: Actor) -> tuple[int, list[Found]]:
        """How many there are, exact up to `COUNTED`, and those in the window."""


class Shelved(Documents):
    """Documents that are no jobs."""

    def __init__(self, kind: str) -> None:
        self.shelf = Shelf(VENDOR.name, kind)

    def get(self, id: str, *, actor: Actor) -> Found | None:
        row = self.shelf.find(id, actor.home)
        return _found(row) if row else None

    def delete(self, id: str, *, actor: Actor) -> bool:
        return self.shelf.delete(id, actor=actor)

    def search(self, window: Window, *, actor: Actor) -> tuple[int, list[Found]]:
        rows = self.shelf.all(actor.home)
        found = [_found(row) for row in window.of_rows(rows)]
        return rows.order_by()[:COUNTED].count(), found

    def keep(self, id: str, body: Row, *, actor: Actor, create_only: bool) -> tuple[int, bool]:
        """What a `put` writes when it has checked the body."""
        kept = {DOCUMENT: as_text(body)}
        try:
            row, is_new = self.shelf.put(id, kept, actor=actor, create_only=create_only)
        except Conflict:
            old = self.shelf.find(id, actor.home)
            raise exists(id, old.version if old else 1) from None
        return row.version, is_new


def exists(id: str, version: int) -> Conflict:
    return Conflict(f"[{id}]: version conflict, document already exists (current version [{version}])")


def _found(row: VendorDocument) -> Found:
    return Found(row.key, row.version, from_text(row.body[DOCUMENT]))


def as_text(body: Row) -> str:
    """As it is kept: PostgreSQL's JSON would forget the order of its fields. Raises `Invalid` when it is too long."""
    text = compact(body)
    if len(text) > MAX_BYTES:
        raise Invalid.field("", f"the document is longer than {MAX_BYTES} bytes")
    return text.decode()


def from_text(text: str) -> Row:
    body: Row = json.loads(text)
    return body


def short(id: str) -> str:
    """An id as a part of a secret's name: readable, and no other id's."""
    readable = "".join(char if char.isascii() and char.isalnum() else "-" for char in id[:24])
    return f"{readable}-{sha256(id.encode()).hexdigest()[:8]}"

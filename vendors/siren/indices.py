"""Virtual indices: kept as they are, for clients that look them up. The hub answers no queries on them."""

import re

from pydantic import Field

from jobs.engine.documents import Text
from jobs.engine.rights import Actor, Right
from jobs.errors import Invalid
from vendors.siren.documents import Loose, Shelved
from vendors.siren.shapes import Row

NAME = re.compile(r"[^-_+A-Z\s\\/*?\"<>|,#:][^A-Z\s\\/*?\"<>|,#:]{0,254}")
"""As Elasticsearch wants an index to be called."""


class Body(Loose):
    datasource: Text = Field(min_length=1)
    resource: Text = Field(min_length=1)


class VirtualIndices(Shelved):
    def __init__(self) -> None:
        super().__init__("index")

    def put(self, id: str, raw: Row, *, actor: Actor, create_only: bool) -> tuple[int, bool]:
        actor.require(Right.EDIT, actor.home, "keeping an index")
        if not NAME.fullmatch(id) or id in (".", ".."):
            raise Invalid.field("", f"Invalid index name [{id[:100]}], must be lowercase")
        Body.parse(raw)
        return self.keep(id, raw, actor=actor, create_only=create_only)


INDICES = VirtualIndices()

"""Datasources: databases that ingestions read. The URL with its credentials is a secret of the project.

An ingestion's job names that secret, so that it reads from wherever the datasource leads when it runs.
"""

from dataclasses import dataclass
from typing import Any

import pydantic
from pydantic import Field

from jobs import sources
from jobs.engine import secrets
from jobs.engine.documents import Document, JsonObject, Text
from jobs.engine.rights import Actor, Right
from jobs.errors import Invalid, RunFailed
from jobs.masking import Masker
from jobs.sources import jdbc
from jobs.sources.probe import probe
from vendors.siren.documents import Loose, Shelved, short
from vendors.siren.shapes import Row

PASSWORD = "password"
PROPERTIES = "properties"


class Jdbc(Loose):
    url: Text
    driver: Text | None = None
    username: Text | None = Field(None, max_length=200)
    password: Text | None = Field(None, max_length=1000)
    timezone: Text | None = None
    properties: JsonObject | None = None


class Elastic(Loose):
    alias: Text


class Body(Document):
    """Exactly one of them."""

    jdbc: Jdbc | None = None
    elastic: Elastic | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> "Body":
        if (self.jdbc is None) == (self.elastic is None):
            raise ValueError("wanted either jdbc or elastic")
        return self


@dataclass(frozen=True)
class Source:
    """A datasource as a run uses it."""

    shown: Row
    """The document without credentials."""
    url: str
    """The hub's, with credentials: a secret. Empty where there is none."""
    has_driver: bool


class Datasources(Shelved):
    def __init__(self) -> None:
        super().__init__("datasource")

    def put(self, id: str, raw: Row, *, actor: Actor, create_only: bool) -> tuple[int, bool]:
        actor.require(Right.EDIT, actor.home, "keeping a datasource")
        with secrets.together():
            source = self._read(id, raw, actor)
            if source.url:
                secrets.keep(secret_of(id), source.url, actor=actor)
            else:
                secrets.drop(secret_of(id), actor=actor)
            return self.keep(id, source.shown, actor=actor, create_only=create_only)

    def delete(self, id: str, *, actor: Actor) -> bool:
        with secrets.together():
            was_there = super().delete(id, actor=actor)
            if was_there:
                secrets.drop(secret_of(id), actor=actor)
            return was_there

    def validate(self, id: str, raw: Row | None, *, actor: Actor) -> bool:
        """Connect as a run would: with the given document, else the stored one; false when there is neither.

        Raises `Invalid` with the database's own words when that fails.
        """
        actor.require(Right.EDIT, actor.home, "validating a datasource")
        stored = self.get(id, actor=actor) if raw is None else None
        given = stored.source if stored else raw
        if given is None:
            return False
        source = self._read(id, given, actor)
        if not source.has_driver:
            raise Invalid.field("", "the hub has no driver for this datasource")
        masker = Masker()
        masker.add(jdbc.password_of(source.url))
        try:
            probe(sources.parse(source.url, field="url", is_secret=True))
        except RunFailed as error:
            raise Invalid.field("", masker.mask(error.message)) from None
        return True

    def plain(self, id: str, *, actor: Actor) -> str | None:
        """The URL without credentials, `None` for a database that the hub has no driver for.

        Raises `Invalid` when there is no such datasource, or it is no database.
        """
        found = self.get(id, actor=actor)
        if found is None:
            raise Invalid.field("", f"Datasource [{id}] does not exist.")
        if "jdbc" not in found.source:
            raise Invalid.field("", f"Datasource [{id}] is not a JDBC datasource.")
        return _url(Jdbc.parse(found.source["jdbc"])).url or None

    def _read(self, id: str, raw: Row, actor: Actor) -> Source:
        body = Body.parse(raw)
        if body.jdbc is None:
            return Source(_shown(raw), "", has_driver=False)
        try:
            url = _url(body.jdbc)
            password = self._old_password(id, actor) if url.password is None else url.password
            with_login = url.with_login(url.user or "", password)
            if url.url:
                sources.parse(with_login, is_secret=True)
        except Invalid as error:
            raise error.under("jdbc") from None
        shown = {**_shown(raw)["jdbc"], "url": url.text}
        return Source({"jdbc": shown}, with_login, has_driver=bool(url.url))

    def _old_password(self, id: str, actor: Actor) -> str:
        """Of the stored document: who leaves it out wants to keep it."""
        name = secrets.name_of(secret_of(id), actor)
        is_kept = self.get(id, actor=actor) is not None and not secrets.missing([name], actor.home)
        return jdbc.password_of(secrets.reveal(name, actor.home)) if is_kept else ""


def secret_of(id: str) -> str:
    return f"datasource-{short(id)}"


def _url(given: Jdbc) -> jdbc.JdbcUrl:
    return jdbc.parse(given.url, given.properties, user=given.username, password=given.password)


def _shown(raw: Row) -> Row:
    """As it was sent, without passwords."""
    return {kind: _without_passwords(body) for kind, body in raw.items()}


def _without_passwords(body: Any) -> Any:
    """Whether they are written `password` or `Password`; of a driver's properties, too."""
    shown = {name: value for name, value in body.items() if name.lower() != PASSWORD}
    if isinstance(shown.get(PROPERTIES), dict):
        shown[PROPERTIES] = _without_passwords(shown[PROPERTIES])
    return shown


DATASOURCES = Datasources()

"""Connections: documents that say where data are. The hub uses those to SQL databases; all others it only keeps."""

import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jobs.engine import secrets
from jobs.engine.rights import Actor
from jobs.errors import Conflict, FieldError, Invalid, NotFound
from jobs.sources import jdbc
from vendors.datameer.documents import Given, Json, properties_of, shown
from vendors.datameer.specs import Source, Unrunnable
from vendors.models import VendorDocument
from vendors.wire.stored import Shelf

SHELF = Shelf("datameer", "connection")
URL, USER, PASSWORD = "key.connectionUrl", "user_name", "password"
"""The properties of a JDBC connection (REST API Connections, 10.0)."""
ENCRYPTED = "SECURE:"
"""What the vendor's own tool makes of a password; only the vendor can read it."""


@dataclass(frozen=True)
class Read:
    """What a connection's document says. Without a `url` it cannot be used, for that `reason`."""

    text: str
    """The document, to be kept."""
    uuid: str
    url: str = ""
    user: str | None = None
    password: str | None = None
    reason: str = ""

    def body(self, given: Given, secret: str) -> Json:
        """What is stored. The password is none of it, only its secret's name."""
        return {
            "document": self.text,
            "description": given.description,
            "uuid": self.uuid,
            "url": self.url,
            "user": self.user,
            "secret": secret,
            "reason": self.reason,
        }


def read(given: Given) -> Read:
    """Raises `Invalid` for a URL that cannot be read and might hold a password."""
    properties, own_uuid = properties_of(given.body), _uuid(given.body)
    url = _first(properties, URL)
    if not url:
        return Read(given.text(), own_uuid, reason=f"it has no property {URL} with a JDBC URL")
    try:
        found = jdbc.parse(url)
    except Invalid as error:
        if jdbc.TELLING.search(url):
            raise _in_its_words(error) from None
        return Read(given.text(), own_uuid, reason=error.errors[0].message)
    kept = given.text(**{URL: [found.text]})
    password = _first(properties, PASSWORD) or found.password or None
    if password and password.startswith(ENCRYPTED):
        return Read(kept, own_uuid, reason="its password is encrypted by another server; send it in plain text")
    reason = "" if found.url else "the hub has no driver for its database"
    return Read(kept, own_uuid, found.url, _first(properties, USER) or found.user, password, reason)


def _uuid(body: Json) -> str:
    """Its own, where it has one that is not all zeros: imports name it by that."""
    try:
        given = uuid.UUID(str(body["file"].get("uuid")))
    except ValueError:
        given = uuid.UUID(int=0)
    return str(given if given.int else uuid.uuid4())


def _first(properties: Json, name: str) -> str:
    value = properties.get(name)
    text = value[0] if isinstance(value, list) and value else value
    if not isinstance(text, str | None) and value != []:
        raise Invalid.field(f"properties.{name}", "wanted a list of texts")
    return text if isinstance(text, str) else ""


def _in_its_words(error: Invalid) -> Invalid:
    """Of the URL, and of a password that cannot be a secret."""
    fields = {"url": f"properties.{URL}", "value": f"properties.{PASSWORD}"}
    return Invalid(FieldError(fields.get(one.field, one.field), one.message) for one in error.errors)


def find(number: str, actor: Actor) -> VendorDocument:
    """By its id, in the acting project."""
    found = SHELF.all(actor.home).filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if found is None:
        raise NotFound(f"there is no connection {number[:100]!r}")
    return found


def create(given: Given, *, actor: Actor) -> VendorDocument:
    """Call it `together` with its secret. Raises `Invalid`, also for a path that is taken."""
    told = read(given)
    secret = _keep(told, f"connection:{uuid.uuid4().hex}", actor) if told.password else ""
    try:
        return SHELF.put(key_of(given.path), told.body(given, secret), actor=actor, create_only=True)[0]
    except Conflict:
        raise Invalid.field("", f"a file with the path {given.path} already exists") from None


def replace(old: VendorDocument, given: Given, *, actor: Actor) -> VendorDocument:
    """Without a password the old one stays, unless the connection now leads to another server."""
    if key_of(given.path) != old.key:
        raise Invalid.field("file.path", f"the path of a connection stays: {old.key}")
    told, secret = read(given), old.body["secret"]
    if told.password:
        secret = _keep(told, secret or f"connection:{uuid.uuid4().hex}", actor)
    elif secret and told.url and urlsplit(told.url)[:2] != urlsplit(old.body["url"])[:2]:
        raise Invalid.field(f"properties.{PASSWORD}", "wanted anew: the connection leads to another server")
    body = {**told.body(given, secret), "uuid": old.body["uuid"]}
    return SHELF.put(old.key, body, actor=actor, expected=old.version)[0]


def delete(old: VendorDocument, *, actor: Actor) -> None:
    """With its secret."""
    SHELF.delete(old.key, actor=actor)
    if old.body["secret"]:
        secrets.drop(old.body["secret"], actor=actor)


def _keep(told: Read, name: str, actor: Actor) -> str:
    try:
        return secrets.keep(name, told.password or "", actor=actor)
    except Invalid as error:
        raise _in_its_words(error) from None


def key_of(path: str) -> str:
    """A connection's path, by which it is known."""
    return f"/{path.lstrip('/')}"


def connection_json(found: VendorDocument) -> Json:
    """The document without its password."""
    body = json.loads(found.body["document"])
    own = {"uuid": found.body["uuid"], "path": found.key, "description": found.body["description"]}
    return shown(body, **own, properties=properties_of(body))


class Sources:
    """The connections of a project, as sources of specs. It remembers by what names it was asked."""

    def __init__(self, project_id: int) -> None:
        self._project_id = project_id
        self.asked = set[str]()

    def __call__(self, path: str, own_uuid: str) -> Source:
        path = key_of(path) if path else ""
        self.asked |= {name for name in (path, own_uuid) if name}
        found = SHELF.find(path, self._project_id) or self._by_uuid(own_uuid)
        if found is None:
            raise Unrunnable(f"there is no connection {(path or own_uuid)[:200]!r}")
        if found.body["reason"]:
            raise Unrunnable(f"the connection {found.key} cannot be used: {found.body['reason']}")
        return source_of(found)

    def _by_uuid(self, own_uuid: str) -> VendorDocument | None:
        if not own_uuid or "\0" in own_uuid:
            return None
        return SHELF.all(self._project_id).filter(body__uuid=own_uuid).first()


def source_of(found: VendorDocument) -> Source:
    body = found.body
    source: dict[str, Any] = {"url": body["url"]}
    if body["user"]:
        source["user"] = body["user"]
    if body["secret"]:
        source["password"] = {"secret": body["secret"]}
    return source

"""The vendor's documents: read as far as the hub uses them, kept whole, given back with what is true now.

A document is kept as text, so that it comes back in the order in which it was written.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.errors import Invalid
from vendors.datameer.kinds import title_of

OWN = "jobhub."
"""What the properties begin with that the hub reads."""
SECRET = ("password", "passphrase", "secret", "privatekey", "sshkey")
"""Properties with such a name are not kept with a document."""
WRAPPER = "workbook"
"""What newer versions wrap a workbook into."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Given:
    """A document as it came."""

    body: Json
    path: str
    description: str

    @property
    def name(self) -> str:
        """Of the job: the path without its first slash."""
        return self.path.lstrip("/")

    def text(self, **told: list[str]) -> str:
        """To be kept: without what is secret, and with the told properties instead of its own."""
        kept = {name: value for name, value in properties_of(self.body).items() if not is_secret(name)}
        properties = {"properties": {**kept, **told}} if "properties" in self.body else {}
        return json.dumps({**self.body, **properties})


def parse(raw: Any) -> Given:
    """Raises `Invalid`, in the document's own fields."""
    body = raw.get(WRAPPER, raw) if isinstance(raw, Mapping) else None
    if not isinstance(body, dict):
        raise Invalid.field("", "wanted a JSON document")
    file = body.get("file")
    if not isinstance(file, dict):
        raise Invalid.field("file", "wanted an object with the file's path")
    return Given(dict(body), _path(file), _text(file, "description"))


def _path(file: Json) -> str:
    """`path`, or as newer versions have it, a `folder` (with its uuid) and a `name`."""
    folder = file.get("folder")
    if "path" not in file and folder:
        folder = folder[0] if isinstance(folder, list) else folder
        path = f"{_text({'folder': folder}, 'folder')}/{_text(file, 'name')}"
    else:
        path = _text(file, "path")
    if not path.strip("/"):
        raise Invalid.field("file.path", "this field is required")
    return path


def _text(file: Json, name: str) -> str:
    value = file.get(name)
    if not isinstance(value, str | None):
        raise Invalid.field(f"file.{name}", "wanted a text")
    return value or ""


def is_secret(name: str) -> bool:
    plain = name.lower().replace("_", "").replace("-", "").replace(".", "")
    return any(word in plain for word in SECRET)


def properties_of(body: Json) -> dict[str, Any]:
    """Raises `Invalid` for what is no object."""
    found = body.get("properties")
    found = {} if found is None else found
    if not isinstance(found, dict):
        raise Invalid.field("properties", "wanted an object of lists of texts")
    return found


def own_properties(body: Json) -> dict[str, list[str]]:
    """Those that the hub reads, without their first part. Raises `Invalid` for one that is no list of texts."""
    found = {}
    for name, value in properties_of(body).items():
        if name.startswith(OWN):
            texts = [value] if isinstance(value, str) else value
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise Invalid.field(f"properties.{name}", "wanted a list of texts")
            found[name.removeprefix(OWN)] = texts
    return found


def shown(body: Json, *, uuid: Any, path: str, description: str, properties: Json) -> Json:
    """A kept document with what is true now."""
    file = {**(body.get("file") or {}), "uuid": str(uuid), "path": path, "description": description}
    return {**body, "file": {**file, "name": title_of(path)}, "properties": properties}

"""Look at a dump before anything is written: whole, unchanged, and of this version."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from jobs.errors import Conflict, Invalid
from jobs.management.dumps.progress import Advance
from jobs.management.dumps.tables import Table, migrations, tables, version
from jobs.management.dumps.write import FORMAT, KEYS, MANIFEST, Manifest

CHUNK_ROWS = 500
CHUNK_BYTES = 1 << 20
MAX_MANIFEST_BYTES = 1 << 20


class Dump:
    """An open dump."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name
        self.manifest = self._manifest()

    @property
    def n_rows(self) -> int:
        return sum(table["rows"] for table in self.manifest["tables"].values())

    def _manifest(self) -> Manifest:
        try:
            if self._archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
                raise ValueError
            manifest: Manifest = json.loads(self._archive.read(MANIFEST))
            known = manifest["product"] == "JobHub" and isinstance(manifest["format"], int)
        except (KeyError, ValueError, TypeError, zipfile.BadZipFile):
            known = False
        if not known:
            raise Invalid.field("", f"{self._name!r} is no dump of a hub; `manage.py dump` makes one")
        return manifest

    def check_version(self) -> None:
        """Raises `Conflict` with the way out when another version made it."""
        said = self.manifest
        columns = {name: table["columns"] for name, table in said["tables"].items()}
        theirs = (said["format"], said["version"], said["migrations"], columns)
        if theirs != (FORMAT, version(), migrations(), {table.name: table.columns for table in tables()}):
            raise Conflict(
                f"{self._name!r} was made by JobHub {said['version']} ({', '.join(said['migrations'])}), and this is "
                f"{version()}: restore it with that version, then install this one over it and run `manage.py setup`"
            )

    def check_content(self, advance: Advance) -> None:
        """Raises `Invalid` unless every table is as it was written."""
        for table in tables():
            said, digest, n_rows = self.manifest["tables"][table.name], hashlib.sha256(), 0
            try:
                with self._archive.open(table.member) as member:
                    while text := member.read(CHUNK_BYTES):
                        digest.update(text)
                        advance(f"check {table.name}", text.count(b"\n"))
                        n_rows += text.count(b"\n")
            except (KeyError, OSError, EOFError, zipfile.BadZipFile, ValueError):
                n_rows = -1
            if (n_rows, digest.hexdigest()) != (said["rows"], said["sha256"]):
                raise Invalid.field("", f"{self._name!r} is damaged in {table.member}; take another copy of it")

    def keys(self) -> bytes | None:
        """The key file that came along; raises `Invalid` when it is not as it was."""
        if not self.manifest["keys"]:
            return None
        text = self._archive.read(KEYS)
        if hashlib.sha256(text).hexdigest() != self.manifest["keys"]:
            raise Invalid.field("", f"{self._name!r} is damaged in {KEYS}; take another copy of it")
        return text

    def rows(self, table: Table) -> Iterator[list[list[Any]]]:
        """As this database takes them, some hundred at a time."""
        decoders = table.decoders()
        with self._archive.open(table.member) as member:
            while lines := list(islice(member, CHUNK_ROWS)):
                yield [_row(line, decoders) for line in lines]


def _row(line: bytes, decoders: Any) -> list[Any]:
    row: list[Any] = json.loads(line)
    for place, decode in decoders.items():
        if row[place] is not None:
            row[place] = decode(row[place])
    return row


@contextmanager
def opened(path: Path) -> Iterator[Dump]:
    """Raises `Invalid` for a file that is none, or that was cut off."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise Invalid.field("", f"cannot read {str(path)!r}: {error.strerror}") from None
    except zipfile.BadZipFile:
        raise Invalid.field("", f"{str(path)!r} is no dump of a hub, or not all of one") from None
    with archive:
        yield Dump(archive, str(path))

"""manifest.json: what a level is, and the sums that prove its files."""

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from jobs.runners.archive.compress import SUFFIX, Compression
from jobs.runners.archive.members import TOP, is_inside

MANIFEST = "manifest.json"
SNAPSHOT = "snapshot.snar"
MEMBERS = "members.jsonl.gz"
CHUNK_BYTES = 1 << 20
LEVEL_ID = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)_level(\d{1,9})")
STAMP = "%Y%m%dT%H%M%S.%fZ"


class Damaged(ValueError):
    """A file of an archive is not what its manifest says."""


def level_id(created_at: datetime, level: int) -> str:
    """The name of a level's folder; names sort by time."""
    return f"{created_at.astimezone(UTC).strftime(STAMP)}_level{level}"


def stamp_of(name: str) -> datetime:
    """When the level with this id began. Raises `ValueError` for any other name."""
    match = LEVEL_ID.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not the name of a level")
    return datetime.strptime(match[1], STAMP).replace(tzinfo=UTC)


def is_level_id(name: str) -> bool:
    try:
        stamp_of(name)
    except ValueError:
        return False
    return True


def _level_id(text: str) -> str:
    stamp_of(text)
    return text


def _inside(text: str) -> str:
    if not is_inside(text):
        raise ValueError("wanted a relative path that stays inside")
    return text


LevelId = Annotated[str, pydantic.AfterValidator(_level_id)]
Inside = Annotated[str, pydantic.AfterValidator(_inside)]


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Part(Model):
    """One file of a level."""

    size_bytes: int
    sha256: str

    def check(self, path: Path, tick: Any = lambda: None) -> None:
        """Raises `Damaged` or `OSError`; `tick` is called for every piece and may raise."""
        found = sum_of(path, tick)
        if found.size_bytes != self.size_bytes:
            raise Damaged(f"{path} has {found.size_bytes} bytes instead of {self.size_bytes}")
        if found.sha256 != self.sha256:
            raise Damaged(f"{path} has not the SHA-256 that its manifest gives")


class Root(Model):
    """One source: where it was, its path in the archive, and the name under which a restore puts it."""

    source: str
    member: Inside
    restored_as: Inside

    @property
    def is_top(self) -> bool:
        return self.member == TOP


class Manifest(Model):
    format: Literal[1] = 1
    id: LevelId
    backup_name: str
    created_at: pydantic.AwareDatetime
    finished_at: pydantic.AwareDatetime
    level: Annotated[int, pydantic.Field(ge=0)]
    parent: LevelId | None
    roots: Annotated[list[Root], pydantic.Field(min_length=1)]
    exclude: list[str]
    one_file_system: bool
    compression: Compression
    archive: Part
    snapshot: Part
    members: Part
    n_files: int
    """Members that are no folders."""
    content_bytes: int
    """Of all files, uncompressed, holes included."""
    job: str = ""
    execution: str = ""
    attempt: int = 1
    node: str = ""

    @pydantic.model_validator(mode="after")
    def _is_sound(self) -> "Manifest":
        if (self.level == 0) != (self.parent is None):
            raise ValueError("a full level has no parent, every other has one")
        if stamp_of(self.id) != self.created_at or not self.id.endswith(f"_level{self.level}"):
            raise ValueError("its id does not fit its level and time")
        members = [root.member for root in self.roots]
        if any(_holds(a, b) for i, a in enumerate(members) for j, b in enumerate(members) if i != j):
            raise ValueError("its sources lie inside one another")
        names = [root.restored_as for root in self.roots]
        if len(set(names)) < len(names) or any("/" in name for name in names):
            raise ValueError("its sources would be restored over one another")
        return self

    @property
    def archive_name(self) -> str:
        return f"archive.tar{SUFFIX[self.compression]}"

    def write(self, path: Path) -> None:
        fields = self.model_dump(mode="json")
        path.write_text(json.dumps(fields | {"checksum": _checksum(fields)}, indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Raises `Damaged` or `OSError`."""
        try:
            fields = json.loads(path.read_bytes())
            checksum = fields.pop("checksum")
            if fields.get("format") != 1:
                raise Damaged(f"{path} is of a format that this version does not know: {fields.get('format')!r}")
            if checksum != _checksum(fields):
                raise Damaged(f"{path} was changed: its checksum does not fit")
            return cls.model_validate(fields)
        except pydantic.ValidationError as error:
            raise Damaged(f"{path} is no manifest: {error.errors()[0]['msg']}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise (error if isinstance(error, Damaged) else Damaged(f"{path} is no manifest: {error}")) from None


def sum_of(path: Path, tick: Any = lambda: None) -> Part:
    """Raises `OSError`; `tick` is called for every piece and may raise."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while data := file.read(CHUNK_BYTES):
            digest.update(data)
            size += len(data)
            tick()
    return Part(size_bytes=size, sha256=digest.hexdigest())


def _checksum(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _holds(outer: str, inner: str) -> bool:
    return outer in (TOP, inner) or inner.startswith(outer + "/")

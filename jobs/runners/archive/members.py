"""The members of an archive, and the file that lists them."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Literal

MemberType = Literal["file", "dir", "symlink", "hardlink", "fifo"]
TOP = "."
"""The path of the folder that is the whole source."""


@dataclass(slots=True)
class Member:
    """One entry of an archive. Bytes of a name that are not UTF-8 are kept as surrogate escapes."""

    path: str
    """Relative, without `./`."""
    type: MemberType
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    """Bytes of content, holes of a sparse file included."""
    link: str | None = None
    """What a symlink says, or the path of the member that a hard link is the same file as."""
    names: dict[str, str] | None = None
    """A folder's complete listing: `Y` is in this archive, `N` unchanged, `D` a folder, `I` excluded."""
    sha256: str | None = None
    inode: str | None = None
    """`device:inode` of a file that had several names: joins those that different levels brought."""


FIELDS = tuple(field.name for field in fields(Member))


def parent_of(path: str) -> str | None:
    """The path of the folder that holds it; `None` for the top itself."""
    if path == TOP:
        return None
    return path.rpartition("/")[0] or TOP


def name_of(path: str) -> str:
    return path.rpartition("/")[2]


def join(folder: str, name: str) -> str:
    return name if folder == TOP else f"{folder}/{name}"


class MemberWriter:
    """Writes members.jsonl.gz as the members come."""

    def __init__(self, raw: BinaryIO) -> None:
        self._file = gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1)
        self.count = 0

    def write(self, member: Member) -> None:
        known = {name: value for name in FIELDS if (value := getattr(member, name)) is not None}
        self._file.write(json.dumps(known, separators=(",", ":")).encode() + b"\n")
        self.count += 1

    def close(self) -> None:
        self._file.close()


def read_members(path: Path) -> Iterator[Member]:
    """In the order of the archive. Raises `ValueError` or `OSError` (also `EOFError`) when the file is damaged."""
    with gzip.open(path, "rb") as file:
        for line in file:
            yield _member(json.loads(line))


def _member(raw: Any) -> Member:
    try:
        return Member(**raw)
    except TypeError as error:
        raise ValueError(f"not a member: {error}") from None


def is_inside(path: str) -> bool:
    """Whether a relative path stays, by its words alone, below where it starts."""
    return path == TOP or (all(part not in ("", ".", "..") for part in path.split("/")) and "\0" not in path)

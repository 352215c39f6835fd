"""Edits tar's snapshot file: the list, per folder, of what it saw when a level was made.

The format (GNU tar manual, "Incremental Dumps" and "Snapshot Files", format 2) is a line with tar's version, then
fields that end with NUL: seconds and nanoseconds of the start; per folder NFS flag, mtime (2 fields), device, inode,
path, the listing (one code letter before each name) and an empty field; an empty field ends the folder.
"""

# Paths are plain text here: a Path for each of a million files is slow.
# ruff: noqa: PTH118

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from jobs.runners.archive.members import join

OVERLAP_NS = 2 * 10**9
"""A level also takes what changed this long before the one it is based on began: kernels stamp files with a coarse
clock, and some file systems keep whole or even seconds."""


class BadSnapshot(ValueError):
    """Not a snapshot file that this module understands."""


@dataclass
class Folder:
    head: list[bytes]
    """NFS flag, mtime, device and inode as they stand in the file."""
    path: str
    names: list[bytes]

    @property
    def inner(self) -> str:
        return self.path.removeprefix("./")

    def is_still(self, top: str) -> bool:
        """Whether the path leads to the folder that it led to then."""
        try:
            now = os.lstat(os.path.join(top, self.path))
        except (OSError, ValueError):
            return False
        same_device = self.head[0] != b"0" or int(self.head[3]) == now.st_dev
        return stat.S_ISDIR(now.st_mode) and same_device and int(self.head[4]) == now.st_ino


@dataclass
class Snapshot:
    version: bytes
    started_ns: int
    folders: list[Folder] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Snapshot":
        """Raises `BadSnapshot` or `OSError`."""
        version, newline, rest = path.read_bytes().partition(b"\n")
        if not newline or not version.startswith(b"GNU tar-") or not version.endswith(b"-2"):
            raise BadSnapshot(f"{path} is not a snapshot of GNU tar in format 2")
        try:
            return cls._parse(version, rest.split(b"\0"))
        except (ValueError, IndexError) as error:
            raise BadSnapshot(f"{path} cannot be read: {error}") from error

    @classmethod
    def _parse(cls, version: bytes, fields: list[bytes]) -> "Snapshot":
        snapshot = cls(version, int(fields[0]) * 10**9 + int(fields[1]))
        at = 2
        while fields[at]:
            head, path = fields[at : at + 5], fields[at + 5]
            end = fields.index(b"", at + 6)
            snapshot.folders.append(Folder(head, os.fsdecode(path), fields[at + 6 : end]))
            at = end + 2
        return snapshot

    def write(self, path: Path) -> None:
        seconds, nanoseconds = divmod(self.started_ns, 10**9)
        fields = [str(seconds).encode(), str(nanoseconds).encode()]
        for folder in self.folders:
            fields += [*folder.head, os.fsencode(folder.path), *folder.names, b"", b""]
        path.write_bytes(self.version + b"\n" + b"\0".join([*fields, b""]))

    def prepare(self, top: str) -> None:
        """Make it safe to base a level on.

        Folders that are elsewhere now are forgotten, so that tar archives what came in their place as new. Left in,
        tar would write records of renames, which it cannot always apply again, and would take a new folder that
        got the number of a removed one for the old one. `top` is the folder that the paths start from.
        """
        self.started_ns -= OVERLAP_NS
        self.folders = [folder for folder in self.folders if folder.is_still(top)]

    def forget(self, paths: Collection[str]) -> None:
        """Strike these files off, so that the next level archives them even if they do not change."""
        gone = set(paths)
        for folder in self.folders:
            if gone:
                folder.names = [n for n in folder.names if join(folder.inner, os.fsdecode(n[1:])) not in gone]

"""What the tests of backups share: a bench to work at, and an own look at a tree."""

import hashlib
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.runners.archive.snapshot import OVERLAP_NS
from jobs.runners.archive.store import Home, Level
from jobs.runners.archive_list import ArchiveListRunner
from jobs.runners.archive_prune import ArchivePruneRunner
from jobs.runners.backup import BackupRunner
from jobs.runners.base import Result
from jobs.runners.context import Context
from jobs.runners.restore import RestoreRunner

NAME = "papers"


@dataclass
class Bench:
    """A source, a container and places to restore to, all below `top`."""

    top: Path
    context: Context

    def __post_init__(self) -> None:
        self.source = self.top / "source"
        self.container = self.top / "container"
        self.source.mkdir()

    @property
    def home(self) -> Home:
        return Home(self.container, NAME)

    @property
    def levels(self) -> list[Level]:
        return self.home.listing().levels

    def backup(self, **fields: Any) -> Result:
        runner = BackupRunner()
        given = {"source": str(self.source), "container": str(self.container), "backup_name": NAME, **fields}
        return runner.run(runner.validate(given), self.context)

    def restore(self, target: Path | None = None, **fields: Any) -> Result:
        runner = RestoreRunner()
        target = target or self.top / "restored"
        given = {"target": str(target), "container": str(self.container), "backup_name": NAME, **fields}
        return runner.run(runner.validate(given), self.context)

    def list(self, **fields: Any) -> Result:
        runner = ArchiveListRunner()
        return runner.run(runner.validate({"container": str(self.container), **fields}), self.context)

    def prune(self, **fields: Any) -> Result:
        runner = ArchivePruneRunner()
        return runner.run(runner.validate({"container": str(self.container), **fields}), self.context)

    def restored(self, **fields: Any) -> dict[str, Any]:
        """The look of a fresh restore."""
        target = self.top / f"restored-{len(list(self.top.iterdir()))}"
        self.restore(target, **fields)
        return look(target)

    def hub_messages(self) -> str:
        return "".join(text for stream, text in self.context.output if stream == "hub")


def look(top: Path) -> dict[str, Any]:
    """Everything about a tree that a restore must bring back; hard links are shown by their first name."""
    first: dict[tuple[int, int], str] = {}
    found: dict[str, Any] = {}
    for path in sorted([os.fsencode(top), *_below(os.fsencode(top))]):
        name = os.fsdecode(os.path.relpath(path, os.fsencode(top)))
        info = os.lstat(path)
        twin = first.setdefault((info.st_dev, info.st_ino), name)
        found[name] = (
            stat.filemode(info.st_mode),
            info.st_uid,
            info.st_gid,
            info.st_mtime_ns,
            _content(path, info),
            twin,
        )
    return found


def names(top: Path) -> set[str]:
    return set(look(top)) - {"."}


def _below(folder: bytes) -> list[bytes]:
    found = []
    for path, folders, files in os.walk(folder):
        found += [os.path.join(path, name) for name in folders + files]
    return found


def _content(path: bytes, info: os.stat_result) -> str:
    if stat.S_ISLNK(info.st_mode):
        return "-> " + os.fsdecode(os.readlink(path))
    if stat.S_ISREG(info.st_mode):
        with open(path, "rb") as file:
            return f"{info.st_size} bytes, {hashlib.file_digest(file, 'sha256').hexdigest()}"
    return ""


def outlive_overlap() -> None:
    """Wait until what is in the source now counts as unchanged for the level after the next."""
    end = time.time_ns() + OVERLAP_NS
    while time.time_ns() <= end:
        time.sleep(0.1)

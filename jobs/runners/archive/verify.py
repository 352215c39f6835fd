"""Compares a restored tree with what the manifests say."""

# Paths are plain text here: a Path for each of a million files is slow.
# ruff: noqa: PTH108, PTH115, PTH116, PTH120, PTH123, PTH208

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from jobs.errors import RunFailed
from jobs.runners.archive.members import TOP, Member
from jobs.runners.archive.texts import printable
from jobs.runners.archive.tree import Entry, Tree

CHUNK_BYTES = 1 << 20
MAX_NAMED = 20
KINDS: dict[str, Callable[[int], bool]] = {
    "file": stat.S_ISREG,
    "dir": stat.S_ISDIR,
    "symlink": stat.S_ISLNK,
    "fifo": stat.S_ISFIFO,
}
GRAINS_NS = (1, 100, 1000, 10**6, 10**9, 2 * 10**9)
"""How finely file systems keep times."""


def join_twins(folder: str, tree: Tree) -> None:
    """Make one file again of paths that were one when different levels archived them."""
    for paths in tree.groups():
        first = paths[0]
        for path in paths[1:]:
            if _is_equal(tree.entries[first].member, tree.entries[path].member):
                _join(folder, first, path)
                tree.entries[path].twin = tree.entries[first].twin


def _is_equal(a: Member, b: Member) -> bool:
    return (a.type, a.size, a.sha256, a.mtime_ns, a.mode, a.uid, a.gid) == (
        b.type,
        b.size,
        b.sha256,
        b.mtime_ns,
        b.mode,
        b.uid,
        b.gid,
    )


def _join(top: str, first: str, path: str) -> None:
    full, kept = f"{top}/{path}", f"{top}/{first}"
    if os.path.samestat(os.lstat(full), os.lstat(kept)):
        return
    folder = os.path.dirname(full)
    before = os.stat(folder)
    os.unlink(full)
    os.link(kept, full, follow_symlinks=False)
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


@dataclass
class Verification:
    """What differs: `wrong` must fail the restore, `odd` are attributes that the target could not take."""

    folder: str
    tree: Tree
    tick: Callable[[int], None]
    """Told how many bytes were read since the last call; it may raise."""
    wrong: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    def run(self, roots: Sequence[str]) -> None:
        """Raises `RunFailed` when anything is missing, too much or not equal."""
        unseen = dict(self.tree.entries)
        inodes: dict[str, tuple[int, int]] = {}
        for path in self._walk(roots):
            self.tick(0)
            entry = unseen.pop(path, None)
            if entry is None:
                self.wrong.append(f"{printable(path)} is not in the backup")
            else:
                self._compare(path, entry, inodes)
        self.wrong += [f"{printable(path)} is missing" for path in unseen]
        if self.wrong:
            raise RunFailed(
                f"the restored tree is not what was archived: {self.wrong[0]}", causes=self.wrong[1:MAX_NAMED]
            )

    def _walk(self, roots: Sequence[str]) -> Iterator[str]:
        todo = [root for root in roots if os.path.lexists(f"{self.folder}/{root}")]
        while todo:
            path = todo.pop()
            yield path
            full = f"{self.folder}/{path}"
            if stat.S_ISDIR(os.lstat(full).st_mode):
                todo += [name if path == TOP else f"{path}/{name}" for name in os.listdir(full)]

    def _compare(self, path: str, entry: Entry, inodes: dict[str, tuple[int, int]]) -> None:
        member, full = entry.member, f"{self.folder}/{path}"
        info = os.lstat(full)
        if not KINDS[member.type](info.st_mode):
            self.wrong.append(f"{printable(path)} is no {member.type}")
        elif member.type == "symlink" and os.readlink(full) != member.link:
            self.wrong.append(f"{printable(path)} leads elsewhere")
        elif member.type == "file" and (info.st_size != member.size or self._sum(full) != member.sha256):
            self.wrong.append(f"{printable(path)} has a different content")
        elif member.type != "dir" and inodes.setdefault(entry.twin, (info.st_dev, info.st_ino)) != (
            info.st_dev,
            info.st_ino,
        ):
            self.wrong.append(f"{printable(path)} is not the same file as its hard links")
        self._compare_attributes(path, member, info)

    def _compare_attributes(self, path: str, member: Member, info: os.stat_result) -> None:
        is_root = os.geteuid() == 0
        if not any(info.st_mtime_ns == member.mtime_ns // grain * grain for grain in GRAINS_NS):
            self.odd.append(f"{printable(path)}: its time could not be restored")
        bits = 0o7777 if is_root else 0o1777
        if member.type != "symlink" and (info.st_mode ^ member.mode) & bits:
            self.odd.append(f"{printable(path)}: its mode could not be restored")
        if is_root and (info.st_uid, info.st_gid) != (member.uid, member.gid):
            self.odd.append(f"{printable(path)}: its owner could not be restored")

    def _sum(self, full: str) -> str:
        digest = hashlib.sha256()
        fd = os.open(full, os.O_RDONLY | os.O_NOFOLLOW)
        with open(fd, "rb", buffering=0) as file:
            while data := file.read(CHUNK_BYTES):
                digest.update(data)
                self.tick(len(data))
        return digest.hexdigest()

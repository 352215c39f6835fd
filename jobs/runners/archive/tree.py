"""The tree that a chain of levels stands for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from jobs.runners.archive.members import Member, join, name_of, parent_of


@dataclass(slots=True)
class Entry:
    """What a path must be after the restore."""

    member: Member
    twin: str
    """The same for all paths that are one file (hard links made by one level)."""


class Tree:
    """Apply the levels in order, the full one first."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._children: dict[str, set[str]] = {}

    def apply(self, level: int, members: Iterable[Member]) -> None:
        """As tar does: what a folder does not list any more goes, also what became a folder or ceased to be one."""
        for member in members:
            if member.names is not None:
                self._drop_unlisted(member.path, member.names)
            self._put(self._entry(member, level))

    def groups(self) -> Iterator[list[str]]:
        """Paths that were one file when they were archived, also by different levels."""
        found: dict[str, list[str]] = {}
        for path, entry in self.entries.items():
            if entry.member.inode:
                found.setdefault(entry.member.inode, []).append(path)
        return (paths for paths in found.values() if len(paths) > 1)

    def _entry(self, member: Member, level: int) -> Entry:
        """A hard link as the file that it is."""
        if member.type != "hardlink" or member.link is None:
            return Entry(member, f"{level}:{member.path}")
        first = self.entries[member.link]
        return Entry(replace(first.member, path=member.path, inode=member.inode), first.twin)

    def _put(self, entry: Entry) -> None:
        path = entry.member.path
        self.entries[path] = entry
        folder = parent_of(path)
        if folder is not None:
            self._children.setdefault(folder, set()).add(name_of(path))

    def _drop_unlisted(self, folder: str, names: dict[str, str]) -> None:
        for name in list(self._children.get(folder, ())):
            path = join(folder, name)
            is_folder = self.entries[path].member.type == "dir"
            code = names.get(name)
            if code is None or (code == "D" and not is_folder) or (code == "Y" and is_folder):
                self._drop(path)
                self._children[folder].discard(name)

    def _drop(self, top: str) -> None:
        todo = [top]
        while todo:
            path = todo.pop()
            del self.entries[path]
            todo.extend(join(path, name) for name in self._children.pop(path, ()))

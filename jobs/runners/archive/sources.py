"""What a backup reads: its roots, what it must not read, and how much there is."""

# Paths are plain text here: a Path for each of a million files is slow.
# ruff: noqa: PTH118

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from jobs.errors import Invalid, RunFailed
from jobs.runners.archive.manifest import Root
from jobs.runners.archive.members import TOP


@dataclass(frozen=True)
class Sources:
    """The resolved sources, and the folder that tar starts from."""

    top: Path
    roots: tuple[Root, ...]

    @classmethod
    def find(cls, paths: Sequence[Path]) -> "Sources":
        """Raises `RunFailed` naming a source that is missing or cannot be read."""
        for path in paths:
            _require_readable(path)
        if len(paths) == 1 and paths[0].is_dir():
            return cls(paths[0], (Root(source=str(paths[0]), member=TOP, restored_as=TOP),))
        taken: set[str] = set()
        return cls(Path("/"), tuple(_root(path, taken) for path in paths))

    @property
    def arguments(self) -> list[str]:
        return [dotted(root.member) for root in self.roots]

    def inner(self, path: Path) -> str | None:
        """The path of something below the sources as tar names it, `None` for what is not below them."""
        if not any(path.is_relative_to(root.source) for root in self.roots):
            return None
        return dotted(str(path.relative_to(self.top)))

    def exclusions(self, patterns: Sequence[str], hidden: Sequence[str]) -> list[str]:
        """tar's options: `hidden` are exact paths, `patterns` the user's: anchored when absolute."""
        loose = [pattern for pattern in patterns if not pattern.startswith("/")]
        anchored = [self._anchored(pattern) for pattern in patterns if pattern.startswith("/")]
        # In this order: the last settings also hold for the names to archive, which are exact.
        return [
            *(f"--exclude={pattern}" for pattern in loose),
            "--anchored",
            "--no-wildcards-match-slash",
            *(f"--exclude={pattern}" for pattern in anchored),
            "--no-wildcards",
            *(f"--exclude={path}" for path in hidden),
        ]

    def _anchored(self, pattern: str) -> str:
        return dotted(str(Path(pattern).relative_to(self.top)))


def dotted(path: str) -> str:
    return path if path == TOP else f"./{path}"


def _require_readable(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except FileNotFoundError:
        raise RunFailed(f"the source {path} does not exist") from None
    except OSError as error:
        raise RunFailed(f"the source {path} cannot be read: {error.strerror}") from error


def _root(path: Path, taken: set[str]) -> Root:
    name, n = path.name, 2
    while name in taken:
        name, n = f"{path.name}_{n}", n + 1
    taken.add(name)
    return Root(source=str(path), member=str(path.relative_to("/")), restored_as=name)


def check_sources(paths: Sequence[Path]) -> None:
    """Raises `Invalid` for sources that lie inside one another, which would be archived twice."""
    if not paths:
        raise Invalid.field("source", "wanted at least one path")
    for i, path in enumerate(paths):
        for other in paths[i + 1 :]:
            if path.is_relative_to(other) or other.is_relative_to(path):
                raise Invalid.field("source", f"{path} and {other} lie inside one another; give the outer one only")


@dataclass
class Scan:
    """A look at the sources before tar reads them. What cannot be read is left to tar, which warns."""

    content_bytes: int = 0
    """Of all files; with `since_ns`, of those that changed since."""
    devices: list[str] = field(default_factory=list)
    """Paths of device nodes, which are never archived: a restore would refuse them."""
    inodes: dict[str, str] = field(default_factory=dict)
    """Path to `device:inode` for files with several names."""

    def look(self, sources: Sources, *, hidden: Sequence[str], since_ns: int, tick: Callable[[], None]) -> None:
        """`hidden` paths are passed over; `tick` is called for every folder and may raise."""
        seen: set[str] = set()
        for path, info in _walk(sources, set(hidden), tick):
            if stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
                self.devices.append(path)
            elif stat.S_ISREG(info.st_mode):
                self._note(path, info, since_ns, seen)

    def _note(self, path: str, info: os.stat_result, since_ns: int, seen: set[str]) -> None:
        if info.st_nlink > 1:
            inode = f"{info.st_dev}:{info.st_ino}"
            self.inodes[path.removeprefix("./")] = inode
            if inode in seen:
                return
            seen.add(inode)
        if max(info.st_mtime_ns, info.st_ctime_ns) >= since_ns:
            self.content_bytes += info.st_size


def _walk(sources: Sources, hidden: set[str], tick: Callable[[], None]) -> Iterator[tuple[str, os.stat_result]]:
    """Everything but folders, as tar names it."""
    todo = sources.arguments
    for path in list(todo):
        with suppress(OSError):
            info = os.lstat(os.path.join(sources.top, path))
            if not stat.S_ISDIR(info.st_mode):
                todo.remove(path)
                yield path, info
    while todo:
        tick()
        folder = todo.pop()
        try:
            entries = list(os.scandir(os.path.join(sources.top, folder)))
        except OSError:
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if path in hidden:
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(path)
                else:
                    yield path, entry.stat(follow_symlinks=False)
            except OSError:
                continue

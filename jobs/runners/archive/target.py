"""Where a restore lands: first beside the target's own files in a hidden folder, then, proved, moved into place."""

# Paths are plain text here: a Path for each of a million files is slow.
# ruff: noqa: PTH101, PTH116, PTH102, PTH119, PTH120, PTH123, PTH208

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import RunFailed
from jobs.runners.archive.errors import disk_errors
from jobs.runners.archive.folders import opened
from jobs.runners.archive.manifest import Root
from jobs.runners.archive.texts import printable

STAGING = ".restore-partial-"
LOCK = "lock"
TREE = "tree"


@dataclass(frozen=True)
class Target:
    """`at` is the target held open (a path that cannot be led elsewhere), `path` is for messages."""

    path: Path
    at: str
    is_new: bool

    @contextmanager
    def staging(self, name: str) -> Iterator[str]:
        """An empty folder on the target's file system; it is gone in the end, and so is what dead restores left."""
        self._clean()
        folder = f"{self.at}/{STAGING}{name}"
        os.mkdir(folder, 0o700)
        try:
            with open(f"{folder}/{LOCK}", "xb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.mkdir(f"{folder}/{TREE}", 0o700)
                yield f"{folder}/{TREE}"
        finally:
            before = os.stat(self.at)
            _remove(folder)
            if self.is_new:
                os.utime(self.at, ns=(before.st_atime_ns, before.st_mtime_ns))

    def _clean(self) -> None:
        for name in os.listdir(self.at):
            if name.startswith(STAGING) and not _is_alive(f"{self.at}/{name}/{LOCK}"):
                _remove(f"{self.at}/{name}")

    def take(self, staging: str, roots: Sequence[Root]) -> None:
        """Move the tree into place. Nothing is moved (`RunFailed`) when a folder stands where a file must go.

        Folders are merged, other things of the same name replaced; what the backup does not know stays.
        """
        moves = [(f"{staging}/{root.member}", root) for root in roots if os.path.lexists(f"{staging}/{root.member}")]
        for source, root in moves:
            _refuse_conflicts(source, str(self.path if root.is_top else self.path / root.restored_as))
        with _folder(self.at) as at:
            for source, root in moves:
                if root.is_top:
                    self._take_top(source, at)
                else:
                    _put(source, root.restored_as, at)

    def _take_top(self, source: str, at: int) -> None:
        """A folder that was there before the restore keeps its own mode, owner and times."""
        with _folder(source) as folder:
            before = os.fstat(folder)
            _merge(folder, at)
            if self.is_new:
                _copy_attributes(folder, before, at)


@contextmanager
def open_target(path: Path) -> Iterator[Target]:
    """Made with its parents if it is missing. A new target goes again when the block fails."""
    with disk_errors("the target", path), ExitStack() as undo:
        is_new = not path.exists()
        if is_new:
            path.mkdir(parents=True)
            undo.callback(_remove_if_empty, path)
        elif not path.is_dir():
            raise RunFailed(f"the target {path} is not a folder")
        with opened(path) as at:
            yield Target(path, at, is_new)
        undo.pop_all()


def _remove_if_empty(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()


def _remove(folder: str) -> None:
    """Also what tar made read-only."""
    for path, _, _ in os.walk(folder) if os.geteuid() else ():
        os.chmod(path, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _is_alive(lock: str) -> bool:
    try:
        with open(lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _refuse_conflicts(source: str, place: str) -> None:
    if not _is_folder(place):
        return
    if not _is_folder(source):
        raise RunFailed(f"{printable(place)} is a folder, but a file in the backup: move it away first")
    for name in os.listdir(source):
        _refuse_conflicts(f"{source}/{name}", f"{place}/{name}")


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


@contextmanager
def _folder(path: str, parent: int | None = None) -> Iterator[int]:
    """A descriptor of the folder itself: symlinks are not followed below `parent`."""
    follow = 0 if parent is None else os.O_NOFOLLOW
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | follow, dir_fd=parent)
    try:
        yield fd
    finally:
        os.close(fd)


def _put(source: str, name: str, at: int) -> None:
    with _folder(os.path.dirname(source)) as parent:
        _move(os.path.basename(source), parent, name, at)


def _merge(source: int, target: int) -> None:
    for name in os.listdir(source):
        _move(name, source, name, target)


def _move(name: str, parent: int, new_name: str, target: int) -> None:
    there = _mode(new_name, target)
    if not stat.S_ISDIR(_mode(name, parent)):
        os.rename(name, new_name, src_dir_fd=parent, dst_dir_fd=target)
        return
    with _folder(name, parent) as folder:
        before = os.fstat(folder)
        if os.geteuid():
            os.fchmod(folder, 0o700)  # only then may its owner move it or what is in it
        if stat.S_ISDIR(there):
            with _folder(new_name, target) as other:
                _merge(folder, other)
                _copy_attributes(folder, before, other)
            return
        if there:
            os.unlink(new_name, dir_fd=target)
        os.rename(name, new_name, src_dir_fd=parent, dst_dir_fd=target)
        os.fchmod(folder, stat.S_IMODE(before.st_mode))


def _mode(name: str, parent: int) -> int:
    """0 when there is nothing."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0


def _copy_attributes(source: int, before: os.stat_result, target: int) -> None:
    if os.geteuid() == 0:
        os.fchown(target, before.st_uid, before.st_gid)
    os.fchmod(source, stat.S_IMODE(before.st_mode))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.copystat(f"/proc/self/fd/{source}", f"/proc/self/fd/{target}")

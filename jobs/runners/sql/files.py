"""Files as targets: opened beneath their checked folder, written in place or beside it and put there at the end."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import RunFailed, Stopped
from jobs.paths import guard
from jobs.runners.archive.errors import disk_errors, refusals
from jobs.runners.context import Context

PART = ".{}.jobhub-part"
MODE = 0o666
"""As the umask of the worker cuts it."""


class Folder:
    """The folder of a target, held open: whatever links are put in its way later, files are opened in this one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        link = Path(f"/proc/self/fd/{self.fd}")
        if link.exists() and link.readlink() != path:
            os.close(self.fd)
            raise RunFailed(f"the folder {path} was replaced while it was opened")

    def open(self, name: str) -> int:
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, MODE, dir_fd=self.fd)

    def is_at(self, name: str, fd: int) -> bool:
        """Whether the open file is still the one of that name."""
        try:
            there = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(fd))

    def has(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True


@contextmanager
def folder_of(path: str) -> Iterator[tuple[Folder, str]]:
    """The open folder of a path that is allowed now, and the file's name in it. `OSError` is told as the target's."""
    with refusals():
        resolved = guard().check(path, field="target", tree=False)
    with disk_errors("the target", resolved):
        folder = Folder(resolved.parent)
        try:
            yield folder, resolved.name
        finally:
            os.close(folder.fd)


def lock(folder: Folder, name: str, context: Context) -> int:
    """The open file, ours alone. Waits for a run that still has it; the lock ends with its process.

    Raises `Stopped` while it waits, `RunFailed` when the other one stays.
    """
    for _ in range(int(context.lease_s) + 30):
        fd = folder.open(name)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder.is_at(name, fd):
                return fd
        except BlockingIOError:
            pass
        os.close(fd)
        if context.wait(1):
            raise Stopped(str(context.stop_reason))
    raise RunFailed(f"another run is still writing to {folder.path / name}")


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


@contextmanager
def beside(path: str, context: Context) -> Iterator[tuple[int, Callable[[], int]]]:
    """A new file that takes the place of the old one only when the caller says so.

    Yields its descriptor and the function that puts it there, which returns its size. Without that call it goes.
    """
    with folder_of(path) as (folder, name):
        part = PART.format(name)
        fd = lock(folder, part, context)
        is_there = False

        def put() -> int:
            nonlocal is_there
            os.fsync(fd)
            os.rename(part, name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
            is_there = True
            os.fsync(folder.fd)
            return os.fstat(fd).st_size

        try:
            os.ftruncate(fd, 0)
            yield fd, put
        finally:
            if not is_there and folder.is_at(part, fd):
                os.unlink(part, dir_fd=folder.fd)
            os.close(fd)

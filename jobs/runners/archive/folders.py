"""Folders held open, so that what was checked is what is used."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import RunFailed


@contextmanager
def opened(path: Path) -> Iterator[str]:
    """A path to the open folder, for this process and as the `cwd` of its children.

    `path` is resolved. `RunFailed` if it cannot be opened, or a symlink has come in its way since.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RunFailed(f"{path}: {error.strerror}") from error
    try:
        own = f"/proc/self/fd/{fd}"
        if Path(own).readlink() != path:
            raise RunFailed(f"{path} has moved since it was checked")
        yield own
    finally:
        os.close(fd)

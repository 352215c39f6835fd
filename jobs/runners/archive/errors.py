"""What goes wrong with archives, in words that name the place and the way out."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import Invalid, RunFailed
from jobs.runners.archive.texts import size_text

FULL = (errno.ENOSPC, errno.EDQUOT)


class BadArchive(Exception):
    """The archive is not what this package writes; the text says where it differs."""


@contextmanager
def disk_errors(what: str, path: Path) -> Iterator[None]:
    """Turn an `OSError` into a `RunFailed` that names `what` (container, target) and, if it is full, its free space."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise RunFailed(is_full(what, path), causes=[str(error)]) from error
        raise RunFailed(f"{what} {path}: {error.strerror or error}", causes=[str(error)]) from error


@contextmanager
def refusals() -> Iterator[None]:
    """A path that was allowed when the job was saved may be refused now: that is a failure of the run."""
    try:
        yield
    except Invalid as error:
        raise RunFailed(error.message) from error


def is_full(what: str, path: Path) -> str:
    return f"{what} {path} is full ({free_space(path)} free): make room or choose another place"


def free_space(path: Path) -> str:
    """Of the file system that holds `path`, which itself need not exist."""
    while not path.exists():
        path = path.parent
    return size_text(shutil.disk_usage(path).free)

"""The guard of the file system: which paths a job may read and write."""

import os
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import Invalid


@dataclass(frozen=True)
class PathGuard:
    """Allowed roots, refused roots, and the home of relative container names.

    A refused root wins over an allowed one that covers it; only the roots in `always`, which the hub itself gives to
    jobs, may lie inside a refused one. Symlinks are resolved before the answer, so a link that leads out is refused.
    """

    allowed: tuple[Path, ...]
    refused: tuple[Path, ...]
    data: Path
    always: tuple[Path, ...] = ()

    def check(self, path: str | Path, *, field: str = "path", tree: bool = True) -> Path:
        """The resolved path, or `Invalid` naming `field` and the setting that would allow it.

        With `tree` (everything below it will be read or written) a path that holds a refused root is refused too.
        """
        text = os.fspath(path)
        if not text or "\0" in text or not text.isprintable():
            raise Invalid.field(field, "wanted a path of printable characters")
        if not Path(text).is_absolute():
            raise Invalid.field(field, f"wanted an absolute path, got {text!r}")
        resolved = Path(os.path.realpath(text))
        if any(self._refuses(root, resolved) for root in self.refused):
            raise Invalid.field(field, f"{text!r} belongs to the hub itself and is never given to a job")
        if not any(resolved.is_relative_to(root) for root in (*self.allowed, *self.always)):
            raise Invalid.field(field, f"{text!r} is outside the allowed paths; add its root to JOBHUB_ALLOWED_PATHS")
        if tree and any(root.is_relative_to(resolved) for root in self.refused):
            raise Invalid.field(field, f"{text!r} holds the hub's own files; name the folders beside them instead")
        return resolved

    def _refuses(self, root: Path, path: Path) -> bool:
        if not path.is_relative_to(root):
            return False
        return not any(path.is_relative_to(mine) and mine.is_relative_to(root) for mine in self.always)

    def container(self, name: str, *, field: str = "container") -> Path:
        """Where archives of a container lie: an allowed absolute path, or a plain name below the hub's data."""
        if Path(name).is_absolute():
            return self.check(name, field=field)
        return self.check(self.data / "archives" / name, field=field)


_guard: PathGuard | None = None


def configure(guard: PathGuard) -> None:
    """Set the guard of this process; done once at start from the settings."""
    global _guard
    _guard = guard


def guard() -> PathGuard:
    """The guard of this process."""
    if _guard is None:
        raise RuntimeError("jobs.paths.configure() was not called")
    return _guard

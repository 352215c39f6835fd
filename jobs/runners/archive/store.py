"""The folders of a container: complete levels, what is damaged, what is half-written, and the lock of a backup."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jobs.errors import Invalid, RunFailed
from jobs.paths import guard
from jobs.runners.archive.errors import disk_errors
from jobs.runners.archive.manifest import MANIFEST, Damaged, Manifest, is_level_id, stamp_of

PARTIAL = ".partial-"
LOCK = ".lock"
MAX_NAME_BYTES = 200


@dataclass(frozen=True)
class Level:
    """A complete level. That its archive is undamaged is not known yet."""

    path: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def archive(self) -> Path:
        return self.path / self.manifest.archive_name


@dataclass(frozen=True)
class Damage:
    """A folder that looks like a level but cannot be read as one, or something that has no business there."""

    path: Path
    reason: str

    @property
    def is_level(self) -> bool:
        return is_level_id(self.path.name)

    @property
    def stamp(self) -> datetime:
        """Of a level: when it began."""
        return stamp_of(self.path.name)


@dataclass(frozen=True)
class Listing:
    """The levels of one backup, the oldest first."""

    levels: list[Level]
    damages: list[Damage]


@dataclass(frozen=True)
class Home:
    """Where the levels of one backup lie."""

    container: Path
    name: str

    @property
    def path(self) -> Path:
        return self.container / self.name

    def listing(self) -> Listing:
        """What is complete and what is not as it should be; half-written levels are neither."""
        levels: list[Level] = []
        damages: list[Damage] = []
        for path in sorted(self.path.iterdir()) if self.path.is_dir() else ():
            if path.name == LOCK or path.name.startswith(PARTIAL):
                continue
            found = _examine(path, self.name)
            if isinstance(found, Level):
                levels.append(found)
            else:
                damages.append(found)
        return Listing(levels, damages)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if need be, and be the only writer in it; `HomeIsBusy` while another one is at work.

        The lock ends with its process, so a dead worker never keeps it. What dead runs left half-written goes.
        """
        with disk_errors("the container", self.container):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(lock, "r+b", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeIsBusy(f"another run is writing to the backup {self.name!r} in {self.container}") from None
            self._clean()
            yield

    def _clean(self) -> None:
        with disk_errors("the container", self.container):
            for path in self.path.glob(PARTIAL + "*"):
                shutil.rmtree(path)

    @contextmanager
    def partial(self, name: str) -> Iterator[Path]:
        """A new folder that becomes the level `name` as the very last step, when the block ends well; else it goes."""
        path = self.path / (PARTIAL + name)
        path.mkdir(mode=0o700)
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, path, ignore_errors=True)
            yield path
            sync(path)
            path.rename(self.path / name)
            stack.pop_all()
        sync(self.path)

    def remove(self, level: Level) -> None:
        """At once no level any more, then gone."""
        doomed = self.path / f"{PARTIAL}removed-{level.id}"
        level.path.rename(doomed)
        sync(self.path)
        shutil.rmtree(doomed)


class HomeIsBusy(RunFailed):
    """Another run is writing to the backup."""


def find_container(container: str) -> Path:
    """Raises `Invalid` unless the guard allows it."""
    if not container or ".." in Path(container).parts:
        raise Invalid.field("container", "wanted a path or name without '..'")
    return guard().container(container)


def find_home(container: str, name: str) -> Home:
    """Raises `Invalid` unless the guard allows it and it is no symlink."""
    home = Home(find_container(container), name)
    if guard().check(home.path, field="backup_name") != home.path:
        raise Invalid.field("backup_name", f"{home.path} is a symlink")
    return home


def _examine(path: Path, backup_name: str) -> Level | Damage:
    if not is_level_id(path.name) or not path.is_dir() or path.is_symlink():
        return Damage(path, "it is not a level of a backup")
    try:
        manifest = Manifest.read(path / MANIFEST)
        level = Level(path, manifest)
        size = level.archive.stat().st_size
    except Damaged as error:
        return Damage(path, str(error))
    except OSError as error:
        return Damage(path, f"{error.filename}: {error.strerror}")
    if (manifest.id, manifest.backup_name) != (path.name, backup_name):
        return Damage(path, f"it was made as {manifest.backup_name}/{manifest.id}")
    if size != manifest.archive.size_bytes:
        return Damage(path, f"{level.archive} has {size} bytes instead of {manifest.archive.size_bytes}")
    return level


def backup_names(container: Path) -> tuple[list[str], list[Damage]]:
    """The backups of a container, and what lies there and is none."""
    names: list[str] = []
    strangers: list[Damage] = []
    for path in sorted(container.iterdir()) if container.is_dir() else ():
        if path.is_dir() and any(child.name == LOCK or is_level_id(child.name) for child in path.iterdir()):
            names.append(path.name)
        else:
            strangers.append(Damage(path, "it is not a backup"))
    return names, strangers


def check_name(name: str, *, field: str = "backup_name") -> None:
    """Raises `Invalid` unless it is one plain component of a path."""
    if not re.fullmatch(r"[\w@%+=:,-][\w@%+=:,. -]*", name) or len(os.fsencode(name)) > MAX_NAME_BYTES:
        raise Invalid.field(
            field,
            "wanted one name of letters, digits, blanks and -_.,:@%+= that does not begin with a dot or blank",
        )


def safe_name(text: str) -> str:
    """A name for the backups of a job: what `check_name` does not take becomes `_`."""
    name = re.sub(r"[^\w@%+=:,. -]", "_", text).lstrip(". ")
    while len(os.fsencode(name)) > MAX_NAME_BYTES:
        name = name[:-1]
    return name or "backup"


def sync(path: Path) -> None:
    """Have a file's content, or the names in a folder, on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

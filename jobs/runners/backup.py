"""The runner `backup`: archives folders and files in full and incremental levels."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pydantic

from jobs.errors import Invalid, RunFailed
from jobs.paths import guard
from jobs.runners.archive.chain import LevelRules, chain_of, newest_at
from jobs.runners.archive.compress import Compression, best_compression
from jobs.runners.archive.create import Order, make_level
from jobs.runners.archive.errors import refusals
from jobs.runners.archive.manifest import SNAPSHOT, Damaged
from jobs.runners.archive.sources import Sources, check_sources
from jobs.runners.archive.store import Home, Level, check_name, find_home, safe_name
from jobs.runners.archive.texts import counted, printable, size_text
from jobs.runners.base import OnLost, Result, Runner, Spec
from jobs.runners.context import ArchiveRecord, Context

Count = Annotated[int, pydantic.Field(ge=0)]
MAX_DAYS = 36500


class BackupSpec(Spec):
    """What to archive, where to, and which level comes next.

    Levels are as Freezer's: level 0 is full, level n holds what changed since level n-1. Without `max_level`,
    `always_level` and `restart_after_days` every run is a full one. With `restart_after_days` alone the levels go up
    until it is time for a full one.
    """

    source: str | list[str]
    """Absolute paths. One folder: its contents are the backup. Several, or a file: each under its name."""
    container: str
    """Where backups lie: an absolute path, or a name below the hub's data."""
    backup_name: str | None = None
    """The folder of this backup in the container; default: the job's name."""
    max_level: Count | None = None
    """After a level of this number the next one is full. 0: always full."""
    always_level: Count | None = None
    """Levels go up to this number and stay there: each further one is based on the level before that number, so a
    restore never needs more than this many incremental levels. Not together with `max_level`."""
    restart_after_days: Annotated[float, pydantic.Field(gt=0, le=MAX_DAYS)] | None = None
    """The next level is a full one when the last full one is older than this."""
    exclude: list[Annotated[str, pydantic.Field(min_length=1)]] = []
    """Patterns as tar's `--exclude` (`*.o`, `cache`, `logs/old`): they match a name or the end of a path. One that
    begins with `/` means exactly that path or pattern below a source."""
    compression: Compression | None = None
    """Default: zstd where the program is installed, else gzip."""
    one_file_system: bool = False
    """Do not go into other file systems that are mounted below the source."""

    @property
    def sources(self) -> list[str]:
        return [self.source] if isinstance(self.source, str) else self.source


class BackupRunner(Runner[BackupSpec]):
    name = "backup"
    Spec = BackupSpec
    on_lost = OnLost.RERUN

    def check(self, spec: BackupSpec) -> None:
        paths = _paths(spec)
        check_sources(paths)
        if spec.backup_name is not None:
            check_name(spec.backup_name)
        _check_apart(paths, find_home(spec.container, spec.backup_name or "backup"))
        if spec.max_level is not None and spec.always_level is not None:
            raise Invalid.field("always_level", "give either max_level or always_level, not both")
        _patterns(spec, paths)

    def run(self, spec: BackupSpec, context: Context) -> Result:
        with refusals():
            paths = _paths(spec)
            home = find_home(spec.container, spec.backup_name or safe_name(context.info.job))
            _check_apart(paths, home)
            exclude = tuple(_patterns(spec, paths))
        sources = Sources.find(paths)
        with home.locked():
            order = Order(
                home=home,
                sources=sources,
                exclude=exclude,
                one_file_system=spec.one_file_system,
                compression=spec.compression or best_compression(),
                base=None,
            )
            level = make_level(_with_base(order, _rules(spec), context), context)
            context.archive_made(_record(level))
        return Result(message=_message(level), records=level.manifest.n_files)


def _paths(spec: BackupSpec) -> list[Path]:
    return [guard().check(path, field="source") for path in spec.sources]


def _check_apart(paths: list[Path], home: Home) -> None:
    for path in paths:
        if path.is_relative_to(home.path):
            raise Invalid.field("source", f"{path} lies where this backup writes its archives")


def _patterns(spec: BackupSpec, paths: list[Path]) -> list[str]:
    """Absolute ones in terms of the resolved sources."""
    return [_pattern(pattern.rstrip("/") or pattern, spec, paths) for pattern in spec.exclude]


def _pattern(pattern: str, spec: BackupSpec, paths: list[Path]) -> str:
    if not pattern.startswith("/"):
        return pattern
    for given, path in zip(spec.sources, paths, strict=True):
        for start in (given.rstrip("/"), str(path).rstrip("/")):
            if pattern.startswith(start + "/"):
                return str(path / pattern.removeprefix(start + "/"))
    raise Invalid.field("exclude", f"{pattern!r} lies below no source; a pattern for any place has no slash in front")


def _rules(spec: BackupSpec) -> LevelRules:
    return LevelRules(spec.max_level, spec.always_level, spec.restart_after_days)


def _with_base(order: Order, rules: LevelRules, context: Context) -> Order:
    """The order for the next level by the rules. What stands against an incremental one makes it a full one."""
    if rules.is_always_full:
        return order
    try:
        base = rules.base_of_next(_newest_chain(order.home, context), datetime.now(UTC))
        if base:
            base.manifest.snapshot.check(base.path / SNAPSHOT)
    except (RunFailed, Damaged, OSError) as error:
        context.warn(f"making a full backup: {printable(str(error))}")
        return order
    if base and not order.is_like(base):
        context.log("the sources or exclusions have changed: making a full backup\n", "hub")
        return order
    return replace(order, base=base)


def _newest_chain(home: Home, context: Context) -> list[Level]:
    """Raises `RunFailed` when it is not whole."""
    listing = home.listing()
    now = datetime.now(UTC)
    for damage in listing.damages:
        context.warn(f"{printable(str(damage.path))}: {printable(damage.reason)}")
    for level in listing.levels:
        if level.manifest.created_at > now:
            context.warn(f"{level.path} was made in the future: is the clock right? It is passed over")
    if not any(level.manifest.created_at <= now for level in listing.levels):
        return []
    return chain_of(newest_at(home, listing, now), listing)


def _record(level: Level) -> ArchiveRecord:
    manifest = level.manifest
    return ArchiveRecord(
        container=str(level.path.parent.parent),
        name=manifest.backup_name,
        level=manifest.level,
        path=str(level.path),
        size_bytes=manifest.archive.size_bytes,
        sha256=manifest.archive.sha256,
        created_at=manifest.created_at,
        parent=str(level.path.with_name(manifest.parent)) if manifest.parent else None,
    )


def _message(level: Level) -> str:
    manifest = level.manifest
    content, archive = size_text(manifest.content_bytes), size_text(manifest.archive.size_bytes)
    return (
        f"level {manifest.level}, {counted(manifest.n_files, 'file')}, {content} in {archive} ({manifest.compression})"
    )

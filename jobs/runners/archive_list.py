"""The runner `archive_list`: says what lies in a container."""

from collections.abc import Sequence

from jobs.errors import RunFailed
from jobs.runners.archive.errors import disk_errors, refusals
from jobs.runners.archive.store import Damage, Home, Level, backup_names, check_name, find_container, find_home
from jobs.runners.archive.texts import counted, printable, size_text
from jobs.runners.base import OnLost, Result, Runner, Spec
from jobs.runners.context import Context

HEADER = ("BACKUP", "LEVEL", "BEGAN", "FILES", "CONTENT", "ARCHIVE", "FOLDER")


class ArchiveListSpec(Spec):
    """Which backups to list. Damaged and foreign folders are warnings."""

    container: str
    backup_name: str | None = None
    """Default: all backups of the container."""


class ArchiveListRunner(Runner[ArchiveListSpec]):
    name = "archive_list"
    Spec = ArchiveListSpec
    on_lost = OnLost.RERUN

    def check(self, spec: ArchiveListSpec) -> None:
        if spec.backup_name is not None:
            check_name(spec.backup_name)
        find_container(spec.container)

    def run(self, spec: ArchiveListSpec, context: Context) -> Result:
        homes = find_homes(spec.container, spec.backup_name, context)
        rows: list[tuple[str, ...]] = [HEADER]
        for home in homes:
            context.raise_if_stopped()
            listing = home.listing()
            warn_of(listing.damages, context)
            rows += [_row(level) for level in listing.levels]
        context.log(_table(rows))
        n_levels = len(rows) - 1
        context.report(records=n_levels)
        return Result(message=f"{counted(len(homes), 'backup')}, {counted(n_levels, 'level')}", records=n_levels)


def find_homes(container: str, backup_name: str | None, context: Context) -> list[Home]:
    """The named backup, else all of the container. Warns of what lies there and is none."""
    with refusals():
        path = find_container(container)
        if not path.is_dir():
            raise RunFailed(f"the container {path} does not exist")
        if backup_name is not None:
            return [find_home(container, backup_name)]
        with disk_errors("the container", path):
            names, strangers = backup_names(path)
        warn_of(strangers, context)
        return [find_home(container, name) for name in names]


def warn_of(damages: Sequence[Damage], context: Context) -> None:
    for damage in damages:
        context.warn(f"{printable(str(damage.path))}: {printable(damage.reason)}")


def _row(level: Level) -> tuple[str, ...]:
    manifest = level.manifest
    return (
        manifest.backup_name,
        str(manifest.level),
        manifest.created_at.isoformat(timespec="seconds"),
        str(manifest.n_files),
        size_text(manifest.content_bytes),
        f"{size_text(manifest.archive.size_bytes)} {manifest.compression}",
        str(level.path),
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)

"""The runner `archive_prune`: removes old levels that nothing needs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pydantic

from jobs.errors import RunFailed
from jobs.runners.archive.chain import to_remove
from jobs.runners.archive.errors import disk_errors
from jobs.runners.archive.store import Home, HomeIsBusy, Level, check_name, find_container
from jobs.runners.archive.texts import counted, size_text
from jobs.runners.archive_list import find_homes, warn_of
from jobs.runners.base import OnLost, Result, Runner, Spec
from jobs.runners.context import Context

MAX_DAYS = 36500


class ArchivePruneSpec(Spec):
    """What is too old. A level stays while a younger one needs it, and so does the newest level with all it needs."""

    container: str
    backup_name: str | None = None
    """Default: every backup of the container."""
    older_than_days: Annotated[float, pydantic.Field(gt=0, le=MAX_DAYS)]
    dry_run: bool = False
    """Only say what would go."""


class ArchivePruneRunner(Runner[ArchivePruneSpec]):
    name = "archive_prune"
    Spec = ArchivePruneSpec
    on_lost = OnLost.RERUN

    def check(self, spec: ArchivePruneSpec) -> None:
        if spec.backup_name is not None:
            check_name(spec.backup_name)
        find_container(spec.container)

    def run(self, spec: ArchivePruneSpec, context: Context) -> Result:
        removed: list[Level] = []
        for home in find_homes(spec.container, spec.backup_name, context):
            context.raise_if_stopped()
            removed += _prune(home, spec, context)
            context.report(records=len(removed))
        freed = size_text(sum(level.manifest.archive.size_bytes for level in removed))
        done = "would be removed" if spec.dry_run else "removed"
        return Result(message=f"{counted(len(removed), 'level')} {done}, {freed}", records=len(removed))


def _prune(home: Home, spec: ArchivePruneSpec, context: Context) -> Sequence[Level]:
    """The levels that have gone. Of many backups one that is being written is passed over with a warning."""
    if not home.path.is_dir():
        raise RunFailed(f"there is no backup {home.name!r} in {home.container}")
    if spec.dry_run:
        return _doomed(home, spec, context)
    try:
        with home.locked():
            doomed = _doomed(home, spec, context)
            for level in doomed:
                context.raise_if_stopped()
                _remove(home, level, context)
            return doomed
    except HomeIsBusy as error:
        if spec.backup_name is not None:
            raise
        context.warn(error.message)
        return []


def _doomed(home: Home, spec: ArchivePruneSpec, context: Context) -> Sequence[Level]:
    """Those that need others first, so that a removal cut short never leaves a level without what it needs."""
    listing = home.listing()
    warn_of(listing.damages, context)
    before = datetime.now(UTC) - timedelta(days=spec.older_than_days)
    doomed = to_remove(listing, lambda _, began_at: began_at < before)
    for level in doomed:
        context.log(f"{'would remove' if spec.dry_run else 'removing'} {level.path}\n")
    return doomed


def _remove(home: Home, level: Level, context: Context) -> None:
    with disk_errors("the container", home.container):
        home.remove(level)
    context.archive_removed(str(level.path))

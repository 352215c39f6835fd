"""The runner `restore`: brings back a backup as it was at a moment, proved file by file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from jobs.errors import Invalid, RunFailed
from jobs.paths import guard
from jobs.runners.archive.chain import chain_of, newest_at
from jobs.runners.archive.errors import refusals
from jobs.runners.archive.extract import check_level, extract_level
from jobs.runners.archive.store import Home, Level, backup_names, check_name, find_home
from jobs.runners.archive.target import Target, open_target
from jobs.runners.archive.texts import counted, size_text
from jobs.runners.archive.tree import Tree
from jobs.runners.archive.verify import Verification, join_twins
from jobs.runners.base import Result, Runner, Spec
from jobs.runners.context import Context

MAX_NAMED = 20


class RestoreSpec(Spec):
    """What to bring back, and where to.

    A backup of one folder lands as the contents of `target`; of several sources, or a file, each lands there under
    its base name (`data`, and `data_2` for a second one). The tree is unpacked and checked in a hidden folder
    `.restore-partial-…` inside the target and only then moved into place: folders are merged, files of the same
    name replaced, and what the backup does not know stays. While that folder is there, the restore is not complete.
    """

    container: str
    """Where the backup lies, as in the `backup` runner."""
    backup_name: str
    target: str
    """An absolute path. A missing folder is made and takes mode, owner and times of the source."""
    at: str | None = None
    """RFC 3339 with a zone: the newest level that began at that moment or before. Default: now. A trigger's param `at`
    goes before it."""


class RestoreRunner(Runner[RestoreSpec]):
    name = "restore"
    Spec = RestoreSpec

    def check(self, spec: RestoreSpec) -> None:
        check_name(spec.backup_name)
        find_home(spec.container, spec.backup_name)
        guard().check(spec.target, field="target")
        _moment(spec.at)

    def run(self, spec: RestoreSpec, context: Context) -> Result:
        with refusals():
            home = find_home(spec.container, spec.backup_name)
            path = guard().check(spec.target, field="target")
        chain = _chain(home, _moment(context.params.get("at") or spec.at))
        _refuse_overlap(path, home)
        meter = _Meter(context, [level.manifest.content_bytes for level in chain])
        tree = Tree()
        for level in chain:
            tree.apply(level.manifest.level, check_level(level, context, meter.add))
            meter.finish_part()
        with open_target(path) as target:
            _restore(chain, tree, target, context, meter)
        return _result(chain[-1], tree, path)


class _Meter:
    """Progress in bytes of content: every level is checked and unpacked, then the tree is compared."""

    def __init__(self, context: Context, levels: Sequence[int]) -> None:
        self._context = context
        self._ends = list(accumulate([*levels, *levels]))
        self._done = 0
        context.progress(0, 2 * self._ends[-1], "bytes")

    def add(self, n_bytes: int) -> None:
        """Raises `Stopped`."""
        self._context.raise_if_stopped()
        self._done += n_bytes
        self._context.progress(self._done)

    def finish_part(self) -> None:
        """What a part counted differently (holes of sparse files, padding) is put right at its end."""
        self._done = self._ends.pop(0)
        self._context.progress(self._done)

    def finish(self) -> None:
        self._context.progress(self._done, self._done)


def _moment(at: Any) -> datetime:
    if at is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in at.upper():
        raise Invalid.field("at", f"wanted a time such as 2026-11-22T18:30:00Z or +01:00, got {at!r}")
    return moment


def _chain(home: Home, at: datetime) -> list[Level]:
    listing = home.listing()
    if not listing.levels and not listing.damages:
        raise RunFailed(f"there is no backup {home.name!r} in {home.container}; {_what_is_there(home.container)}")
    return chain_of(newest_at(home, listing, at), listing)


def _what_is_there(container: Path) -> str:
    names, _ = backup_names(container)
    if not names:
        return "it holds none"
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"it holds {', '.join(names[:MAX_NAMED])}{more}"


def _refuse_overlap(target: Path, home: Home) -> None:
    if target.is_relative_to(home.path):
        raise RunFailed(f"the target {target} lies among the archives of the backup itself")


def _restore(chain: list[Level], tree: Tree, target: Target, context: Context, meter: _Meter) -> None:
    roots = chain[-1].manifest.roots
    with target.staging(chain[-1].id) as folder:
        for level in chain:
            extract_level(level, folder, context, target.path, meter.add)
            meter.finish_part()
        join_twins(folder, tree)
        verification = Verification(folder, tree, meter.add)
        verification.run([root.member for root in roots])
        _warn(verification.odd, context)
        context.raise_if_stopped()
        target.take(folder, roots)
    meter.finish()


def _warn(odd: list[str], context: Context) -> None:
    for text in odd[:MAX_NAMED]:
        context.warn(text)
    if len(odd) > MAX_NAMED:
        context.warn(f"{len(odd) - MAX_NAMED} more attributes could not be restored")


def _result(level: Level, tree: Tree, target: Path) -> Result:
    files = [entry.member for entry in tree.entries.values() if entry.member.type != "dir"]
    size = size_text(sum(member.size for member in files))
    began = level.manifest.created_at.astimezone(UTC).isoformat(timespec="seconds")
    what = f"level {level.manifest.level} of {began}, {counted(len(files), 'file')}, {size}"
    return Result(
        message=f"{what} restored into {target}",
        records=len(files),
    )

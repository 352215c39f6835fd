"""Removing old levels: never one that a kept one needs, never the newest."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Invalid, RunFailed
from jobs.runners.archive.manifest import MANIFEST, level_id
from jobs.runners.archive.store import Level
from jobs.runners.archive_prune import ArchivePruneRunner
from jobs.runners.context import Context
from tests.jobs.runners.archives import NAME, Bench, look


@pytest.fixture
def bench(tmp_path: Path, context: Context) -> Bench:
    bench = Bench(tmp_path, context)
    (bench.source / "a.txt").write_text("hello")
    return bench


def backups(bench: Bench, ages: Sequence[float], **fields: Any) -> None:
    """Made one after the other, then dated back by these days."""
    for _ in ages:
        bench.backup(**fields)
    now = datetime.now(UTC)
    dates = [now - timedelta(days=age, seconds=1) for age in ages]
    levels = bench.levels
    ids = {level.id: level_id(at, level.manifest.level) for level, at in zip(levels, dates, strict=True)}
    for level, at in zip(levels, dates, strict=True):
        redate(level, at, ids)


def redate(level: Level, at: datetime, ids: dict[str, str]) -> None:
    parent = ids[level.manifest.parent] if level.manifest.parent else None
    update = {"id": ids[level.id], "created_at": at, "finished_at": at, "parent": parent}
    level.manifest.model_copy(update=update).write(level.path / MANIFEST)
    level.path.rename(level.path.with_name(ids[level.id]))


def ages(bench: Bench) -> list[int]:
    now = datetime.now(UTC)
    return [(now - level.manifest.created_at).days for level in bench.levels]


def test_what_is_too_old_goes(bench: Bench) -> None:
    backups(bench, [30, 20, 10])
    result = bench.prune(older_than_days=15)
    assert ages(bench) == [10]
    assert result.records == 2
    assert result.message.startswith("2 levels removed, ")


def test_what_a_kept_one_needs_stays(bench: Bench) -> None:
    backups(bench, [40, 30, 20, 10, 5], max_level=2)  # 0 1 2, 0 1
    bench.prune(older_than_days=25)
    assert ages(bench) == [40, 30, 20, 10, 5]
    bench.prune(older_than_days=15)
    assert ages(bench) == [10, 5]


def test_old_levels_beside_each_other_go_one_by_one(bench: Bench) -> None:
    backups(bench, [40, 30, 20, 10], always_level=1)
    bench.prune(older_than_days=15)
    assert ages(bench) == [40, 10]


def test_the_newest_stays_with_all_it_needs_however_old(bench: Bench) -> None:
    backups(bench, [90, 80, 70, 60], max_level=1)
    bench.prune(older_than_days=1)
    assert ages(bench) == [70, 60]
    assert bench.restored() == look(bench.source)


def test_it_tells_the_hub_which_went(bench: Bench) -> None:
    backups(bench, [40, 30, 20, 10], max_level=1)
    paths = [str(level.path) for level in bench.levels]
    bench.prune(older_than_days=15)
    assert bench.context.removed_archives == [paths[1], paths[0]]


def test_a_dry_run_removes_nothing(bench: Bench) -> None:
    backups(bench, [30, 20, 10])
    result = bench.prune(older_than_days=15, dry_run=True)
    assert ages(bench) == [30, 20, 10]
    assert result.message.startswith("2 levels would be removed, ")
    assert bench.context.removed_archives == []


def test_all_backups_of_a_container_are_pruned(bench: Bench) -> None:
    backups(bench, [30, 20])
    bench.backup(backup_name="other")
    assert bench.prune(older_than_days=15).records == 1


def test_one_backup_alone_can_be_pruned(bench: Bench) -> None:
    backups(bench, [30, 20])
    bench.backup(backup_name="other")
    assert bench.prune(older_than_days=15, backup_name="other").records == 0


def test_what_is_half_removed_goes_the_next_time(bench: Bench) -> None:
    backups(bench, [1])
    half = bench.home.path / ".partial-removed-20200101T000000.000000Z_level0"
    half.mkdir()
    bench.prune(older_than_days=15)
    assert not half.exists()


def test_while_a_young_level_is_damaged_everything_stays(bench: Bench) -> None:
    backups(bench, [40, 30, 20, 10])
    (bench.levels[3].path / MANIFEST).write_text("{}")
    bench.prune(older_than_days=15)
    assert len(bench.levels) == 3
    assert "is no manifest" in bench.context.warnings[0]


def test_foreign_folders_stay(bench: Bench) -> None:
    backups(bench, [30, 20])
    (bench.home.path / "mine").mkdir()
    os.utime(bench.home.path / "mine", (0, 0))
    bench.prune(older_than_days=15)
    assert (bench.home.path / "mine").is_dir()


def test_a_backup_at_work_is_not_disturbed(bench: Bench) -> None:
    backups(bench, [30, 20])
    with bench.home.locked():
        assert bench.prune(older_than_days=15).records == 0
    assert "another run is writing" in bench.context.warnings[0]


def test_a_backup_at_work_that_was_named_is_an_error(bench: Bench) -> None:
    backups(bench, [30, 20])
    with bench.home.locked(), pytest.raises(RunFailed, match="another run is writing"):
        bench.prune(older_than_days=15, backup_name=NAME)


def test_a_missing_backup_is_named(bench: Bench) -> None:
    backups(bench, [30])
    with pytest.raises(RunFailed, match="there is no backup 'other'"):
        bench.prune(older_than_days=15, backup_name="other")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "older_than_days: this field is required"),
        ({"older_than_days": 0}, "older_than_days: "),
        ({"older_than_days": -1}, "older_than_days: "),
        ({"older_than_days": "7"}, "older_than_days: "),
        ({"older_than_days": float("nan")}, "older_than_days: "),
        ({"older_than_days": 1e9}, "older_than_days: "),
        ({"older_than_days": 1, "dry_run": 1}, "dry_run: "),
        ({"older_than_days": 1, "backup_name": ".."}, "backup_name: "),
        ({"older_than_days": 1, "container": "/etc"}, "JOBHUB_ALLOWED_PATHS"),
    ],
)
def test_a_wrong_spec_is_refused_by_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        ArchivePruneRunner().validate({"container": "tapes", **fields})

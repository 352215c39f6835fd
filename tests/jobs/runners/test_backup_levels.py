"""Full and incremental levels: each brings back the source exactly as it was."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.runners.context import Context
from tests.jobs.runners.archives import Bench, look, outlive_overlap


@pytest.fixture
def bench(tmp_path: Path, context: Context) -> Bench:
    bench = Bench(tmp_path, context)
    (bench.source / "kept.txt").write_text("kept")
    (bench.source / "other.txt").write_text("other")
    (bench.source / "folder").mkdir()
    (bench.source / "folder" / "inner.txt").write_text("inner")
    (bench.source / "to the folder").symlink_to("folder")
    return bench


def _delete(source: Path) -> None:
    (source / "other.txt").unlink()
    (source / "folder" / "inner.txt").unlink()
    (source / "folder").rmdir()


def _rename_file(source: Path) -> None:
    (source / "kept.txt").rename(source / "folder" / "moved.txt")


def _rename_folder(source: Path) -> None:
    (source / "folder").rename(source / "renamed")


def _swap_folders(source: Path) -> None:
    (source / "second").mkdir()
    (source / "second" / "two.txt").write_text("two")
    (source / "folder").rename(source / "aside")
    (source / "second").rename(source / "folder")
    (source / "aside").rename(source / "second")


def _move_folder_into_another(source: Path) -> None:
    (source / "outer").mkdir()
    (source / "folder").rename(source / "outer" / "folder")


def _change(source: Path) -> None:
    (source / "kept.txt").write_text("changed")


def _change_keeping_size_and_time(source: Path) -> None:
    before = os.stat(source / "kept.txt")
    (source / "kept.txt").write_text("KEPT")
    os.utime(source / "kept.txt", ns=(before.st_atime_ns, before.st_mtime_ns))


def _file_to_folder(source: Path) -> None:
    (source / "kept.txt").unlink()
    (source / "kept.txt").mkdir()
    (source / "kept.txt" / "now a folder").write_text("")


def _folder_to_file(source: Path) -> None:
    (source / "folder" / "inner.txt").unlink()
    (source / "folder").rmdir()
    (source / "folder").write_text("now a file")


def _folder_to_symlink(source: Path) -> None:
    (source / "folder").rename(source / "real")
    (source / "folder").symlink_to("real")


def _symlink_to_folder(source: Path) -> None:
    (source / "to the folder").unlink()
    (source / "to the folder").mkdir()
    (source / "to the folder" / "inner.txt").write_text("another")


def _mode(source: Path) -> None:
    (source / "kept.txt").chmod(0o640)
    (source / "folder").chmod(0o2555)


def _time(source: Path) -> None:
    os.utime(source / "kept.txt", ns=(1, 1_000_000_007))
    os.utime(source / "folder", ns=(1, 2_000_000_009))


def _link(source: Path) -> None:
    (source / "linked.txt").hardlink_to(source / "kept.txt")
    (source / "folder" / "linked.txt").hardlink_to(source / "kept.txt")


def _add_old_file(source: Path) -> None:
    """As `cp -p` or `mv` bring it: new here, but with an old time."""
    (source / "folder" / "old.txt").write_text("old")
    os.utime(source / "folder" / "old.txt", (1_000_000_000, 1_000_000_000))


CHANGES = [
    _delete,
    _rename_file,
    _rename_folder,
    _swap_folders,
    _move_folder_into_another,
    _change,
    _change_keeping_size_and_time,
    _file_to_folder,
    _folder_to_file,
    _folder_to_symlink,
    _symlink_to_folder,
    _mode,
    _time,
    _link,
    _add_old_file,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_an_incremental_level_brings_back(change: Callable[[Path], None], bench: Bench) -> None:
    bench.backup(max_level=9)
    change(bench.source)
    bench.backup(max_level=9)
    assert [level.manifest.level for level in bench.levels] == [0, 1]
    assert bench.restored() == look(bench.source)


def test_every_level_is_restored_at_its_time(bench: Bench) -> None:
    looks, moments = [], []
    for change in (_link, _mode, _change, _rename_folder, _file_to_folder):
        change(bench.source)
        bench.backup(max_level=9)
        looks.append(look(bench.source))
        moments.append(datetime.now(UTC).isoformat())
    assert [bench.restored(at=moment) for moment in moments] == looks


def test_a_level_holds_only_what_changed(bench: Bench) -> None:
    outlive_overlap()
    bench.backup(max_level=1)
    (bench.source / "kept.txt").write_text("changed")
    result = bench.backup(max_level=1)
    assert result.records == 1
    assert result.message.startswith("level 1, 1 file, 7 bytes in ")


def test_what_changes_while_a_level_begins_is_in_the_next(bench: Bench) -> None:
    bench.backup(max_level=9)
    file = bench.source / "kept.txt"
    began_ns = int(bench.levels[0].manifest.created_at.timestamp() * 1e9)
    file.write_text("x")
    os.utime(file, ns=(began_ns, began_ns))  # as a coarse clock stamps it
    bench.backup(max_level=9)
    assert bench.restored() == look(bench.source)


def test_links_of_different_levels_are_one_file_again(bench: Bench) -> None:
    (bench.source / "folder" / "link.txt").hardlink_to(bench.source / "kept.txt")
    outlive_overlap()
    bench.backup(max_level=9)
    _rename_folder(bench.source)  # archived anew, while kept.txt itself has not changed
    bench.backup(max_level=9)
    restored = bench.restored()
    assert restored["renamed/link.txt"][-1] == restored["kept.txt"][-1]
    assert restored == look(bench.source)


def test_a_folder_that_cannot_keep_its_number_is_archived_anew(bench: Bench) -> None:
    """A new folder often gets the inode number of one just removed; tar alone would take it for the old one."""
    bench.backup(max_level=9)
    _delete(bench.source)
    (bench.source / "fresh").mkdir()
    (bench.source / "fresh" / "moved in.txt").write_text("x")
    bench.backup(max_level=9)
    assert bench.restored() == look(bench.source)


def _numbers(bench: Bench) -> list[int]:
    return [level.manifest.level for level in bench.levels]


def _parents(bench: Bench) -> list[int | None]:
    numbers = {level.id: n for n, level in enumerate(bench.levels)}
    return [numbers.get(level.manifest.parent or "") for level in bench.levels]


def test_without_rules_every_backup_is_full(bench: Bench) -> None:
    for _ in range(3):
        bench.backup()
    assert _numbers(bench) == [0, 0, 0]


def test_after_max_level_comes_a_full_one(bench: Bench) -> None:
    for _ in range(6):
        bench.backup(max_level=2)
    assert _numbers(bench) == [0, 1, 2, 0, 1, 2]


def test_max_level_zero_is_always_full(bench: Bench) -> None:
    for _ in range(2):
        bench.backup(max_level=0)
    assert _numbers(bench) == [0, 0]


def test_always_level_goes_up_and_stays(bench: Bench) -> None:
    for _ in range(5):
        bench.backup(always_level=2)
    assert _numbers(bench) == [0, 1, 2, 2, 2]
    assert _parents(bench) == [None, 0, 1, 1, 1]


def test_each_level_of_always_level_is_whole(bench: Bench) -> None:
    looks, moments = [], []
    for n in range(4):
        (bench.source / f"{n}.txt").write_text(str(n))
        (bench.source / f"{n - 2}.txt").unlink(missing_ok=True)
        bench.backup(always_level=1)
        looks.append(look(bench.source))
        moments.append(datetime.now(UTC).isoformat())
    assert [bench.restored(at=moment) for moment in moments] == looks


def test_restart_after_days_alone_lets_levels_go_up(bench: Bench) -> None:
    for _ in range(3):
        bench.backup(restart_after_days=1)
    assert _numbers(bench) == [0, 1, 2]


def test_restart_after_days_makes_a_full_one_when_the_last_is_older(bench: Bench) -> None:
    for _ in range(2):
        bench.backup(always_level=3, restart_after_days=1)
    bench.backup(always_level=3, restart_after_days=1e-9)
    assert _numbers(bench) == [0, 1, 0]


def test_other_exclusions_make_a_full_one(bench: Bench) -> None:
    bench.backup(max_level=9)
    bench.backup(max_level=9, exclude=["*.tmp"])
    assert _numbers(bench) == [0, 0]


def test_a_damaged_base_makes_a_full_one_with_a_warning(bench: Bench) -> None:
    bench.backup(max_level=9)
    (bench.levels[0].path / "snapshot.snar").write_bytes(b"x")
    bench.backup(max_level=9)
    assert _numbers(bench) == [0, 0]
    assert "making a full backup" in bench.context.warnings[0]


def test_a_missing_base_makes_a_full_one_with_a_warning(bench: Bench) -> None:
    for _ in range(2):
        bench.backup(max_level=9)
    bench.home.remove(bench.levels[0])
    bench.backup(max_level=9)
    assert _numbers(bench) == [1, 0]
    assert "is not there any more" in bench.context.warnings[0]

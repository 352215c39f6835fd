"""Restores: where files land, what is proved before, and what is refused."""

import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Invalid, RunFailed, Stopped
from jobs.runners.base import OnLost
from jobs.runners.context import Context, Stop
from jobs.runners.restore import RestoreRunner
from tests.jobs.runners.archives import NAME, Bench, look, names
from tests.jobs.runners.disks import small_disk

__all__ = ["small_disk"]


@pytest.fixture
def bench(tmp_path: Path, context: Context) -> Bench:
    bench = Bench(tmp_path, context)
    (bench.source / "a.txt").write_text("hello")
    (bench.source / "folder").mkdir(mode=0o750)
    (bench.source / "folder" / "b.txt").write_text("world!")
    (bench.source / "link").symlink_to("a.txt")
    bench.backup()
    return bench


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out"


# -- where files land --------------------------------------------------------------------------------------------------
def test_it_says_what_it_did(bench: Bench, target: Path) -> None:
    result = bench.restore(target)
    assert result.records == 3
    assert re.fullmatch(rf"level 0 of .*\+00:00, 3 files, 11 bytes restored into {target}", result.message)


def test_a_missing_target_is_made_with_its_parents(bench: Bench, tmp_path: Path) -> None:
    bench.restore(tmp_path / "far" / "away")
    assert look(tmp_path / "far" / "away") == look(bench.source)


def test_an_empty_backup_makes_an_empty_target(bench: Bench, target: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    bench.backup(source=str(tmp_path / "empty"))
    bench.restore(target)
    assert look(target) == look(tmp_path / "empty")


def test_its_progress_ends_complete_in_bytes(bench: Bench, target: Path) -> None:
    bench.restore(target)
    assert bench.context.done == bench.context.total
    assert bench.context.unit == "bytes"


def test_a_lost_restore_is_not_done_again() -> None:
    assert RestoreRunner.on_lost is OnLost.FAIL


def test_what_the_backup_does_not_know_stays(bench: Bench, target: Path) -> None:
    (target / "folder").mkdir(parents=True)
    (target / "mine.txt").write_text("mine")
    (target / "folder" / "mine too.txt").write_text("mine")
    bench.restore(target)
    assert names(target) == {*names(bench.source), "mine.txt", "folder/mine too.txt"}


def test_files_of_the_same_name_are_replaced(bench: Bench, target: Path) -> None:
    target.mkdir()
    (target / "a.txt").write_text("old")
    bench.restore(target)
    assert (target / "a.txt").read_text() == "hello"


def test_a_folder_that_was_there_keeps_its_own_mode(bench: Bench, target: Path) -> None:
    target.mkdir(mode=0o700)
    (target / "folder").mkdir(mode=0o700)
    bench.restore(target)
    modes = [path.stat().st_mode & 0o777 for path in (target, target / "folder")]
    assert modes == [0o700, 0o750]


def test_a_symlink_in_the_way_is_replaced_and_not_followed(bench: Bench, target: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    target.mkdir()
    (target / "folder").symlink_to(tmp_path / "outside")
    (target / "a.txt").symlink_to(tmp_path / "outside" / "file")
    bench.restore(target)
    assert names(tmp_path / "outside") == set()
    assert look(target) | {".": None} == look(bench.source) | {".": None}


def test_a_folder_in_the_way_of_a_file_is_refused_with_nothing_moved(bench: Bench, target: Path) -> None:
    (target / "a.txt").mkdir(parents=True)
    with pytest.raises(RunFailed, match=f"{target}/a.txt is a folder, but a file in the backup"):
        bench.restore(target)
    assert names(target) == {"a.txt"}


def test_a_second_restore_brings_back_what_was_changed(bench: Bench, target: Path) -> None:
    bench.restore(target)
    (target / "a.txt").write_text("spoilt")
    (target / "folder" / "b.txt").unlink()
    bench.restore(target)
    assert look(target)["a.txt"] == look(bench.source)["a.txt"]
    assert names(target) == names(bench.source)


def test_folders_may_be_read_only_in_every_level_and_in_the_target(bench: Bench, target: Path) -> None:
    for text in ("one", "two"):
        (bench.source / "folder").chmod(0o700)
        (bench.source / "folder" / text).write_text(text)
        (bench.source / "folder").chmod(0o500)
        bench.backup(max_level=9)
    bench.restore(target)
    assert look(target) == look(bench.source)


def test_what_a_dead_restore_left_is_cleared_up(bench: Bench, target: Path) -> None:
    (target / ".restore-partial-20200101T000000.000000Z_level0" / "tree").mkdir(parents=True)
    (target / ".restore-partial-20200101T000000.000000Z_level0" / "lock").touch()
    bench.restore(target)
    assert names(target) == names(bench.source)


# -- which moment ------------------------------------------------------------------------------------------------------
def test_a_time_before_the_first_backup_says_the_oldest(bench: Bench, target: Path) -> None:
    oldest = bench.levels[0].manifest.created_at
    with pytest.raises(RunFailed, match=re.escape(oldest.isoformat())):
        bench.restore(target, at=(oldest - timedelta(seconds=1)).isoformat())
    assert not target.exists()


def test_a_time_may_be_of_any_zone(bench: Bench, target: Path) -> None:
    created_at = bench.levels[0].manifest.created_at
    bench.restore(target, at=created_at.isoformat().replace("+00:00", "Z"))
    local = (created_at + timedelta(hours=5, minutes=30)).replace(tzinfo=None)
    bench.restore(target, at=local.isoformat() + "+05:30")
    assert names(target) == names(bench.source)


def test_a_missing_backup_says_what_there_is(bench: Bench, target: Path) -> None:
    with pytest.raises(RunFailed, match=f"no backup 'other' in {bench.container}; it holds {NAME}"):
        bench.restore(target, backup_name="other")


def test_a_missing_container_is_named(bench: Bench, target: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=f"no backup '{NAME}' in {tmp_path}/nowhere; it holds none"):
        bench.restore(target, container=str(tmp_path / "nowhere"))


# -- damage ------------------------------------------------------------------------------------------------------------
def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("at", [0, 77, -1])
@pytest.mark.parametrize("name", ["archive.tar.zst", "members.jsonl.gz", "manifest.json"])
def test_a_flipped_bit_is_found(name: str, at: int, bench: Bench, target: Path) -> None:
    damaged = bench.levels[0].path
    flip(damaged / name, at if name != "manifest.json" or at != -1 else -3)
    with pytest.raises(RunFailed, match=f"{damaged}.* is damaged"):
        bench.restore(target)
    assert not target.exists()


def test_damage_to_the_full_level_spoils_all_that_need_it(bench: Bench, target: Path) -> None:
    bench.backup(max_level=1)
    flip(bench.levels[0].archive, 100)
    with pytest.raises(RunFailed, match=f"the archive {bench.levels[0].path} is damaged"):
        bench.restore(target)


def test_the_state_before_a_damaged_level_can_be_had(bench: Bench, target: Path) -> None:
    bench.backup(max_level=1)
    newest = bench.levels[1]
    (newest.path / "manifest.json").write_text("{}")
    before = (newest.manifest.created_at - timedelta(microseconds=1)).isoformat()
    with pytest.raises(RunFailed, match="give an 'at' before "):
        bench.restore(target)
    bench.restore(target, at=before)
    assert names(target) == names(bench.source)


def test_a_missing_level_is_named(bench: Bench, target: Path) -> None:
    bench.backup(max_level=1)
    full = bench.levels[0]
    bench.home.remove(full)
    with pytest.raises(RunFailed, match=f"needs {full.id}, which is not there any more"):
        bench.restore(target)


def test_a_truncated_archive_is_found(bench: Bench, target: Path) -> None:
    archive = bench.levels[0].archive
    os.truncate(archive, archive.stat().st_size - 1)
    with pytest.raises(RunFailed, match=f"{archive} has .* bytes instead of"):
        bench.restore(target)


# -- trouble with the target -------------------------------------------------------------------------------------------
def test_a_full_target_is_named_and_left_clean(bench: Bench, small_disk: Path) -> None:
    (bench.source / "big").write_bytes(os.urandom(3_000_000))
    bench.backup()
    target = small_disk / "out"
    with pytest.raises(RunFailed, match=rf"the target {target} is full \(.* free\)"):
        bench.restore(target)
    assert not target.exists()


def test_a_target_that_is_a_file_is_named(bench: Bench, target: Path) -> None:
    target.write_text("a file")
    with pytest.raises(RunFailed, match=f"the target {target} is not a folder"):
        bench.restore(target)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a read-only file system")
def test_a_read_only_target_is_named(bench: Bench, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(RunFailed, match=f"the target {small_disk}/out: Read-only file system"):
        bench.restore(small_disk / "out")


def test_a_target_among_the_archives_is_refused(bench: Bench) -> None:
    with pytest.raises(RunFailed, match="lies among the archives"):
        bench.restore(bench.home.path / "out")


def test_an_abort_leaves_nothing(bench: Bench, target: Path) -> None:
    on_the_way = bench.context.progress

    def progress(done: int, total: int | None = None, unit: str = "") -> None:
        on_the_way(done, total, unit)
        if target.exists():
            bench.context.stop(Stop.ABORT)

    bench.context.progress = progress  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        bench.restore(target)
    assert not target.exists()


# -- what a spec may say -----------------------------------------------------------------------------------------------
REFUSED = [
    ({"surprise": 1}, "surprise: unknown field"),
    ({"backup_name": None}, "backup_name: "),
    ({"backup_name": "../x"}, "backup_name: "),
    ({"container": "../.."}, "container: wanted a path or name without"),
    ({"container": "/etc"}, "container: '/etc' is outside the allowed paths; add its root to JOBHUB_ALLOWED_PATHS"),
    ({"target": "out"}, "target: wanted an absolute path"),
    ({"target": "/etc"}, "target: '/etc' is outside the allowed paths; add its root to JOBHUB_ALLOWED_PATHS"),
    ({"target": "{top}/hub/x"}, "target: "),
    ({"at": "yesterday"}, "at: wanted a time such as"),
    ({"at": "2026-11-22T10:00:00"}, "at: wanted a time such as"),
    ({"at": "2026-11-22"}, "at: wanted a time such as"),
    ({"at": 5}, "at: "),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_a_wrong_spec_is_refused_by_field(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    given = {"target": str(tmp_path / "out"), "container": str(tmp_path / "container"), "backup_name": NAME, **fields}
    filled = {
        key: value.replace("{top}", str(tmp_path)) if isinstance(value, str) else value for key, value in given.items()
    }
    with pytest.raises(Invalid, match=re.escape(message)):
        RestoreRunner().validate(filled)

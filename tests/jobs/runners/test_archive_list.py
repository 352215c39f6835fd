"""Listing a container: what is there, what is damaged, what is foreign."""

import os
from pathlib import Path

import pytest

from jobs.errors import Invalid, RunFailed
from jobs.runners.archive_list import ArchiveListRunner
from jobs.runners.context import Context
from tests.jobs.runners.archives import NAME, Bench


@pytest.fixture
def bench(tmp_path: Path, context: Context) -> Bench:
    bench = Bench(tmp_path, context)
    (bench.source / "a.txt").write_text("hello")
    bench.backup(max_level=1, compression="gzip")
    bench.backup(max_level=1, compression="gzip")
    return bench


def printed(bench: Bench) -> list[str]:
    return "".join(text for stream, text in bench.context.output if stream == "stdout").splitlines()


def test_it_prints_a_line_per_level(bench: Bench) -> None:
    bench.list()
    header, full, incremental = printed(bench)
    assert header.split() == ["BACKUP", "LEVEL", "BEGAN", "FILES", "CONTENT", "ARCHIVE", "FOLDER"]
    assert full.split()[:2] == [NAME, "0"]
    assert incremental.split()[:2] == [NAME, "1"]
    assert incremental.endswith(f" {bench.levels[1].path}")


def test_it_counts_the_levels(bench: Bench) -> None:
    bench.backup(backup_name="other")
    result = bench.list()
    assert (result.records, result.message) == (3, "2 backups, 3 levels")


def test_it_lists_one_backup(bench: Bench) -> None:
    bench.backup(backup_name="other")
    assert bench.list(backup_name="other").records == 1


def test_an_empty_container_is_fine(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert bench.list(container=str(tmp_path / "empty")).records == 0


def test_a_missing_container_is_named(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=f"the container {tmp_path}/nowhere does not exist"):
        bench.list(container=str(tmp_path / "nowhere"))


def test_a_damaged_manifest_is_named_and_passed_over(bench: Bench) -> None:
    damaged = bench.levels[0].path
    (damaged / "manifest.json").write_text("{")
    assert bench.list().records == 1
    assert bench.context.warnings[0].startswith(f"{damaged}: {damaged}/manifest.json is no manifest")


def test_a_missing_archive_is_named(bench: Bench) -> None:
    bench.levels[0].archive.unlink()
    bench.list()
    assert "archive.tar.gz: No such file or directory" in bench.context.warnings[0]


def test_a_level_that_was_moved_here_is_named(bench: Bench) -> None:
    moved = bench.levels[0].path.rename(bench.home.path / "20200101T000000.000000Z_level0")
    bench.list()
    assert bench.context.warnings[0].startswith(f"{moved}: it was made as {NAME}/")


def test_foreign_folders_are_named_and_passed_over(bench: Bench) -> None:
    (bench.container / "holiday pictures").mkdir()
    (bench.home.path / "notes.txt").write_text("x")
    bench.list()
    assert bench.context.warnings == [
        f"{bench.container}/holiday pictures: it is not a backup",
        f"{bench.home.path}/notes.txt: it is not a level of a backup",
    ]


def test_half_written_levels_are_not_listed(bench: Bench) -> None:
    (bench.home.path / ".partial-20260101T000000.000000Z_level0").mkdir()
    assert bench.list().records == 2
    assert bench.context.warnings == []


def test_names_of_any_bytes_can_be_told(bench: Bench) -> None:
    os.mkdir(os.fsencode(bench.container) + b"/\xff\n")
    bench.list()
    assert bench.context.warnings == [f"{bench.container}/\\xff\\n: it is not a backup"]


def test_a_wrong_spec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="JOBHUB_ALLOWED_PATHS"):
        ArchiveListRunner().validate({"container": "/etc"})
    with pytest.raises(Invalid, match="backup_name: "):
        ArchiveListRunner().validate({"container": "tapes", "backup_name": "../x"})

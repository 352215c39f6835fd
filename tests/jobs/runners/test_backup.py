"""One backup: what it takes, what it passes over, what it refuses."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from jobs.runners.backup import BackupRunner
from jobs.runners.base import OnLost
from jobs.runners.context import Context, RunInfo
from tests.jobs.runners.archives import NAME, Bench, look, names

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do this")


@pytest.fixture
def bench(tmp_path: Path, context: Context) -> Bench:
    bench = Bench(tmp_path, context)
    (bench.source / "a.txt").write_text("hello")
    (bench.source / "folder").mkdir()
    (bench.source / "folder" / "b.txt").write_text("world!")
    return bench


# -- it works ----------------------------------------------------------------------------------------------------------
def test_it_says_what_it_did(bench: Bench) -> None:
    result = bench.backup(compression="gzip")
    assert result.records == 2
    assert result.message.startswith("level 0, 2 files, 11 bytes in ")
    assert result.message.endswith(" (gzip)")


def test_it_reports_the_archive(bench: Bench) -> None:
    bench.backup(max_level=1)
    bench.backup(max_level=1)
    full, incremental = bench.context.archives
    assert incremental.parent == full.path
    assert (full.container, full.name, full.level, full.parent) == (str(bench.container), NAME, 0, None)


def test_its_report_names_the_size_and_sum_on_the_disk(bench: Bench) -> None:
    bench.backup(compression="none")
    (record,) = bench.context.archives
    archive = Path(record.path) / "archive.tar"
    shown = subprocess.run(["sha256sum", archive], capture_output=True, text=True, check=True).stdout.split()[0]
    assert (record.size_bytes, record.sha256) == (archive.stat().st_size, shown)


def test_its_progress_ends_complete_in_bytes(bench: Bench) -> None:
    bench.backup()
    assert (bench.context.done, bench.context.total, bench.context.unit) == (11, 11, "bytes")


def test_a_lost_run_may_be_done_again() -> None:
    assert BackupRunner.on_lost is OnLost.RERUN


@pytest.mark.parametrize("compression", ["zstd", "gzip", "none"])
def test_every_compression_comes_back(compression: str, bench: Bench) -> None:
    bench.backup(compression=compression)
    assert bench.restored() == look(bench.source)


def test_tar_alone_restores_it(bench: Bench, tmp_path: Path) -> None:
    bench.backup(max_level=1)
    (bench.source / "a.txt").unlink()
    (bench.source / "c.txt").write_text("new")
    bench.backup(max_level=1)
    by_hand = tmp_path / "by hand"
    by_hand.mkdir()
    for level in bench.levels:
        subprocess.run(
            [
                "tar",
                "--extract",
                "--listed-incremental=/dev/null",
                "--use-compress-program=zstd",
                "--numeric-owner",
                "--same-permissions",
                f"--file={level.archive}",
            ],
            cwd=by_hand,
            check=True,
        )
    assert look(by_hand) == look(bench.source)


def test_the_name_is_the_jobs_by_default(bench: Bench) -> None:
    bench.context.info = RunInfo(job="nightly/../böse: 1")
    bench.backup(backup_name=None)
    assert [path.name for path in bench.container.iterdir()] == ["nightly_.._böse: 1"]


def test_a_plain_container_lies_below_the_hubs_data(bench: Bench, tmp_path: Path) -> None:
    bench.backup(container="tapes/one")
    assert (tmp_path / "data" / "archives" / "tapes" / "one" / NAME).is_dir()


# -- what files it takes -----------------------------------------------------------------------------------------------
def test_odd_files_come_back(bench: Bench) -> None:
    top = os.fsencode(bench.source)
    odd = [
        b"new\nline",
        b"quo\"te'",
        b"\xff\xfe not utf-8",
        b"-rf",
        b"back\\slash",
        b"* ?[x]",
        b" ",
        b"\xc3\xa9",
        b"n" * 255,
    ]
    for name in odd:
        Path(os.fsdecode(top + b"/" + name)).write_bytes(name)
    (bench.source / "dangling").symlink_to("nowhere")
    (bench.source / "absolute").symlink_to("/etc/passwd")
    (bench.source / "to the folder").symlink_to("folder")
    (bench.source / "twin of a symlink").hardlink_to(bench.source / "dangling")
    os.mkfifo(bench.source / "fifo", 0o640)
    (bench.source / "read only").mkdir()
    (bench.source / "read only" / "file").write_text("x")
    (bench.source / "read only").chmod(0o500)
    (bench.source / "setuid").write_text("x")
    (bench.source / "setuid").chmod(0o4750)
    os.utime(bench.source / "a.txt", ns=(0, -1_500_000_000))
    bench.backup()
    assert bench.restored() == look(bench.source)


def test_deep_and_long_paths_come_back(bench: Bench) -> None:
    deep = bench.source.joinpath(*["d" * 60] * 40)
    deep.mkdir(parents=True)
    (deep / ("f" * 200)).write_text("deep")
    bench.backup()
    assert bench.restored() == look(bench.source)


def test_holes_stay_holes(bench: Bench, tmp_path: Path) -> None:
    with (bench.source / ("s" * 150)).open("wb") as file:
        for n in range(3):
            file.seek(n * 10_000_000)
            file.write(b"data")
        file.truncate(50_000_000)
    bench.backup()
    bench.restore(tmp_path / "out")
    assert look(tmp_path / "out") == look(bench.source)
    assert (tmp_path / "out" / ("s" * 150)).stat().st_blocks * 512 < 1_000_000


@needs_root
def test_owners_come_back(bench: Bench) -> None:
    os.chown(bench.source / "a.txt", 12345, 54321)
    os.chown(bench.source / "folder", 4_000_000_000, 3)
    bench.backup()
    assert bench.restored() == look(bench.source)


def test_extended_attributes_come_back(bench: Bench, tmp_path: Path) -> None:
    try:
        os.setxattr(bench.source / "a.txt", "user.colour", b"\0\xffred")
    except OSError as error:
        pytest.skip(f"the file system of the temporary folder has no user attributes: {error}")
    bench.backup()
    bench.restore(tmp_path / "out")
    assert os.getxattr(tmp_path / "out" / "a.txt", "user.colour") == b"\0\xffred"


def test_several_sources_come_back_under_their_names(bench: Bench, tmp_path: Path) -> None:
    second = tmp_path / "elsewhere" / "folder"
    second.mkdir(parents=True)
    (second / "s.txt").write_text("second")
    bench.backup(source=[str(bench.source / "folder"), str(second), str(bench.source / "a.txt")], max_level=1)
    (second / "s.txt").unlink()
    bench.backup(source=[str(bench.source / "folder"), str(second), str(bench.source / "a.txt")], max_level=1)
    bench.restore(tmp_path / "out")
    assert names(tmp_path / "out") == {"folder", "folder/b.txt", "folder_2", "a.txt"}


def test_one_file_is_a_source(bench: Bench, tmp_path: Path) -> None:
    for text in ("one", "two"):
        (bench.source / "a.txt").write_text(text)
        bench.backup(source=str(bench.source / "a.txt"), max_level=1)
    bench.restore(tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text() == "two"


# -- what it passes over -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.txt", {"folder", "cache"}),
        ("cache", {"a.txt", "folder", "folder/b.txt"}),
        ("cache/", {"a.txt", "folder", "folder/b.txt"}),
        ("folder/b.txt", {"a.txt", "folder", "cache", "cache/x"}),
        ("{source}/a.txt", {"folder", "folder/b.txt", "cache", "cache/x"}),
        ("{source}/*.txt", {"folder", "folder/b.txt", "cache", "cache/x"}),
        ("{source}/b.txt", {"a.txt", "folder", "folder/b.txt", "cache", "cache/x"}),
    ],
)
def test_it_passes_over_what_is_excluded(pattern: str, left: set[str], bench: Bench, tmp_path: Path) -> None:
    (bench.source / "cache").mkdir()
    (bench.source / "cache" / "x").write_text("x")
    left = left - {"cache/x"} if pattern == "*.txt" else left
    bench.backup(exclude=[pattern.format(source=bench.source)])
    bench.restore(tmp_path / "out")
    assert names(tmp_path / "out") - ({"cache/x"} if pattern == "*.txt" else set()) == left


def test_a_container_inside_the_source_is_passed_over(bench: Bench, tmp_path: Path) -> None:
    inside = bench.source / "od*d [\\] tapes"
    for _ in range(2):
        bench.backup(container=str(inside), max_level=5)
    bench.restore(tmp_path / "out", container=str(inside))
    assert names(tmp_path / "out") == {"a.txt", "folder", "folder/b.txt"}


def test_a_source_beside_its_archives_is_fine(bench: Bench, tmp_path: Path) -> None:
    bench.container = bench.source
    for _ in range(2):
        bench.backup(source=str(bench.source / "folder"))
    bench.restore(tmp_path / "out")
    assert names(tmp_path / "out") == {"b.txt"}


def test_sockets_are_passed_over(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bench.source)  # the whole path may be too long for a socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        bench.backup()
    bench.restore(tmp_path / "out")
    assert "socket" not in names(tmp_path / "out")
    assert bench.context.warnings == []


@needs_root
def test_device_nodes_are_passed_over_with_a_warning(bench: Bench, tmp_path: Path) -> None:
    os.mknod(bench.source / "null", 0o20666, os.makedev(1, 3))
    bench.backup()
    bench.restore(tmp_path / "out")
    assert "null" not in names(tmp_path / "out")
    assert bench.context.warnings == ["./null: a device node is not archived"]

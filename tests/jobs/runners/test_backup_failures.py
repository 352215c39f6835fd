"""What goes wrong with a backup: what is only a warning, what is an error, and that nothing half-written is left."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Invalid, RunFailed, Stopped
from jobs.runners.backup import BackupRunner
from jobs.runners.context import Context, Stop
from tests.jobs.runners.archives import NAME, Bench, look, outlive_overlap
from tests.jobs.runners.disks import small_disk
from tests.programs import running
from tests.waiting import eventually

__all__ = ["small_disk"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do this")


@pytest.fixture
def bench(tmp_path: Path, context: Context) -> Bench:
    bench = Bench(tmp_path, context)
    (bench.source / "a.txt").write_text("hello")
    (bench.source / "folder").mkdir()
    (bench.source / "folder" / "b.txt").write_text("world!")
    return bench


# -- what is a warning -------------------------------------------------------------------------------------------------
BACKUP = """
import json, sys
from pathlib import Path
from jobs import paths
from jobs.runners.backup import BackupRunner
from jobs.runners.context import Context

top, spec = Path(sys.argv[1]), json.loads(sys.argv[2])
paths.configure(paths.PathGuard(allowed=(top,), refused=(), data=top))
context = Context(workdir=top)
runner = BackupRunner()
print("begins", flush=True)
result = runner.run(runner.validate(spec), context)
print(json.dumps({"message": result.message, "warnings": context.warnings}))
"""
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Root reads everything; without these capabilities it may only what a mode allows."""
needs_setpriv = pytest.mark.skipif(
    bool(AS_ANYBODY) and shutil.which("setpriv") is None, reason="root, but setpriv is not installed"
)


def command(bench: Bench, **fields: Any) -> list[str]:
    """A backup in a process of its own."""
    given = {"source": str(bench.source), "container": str(bench.container), "backup_name": NAME, **fields}
    return [sys.executable, "-c", BACKUP, str(bench.top), json.dumps(given)]


def backup_as_anybody(bench: Bench, **fields: Any) -> dict[str, Any]:
    done = subprocess.run(AS_ANYBODY + command(bench, **fields), stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[1])
    return answer


@needs_setpriv
def test_an_unreadable_file_is_a_warning(bench: Bench) -> None:
    (bench.source / "folder").chmod(0)
    (bench.source / "a.txt").chmod(0)
    (bench.source / "c.txt").write_text("c")
    answer = backup_as_anybody(bench)
    assert sorted(answer["warnings"]) == [
        "./a.txt: Warning: Cannot open: Permission denied",
        "./folder: Warning: Cannot open: Permission denied",
    ]
    assert answer["message"].startswith("level 0, 1 file, ")


@needs_root
@needs_setpriv
def test_what_could_not_be_read_is_in_the_next_level(bench: Bench) -> None:
    """Also when the file itself does not change: here the hub's rights do."""
    (bench.source / "folder").chmod(0)
    (bench.source / "a.txt").chmod(0)
    outlive_overlap()
    backup_as_anybody(bench, max_level=1)
    subprocess.run(command(bench, max_level=1), check=True, stdout=subprocess.DEVNULL)
    assert bench.restored() == look(bench.source)


@needs_setpriv
def test_a_source_that_cannot_be_read_is_an_error(bench: Bench) -> None:
    bench.source.chmod(0)
    done = subprocess.run(AS_ANYBODY + command(bench), capture_output=True, text=True, check=False)
    assert f"the source {bench.source} cannot be read: Permission denied" in done.stderr


def test_a_file_that_changes_while_it_is_read_is_a_warning(bench: Bench) -> None:
    (bench.source / "big").write_bytes(os.urandom(30_000_000))
    on_the_way = bench.context.progress

    def progress(done: int, total: int | None = None, unit: str = "") -> None:
        with (bench.source / "big").open("ab") as file:
            file.write(b"more")
        on_the_way(done, total, unit)

    bench.context.progress = progress  # type: ignore[method-assign]
    bench.backup(compression="none")
    assert bench.context.warnings == ["./big: file changed as we read it"]


def test_a_file_that_vanishes_is_a_warning(bench: Bench) -> None:
    (bench.source / "big").write_bytes(os.urandom(30_000_000))
    (bench.source / "last").write_text("soon gone")
    on_the_way = bench.context.progress

    def progress(done: int, total: int | None = None, unit: str = "") -> None:
        if done:
            (bench.source / "last").unlink(missing_ok=True)
        on_the_way(done, total, unit)

    bench.context.progress = progress  # type: ignore[method-assign]
    result = bench.backup(compression="none")
    assert bench.context.warnings == ["./last: File removed before we read it"]
    assert result.records == 3


# -- what is an error --------------------------------------------------------------------------------------------------
def nothing_is_left(bench: Bench) -> bool:
    return {path.name for path in bench.home.path.iterdir()} <= {".lock"}


def test_a_missing_source_is_named(bench: Bench) -> None:
    with pytest.raises(RunFailed, match=f"the source {bench.source}/nowhere does not exist"):
        bench.backup(source=[str(bench.source / "folder"), str(bench.source / "nowhere")])


def test_a_source_that_leads_out_now_is_refused(bench: Bench) -> None:
    runner = BackupRunner()
    given = {"source": str(bench.source / "folder"), "container": str(bench.container), "backup_name": NAME}
    spec = runner.validate(given)
    (bench.source / "folder").rename(bench.source / "aside")
    (bench.source / "folder").symlink_to("/etc")
    with pytest.raises(RunFailed, match="JOBHUB_ALLOWED_PATHS"):
        runner.run(spec, bench.context)


def test_a_container_that_is_a_file_is_named(bench: Bench) -> None:
    bench.container.write_text("a file")
    with pytest.raises(RunFailed, match=f"the container {bench.container}: Not a directory"):
        bench.backup()


def test_a_backup_folder_that_is_a_symlink_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.container.mkdir()
    (bench.container / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Invalid, match="is a symlink"):
        bench.backup()


def test_two_backups_of_one_name_do_not_mix(bench: Bench) -> None:
    with bench.home.locked(), pytest.raises(RunFailed, match=f"another run is writing to the backup '{NAME}'"):
        bench.backup()
    assert bench.backup().message.startswith("level 0")


def test_an_abort_leaves_nothing(bench: Bench) -> None:
    (bench.source / "big").write_bytes(os.urandom(30_000_000))
    on_the_way = bench.context.progress

    def progress(done: int, total: int | None = None, unit: str = "") -> None:
        on_the_way(done, total, unit)
        if done:
            bench.context.stop(Stop.ABORT)

    bench.context.progress = progress  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        bench.backup()
    assert nothing_is_left(bench)
    assert bench.context.archives == []


def test_an_abort_at_the_last_moment_leaves_nothing(bench: Bench) -> None:
    reports = bench.context.progress

    def progress(done: int, total: int | None = None, unit: str = "") -> None:
        reports(done, total, unit)
        if done and done == total:
            bench.context.stop(Stop.ABORT)

    bench.context.progress = progress  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        bench.backup()
    assert nothing_is_left(bench)


@pytest.mark.parametrize("compression", ["zstd", "gzip", "none"])
def test_a_full_container_is_named_and_left_clean(compression: str, bench: Bench, small_disk: Path) -> None:
    (bench.source / "big").write_bytes(os.urandom(3_000_000))
    bench.container = small_disk / "container"
    with pytest.raises(RunFailed, match=rf"the container {bench.container} is full \(.* free\)"):
        bench.backup(compression=compression)
    assert nothing_is_left(bench)


def test_a_disk_that_is_full_for_the_snapshot_is_named(bench: Bench, small_disk: Path) -> None:
    for n in range(200):
        (bench.source / f"{n}{'x' * 240}").mkdir()
    bench.container = small_disk / "container"
    bench.container.mkdir()
    bench.home.path.mkdir()
    room = shutil.disk_usage(small_disk).free - 60_000
    (small_disk / "filler").write_bytes(bytes(room))
    with pytest.raises(RunFailed, match=f"the container {bench.container} is full"):
        bench.backup()
    assert nothing_is_left(bench)


def backup_and_kill(bench: Bench, **fields: int) -> None:
    """By kill -9, while it writes its archive."""
    with running(command(bench, compression="gzip", **fields), stdout=subprocess.DEVNULL):
        eventually(lambda: any(path.stat().st_size > 100_000 for path in bench.home.path.glob(".partial-*/archive*")))


def test_a_killed_backup_never_looks_whole(bench: Bench) -> None:
    bench.backup(max_level=5)
    (bench.source / "big").write_bytes(os.urandom(100_000_000))
    backup_and_kill(bench, max_level=5)
    assert [level.manifest.level for level in bench.levels] == [0]
    assert bench.home.listing().damages == []


def test_after_a_kill_the_next_backup_works_and_clears_up(bench: Bench) -> None:
    (bench.source / "big").write_bytes(os.urandom(100_000_000))
    backup_and_kill(bench)
    (bench.source / "big").unlink()
    bench.backup()
    assert list(bench.home.path.glob(".partial-*")) == []
    assert bench.restored() == look(bench.source)

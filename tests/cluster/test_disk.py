"""The disk under the hub's own database is full for a while, and nothing is lost."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import marks
from tests.cluster.conftest import MakeHub
from tests.waiting import eventually

pytestmark = pytest.mark.cluster


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_a_full_disk_loses_nothing(small_disk: Path, make_hub: MakeHub) -> None:
    hub = make_hub(var=str(small_disk / "var"), workers=2)
    main = hub.start()
    wanted = hub.seed("marked", n=4, seconds=2, marks=str(hub.marks))
    eventually(lambda: hub.states().get("running") == 2, within_s=15, what="two at work")
    ballast = fill(small_disk)
    eventually(lambda: not hub.programs(), within_s=15, what="the end of programs whose lease ran out")
    assert hub.n_active() > 0
    ballast.unlink()
    eventually(lambda: hub.states() == {"succeeded": 4}, within_s=40, what="the success of all")
    runs = marks.read(hub.marks)
    assert (set(runs), main.poll()) == (set(wanted), None)
    assert [marks.overlaps(attempts) for attempts in runs.values()] == [[]] * 4

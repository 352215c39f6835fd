"""Random trees through random changes: every level brings its state back."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from jobs import paths
from jobs.paths import PathGuard
from jobs.runners.context import Context
from tests.jobs.runners.archives import Bench, look

N_LEVELS = 4
NAMES = ["a", "b", "c", "d e", "-f", "é\n"]


class Gardener:
    """Changes a tree by chance."""

    def __init__(self, top: Path, chance: random.Random) -> None:
        self.top = top
        self.chance = chance

    def work(self, n_changes: int) -> None:
        actions: list[Callable[[], None]] = [
            self.write, self.write, self.make_folder, self.make_folder, self.make_symlink, self.make_link,
            self.move, self.move, self.swap, self.remove, self.attributes, self.append,
        ]  # fmt: skip
        for _ in range(n_changes):
            self.chance.choice(actions)()

    def paths(self) -> list[Path]:
        return sorted(Path(folder) / name for folder, dirs, files in os.walk(self.top) for name in dirs + files)

    def any_of(self, condition: Callable[[Path], bool]) -> Path | None:
        found = [path for path in self.paths() if condition(path)]
        return self.chance.choice(found) if found else None

    def folder(self) -> Path:
        return self.any_of(is_folder) or self.top

    def free(self) -> Path:
        """A place where nothing is; what was there is gone."""
        place = self.chance.choice([self.top, self.folder()]) / self.chance.choice(NAMES)
        remove(place)
        return place

    def write(self) -> None:
        self.free().write_bytes(self.chance.randbytes(self.chance.choice([0, 1, 700, 3000])))

    def append(self) -> None:
        if path := self.any_of(is_file):
            with path.open("ab") as file:
                file.write(b"more")

    def make_folder(self) -> None:
        self.free().mkdir()

    def make_symlink(self) -> None:
        self.free().symlink_to(self.chance.choice(["a", "../b", "/nowhere", "."]))

    def make_link(self) -> None:
        place = self.free()
        if path := self.any_of(is_file):
            place.hardlink_to(path)

    def move(self) -> None:
        path, place = self.any_of(lambda _: True), self.top / self.chance.choice(NAMES)
        if path and not place.is_relative_to(path) and not path.is_relative_to(place):
            remove(place)
            path.rename(place)

    def swap(self) -> None:
        one, two = self.any_of(is_folder), self.any_of(is_folder)
        if one and two and not one.is_relative_to(two) and not two.is_relative_to(one):
            one.rename(self.top / "aside")
            two.rename(one)
            (self.top / "aside").rename(two)

    def remove(self) -> None:
        if path := self.any_of(lambda _: True):
            remove(path)

    def attributes(self) -> None:
        if path := self.any_of(lambda path: not path.is_symlink()):
            path.chmod(self.chance.choice([0o600, 0o644, 0o700, 0o755, 0o1777]) | (0o700 if is_folder(path) else 0))
            os.utime(path, ns=(0, self.chance.randrange(2 * 10**18)))


def is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def remove(path: Path) -> None:
    if is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@seed(20261122)
@settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 2**32), rule=st.sampled_from([{"max_level": 9}, {"always_level": 1}, {"max_level": 1}]))
def test_every_level_brings_its_state_back(number: int, rule: dict[str, int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(os.path.realpath(folder))
        paths.configure(PathGuard(allowed=(top,), refused=(), data=top / "data"))
        bench = Bench(top, Context(workdir=top))
        gardener = Gardener(bench.source, random.Random(number))
        looks, moments = [], []
        for _ in range(N_LEVELS):
            gardener.work(8)
            bench.backup(**rule)
            looks.append(look(bench.source))
            moments.append(datetime.now(UTC).isoformat())
        assert [bench.restored(at=moment) for moment in moments] == looks

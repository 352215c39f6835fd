"""The reader of tar streams: in pieces of any size, and never fooled by damage."""

import hashlib
import random
import subprocess
from pathlib import Path

import pytest

from jobs.runners.archive.create import TAR_OPTIONS
from jobs.runners.archive.errors import BadArchive
from jobs.runners.archive.members import Member
from jobs.runners.archive.stream import StreamReader


@pytest.fixture
def stream(tmp_path: Path) -> bytes:
    """What tar writes for a small tree with a long name, a sparse file and links."""
    source = tmp_path / "source"
    (source / "folder").mkdir(parents=True)
    (source / "folder" / ("n" * 200)).write_text("long")
    (source / "link").symlink_to("x" * 150)
    (source / "twin").hardlink_to(source / "folder" / ("n" * 200))
    with (source / "sparse").open("wb") as file:
        for n in range(40):
            file.seek(n * 100_000)
            file.write(b"data")
    return subprocess.run(
        ["tar", *TAR_OPTIONS, "--listed-incremental=/dev/null", "--blocking-factor=20", "."],
        cwd=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it cannot write the snapshot to /dev/null
        check=False,
    ).stdout


def read(data: bytes, piece_bytes: int = 1 << 20) -> list[Member]:
    members: list[Member] = []
    reader = StreamReader(members.append, hashing=True)
    for at in range(0, len(data), piece_bytes):
        reader.feed(data[at : at + piece_bytes])
    reader.close()
    return members


@pytest.mark.parametrize("piece_bytes", [1, 7, 511, 512, 513, 10240])
def test_pieces_may_be_of_any_size(piece_bytes: int, stream: bytes) -> None:
    assert read(stream, piece_bytes) == read(stream)


def test_the_hash_of_a_sparse_file_is_that_of_its_whole_content(stream: bytes, tmp_path: Path) -> None:
    (sparse,) = [member for member in read(stream) if member.path == "sparse"]
    content = (tmp_path / "source" / "sparse").read_bytes()
    assert (sparse.size, sparse.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_an_archive_cut_anywhere_is_refused(stream: bytes) -> None:
    end = len(stream.rstrip(b"\0"))
    cuts = [*range(0, end, 256), end]
    assert len(cuts) > 20
    for cut in cuts:
        with pytest.raises(BadArchive, match="ends too early"):
            read(stream[:cut])


def test_damage_is_refused_and_never_crashes_the_reader(stream: bytes) -> None:
    chance = random.Random(1)
    outcomes = set()
    for _ in range(300):
        data = bytearray(stream)
        for _ in range(chance.choice([1, 1, 5])):
            data[chance.randrange(len(stream.rstrip(b"\0")))] = chance.randrange(256)
        try:
            read(bytes(data))
            outcomes.add("read")  # in the content of a file: its hash tells
        except BadArchive:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_it_can_be_stopped_in_a_long_hole(tmp_path: Path, stream: bytes) -> None:
    class Enough(Exception):
        pass

    def tick() -> None:
        raise Enough

    with pytest.raises(Enough):
        StreamReader(lambda _: None, hashing=True, tick=tick).feed(stream)

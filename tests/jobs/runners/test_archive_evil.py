"""Archives made to break out: with right sums and a fitting manifest, and yet nothing is written outside."""

import io
import tarfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import RunFailed
from jobs.runners.archive.errors import BadArchive
from jobs.runners.archive.manifest import MANIFEST, MEMBERS, SNAPSHOT, Manifest, Root, level_id, sum_of
from jobs.runners.archive.members import Member, MemberWriter
from jobs.runners.archive.stream import StreamReader
from jobs.runners.context import Context
from tests.jobs.runners.archives import NAME, Bench, names

SECRET = "top secret"


@dataclass
class Piece:
    """A member of a forged archive."""

    path: str
    type: bytes = tarfile.REGTYPE
    link: str = ""
    content: bytes = b""
    listing: Sequence[str] | None = None
    """Makes it a folder."""
    pax: dict[str, str] = field(default_factory=dict)

    def info(self) -> tarfile.TarInfo:
        info = tarfile.TarInfo(self.path)
        info.type = tarfile.DIRTYPE if self.listing is not None else self.type
        info.linkname, info.size, info.mtime = self.link, len(self.content), 1_700_000_000
        info.mode = 0o755
        info.pax_headers = dict(self.pax)
        if self.listing is not None:
            info.pax_headers["GNU.dumpdir"] = "".join(f"{entry}\0" for entry in self.listing) + "\0"
        return info


@dataclass
class Forger:
    """Puts levels into the container that pass every sum."""

    bench: Bench
    last: Manifest | None = None

    def level(self, pieces: Sequence[Piece], **fields: Any) -> None:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for piece in pieces:
                archive.addfile(piece.info(), io.BytesIO(piece.content))
        self.stream(stream.getvalue(), **fields)

    def stream(self, data: bytes, **fields: Any) -> None:
        number = self.last.level + 1 if self.last else 0
        created_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        folder = self.bench.home.path / level_id(created_at, number)
        folder.mkdir(parents=True)
        (folder / "archive.tar").write_bytes(data)
        (folder / SNAPSHOT).touch()
        self._list_members(folder / MEMBERS, data)
        given: dict[str, Any] = {
            "id": folder.name,
            "backup_name": NAME,
            "created_at": created_at,
            "finished_at": created_at,
            "level": number,
            "parent": self.last.id if self.last else None,
            "roots": [Root(source="/somewhere", member=".", restored_as=".")],
            "exclude": [],
            "one_file_system": False,
            "compression": "none",
            "archive": sum_of(folder / "archive.tar"),
            "snapshot": sum_of(folder / SNAPSHOT),
            "members": sum_of(folder / MEMBERS),
            "n_files": 1,
            "content_bytes": 1,
        }
        self.last = Manifest.model_construct(**{**given, **fields})
        self.last.write(folder / MANIFEST)

    def _list_members(self, path: Path, data: bytes) -> None:
        """As far as the hub's own reader gets: so it is never the list that stops the restore."""
        members: list[Member] = []
        with suppress(BadArchive):
            StreamReader(members.append, hashing=True).feed(data)
        write_members(path, members)

    def relist(self, members: Sequence[Member]) -> None:
        """Give the level another list of members, and its manifest the right sum of it."""
        (level,) = self.bench.levels
        write_members(level.path / MEMBERS, members)
        update = {"members": sum_of(level.path / MEMBERS)}
        level.manifest.model_copy(update=update).write(level.path / MANIFEST)


def write_members(path: Path, members: Sequence[Member]) -> None:
    with path.open("wb") as file:
        writer = MemberWriter(file)
        for member in members:
            writer.write(member)
        writer.close()


@pytest.fixture
def forger(tmp_path: Path, context: Context) -> Forger:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text(SECRET)
    return Forger(Bench(tmp_path, context))


def restore(forger: Forger) -> None:
    forger.bench.restore(forger.bench.top / "out")


def outside_is_untouched(forger: Forger) -> bool:
    outside = forger.bench.top / "outside"
    return names(outside) == {"secret"} and (outside / "secret").read_text() == SECRET


def top(*listing: str) -> Piece:
    return Piece("./", listing=listing)


def test_a_forged_archive_that_is_harmless_is_restored(forger: Forger) -> None:
    """The control: what the next tests refuse is not refused for the way it is made."""
    forger.level(
        [
            top("Dd", "Yl"),
            Piece("./d/", listing=["Yf"]),
            Piece("./l", tarfile.SYMTYPE, "d"),
            Piece("./d/f", content=b"x"),
        ]
    )
    restore(forger)
    assert names(forger.bench.top / "out") == {"d", "d/f", "l"}


EVIL: dict[str, Callable[[str], list[Piece]]] = {
    "a path that goes up": lambda out: [top("Y.."), Piece("./../outside/evil", content=b"x")],
    "a path that goes up further in": lambda out: [
        top("Dd"),
        Piece("./d/", listing=["Y.."]),
        Piece("./d/../../outside/evil"),
    ],
    "a path that goes up at once": lambda out: [top(), Piece("../outside/evil", content=b"x")],
    "an absolute path": lambda out: [top(), Piece(f"{out}/evil", content=b"x")],
    "an absolute path behind a dot": lambda out: [top(), Piece(f"./{out}/evil", content=b"x")],
    "a path in the extended header": lambda out: [top("Yf"), Piece("./f", pax={"path": "./../outside/evil"})],
    "through a symlink": lambda out: [top("Yl"), Piece("./l", tarfile.SYMTYPE, out), Piece("./l/evil", content=b"x")],
    "through a symlink listed as a folder": lambda out: [
        top("Dl"),
        Piece("./l", tarfile.SYMTYPE, out),
        Piece("./l/evil", content=b"x"),
    ],
    "a symlink and a folder of one name": lambda out: [
        top("Yl", "Dl"),
        Piece("./l", tarfile.SYMTYPE, out),
        Piece("./l/", listing=["Yevil"]),
        Piece("./l/evil", content=b"x"),
    ],
    "a folder and a symlink of one name": lambda out: [
        top("Dl"),
        Piece("./l/", listing=["Yevil"]),
        Piece("./l", tarfile.SYMTYPE, out),
        Piece("./l/evil", content=b"x"),
    ],
    "a file written through a symlink of its name": lambda out: [
        top("Yl"),
        Piece("./l", tarfile.SYMTYPE, f"{out}/secret"),
        Piece("./l", content=b"evil"),
    ],
    "a hard link to an absolute path": lambda out: [top("Yh"), Piece("./h", tarfile.LNKTYPE, f"{out}/secret")],
    "a hard link that goes up": lambda out: [top("Yh"), Piece("./h", tarfile.LNKTYPE, "./../outside/secret")],
    "a hard link to what is not there": lambda out: [top("Yh"), Piece("./h", tarfile.LNKTYPE, "./other")],
    "a hard link through a symlink": lambda out: [
        top("Yl", "Yh"),
        Piece("./l", tarfile.SYMTYPE, out),
        Piece("./h", tarfile.LNKTYPE, "./l/secret"),
    ],
    "a device node": lambda out: [top("Yn"), Piece("./n", tarfile.CHRTYPE)],
    "a block device node": lambda out: [top("Yn"), Piece("./n", tarfile.BLKTYPE)],
    "a listing that renames": lambda out: [top("R./d", f"T{out}/d", "Dd"), Piece("./d/", listing=[])],
    "a listing that names what lies outside": lambda out: [top("Y../outside/secret")],
    "a folder without a listing": lambda out: [top("Dd"), Piece("./d/", tarfile.DIRTYPE)],
    "a file that is not listed": lambda out: [top(), Piece("./f", content=b"x")],
    "a file that comes twice": lambda out: [top("Yf"), Piece("./f", content=b"x"), Piece("./f", content=b"y")],
    "an unknown type": lambda out: [top("Yf"), Piece("./f", b"V")],
    "a contiguous file": lambda out: [top("Yf"), Piece("./f", tarfile.CONTTYPE)],
    "a member behind a long name of GNU's": lambda out: [
        top("Yf"),
        Piece("./f", tarfile.GNUTYPE_LONGNAME, content=b"./../e"),
    ],
    "an unknown extended header": lambda out: [top("Yf"), Piece("./f", pax={"GNU.volume.label": "x"})],
    "another sparse format": lambda out: [
        top("Yf"),
        Piece("./f", pax={"GNU.sparse.map": "0,1", "GNU.sparse.size": "5"}),
    ],
}


@pytest.mark.parametrize("name", EVIL)
def test_it_is_refused_before_anything_is_written(name: str, forger: Forger) -> None:
    forger.level(EVIL[name](str(forger.bench.top / "outside")))
    with pytest.raises(RunFailed, match="is damaged"):
        restore(forger)
    assert outside_is_untouched(forger)
    assert not (forger.bench.top / "out").exists()


def test_a_symlink_of_one_level_does_not_lead_the_next_one_out(forger: Forger) -> None:
    out = str(forger.bench.top / "outside")
    forger.level([top("Yl"), Piece("./l", tarfile.SYMTYPE, out)])
    forger.level([top("Dl"), Piece("./l/", listing=["Yevil"]), Piece("./l/evil", content=b"x")])
    restore(forger)
    assert outside_is_untouched(forger)
    assert names(forger.bench.top / "out") == {"l", "l/evil"}


def test_a_level_may_not_write_into_what_it_does_not_hold(forger: Forger) -> None:
    out = str(forger.bench.top / "outside")
    forger.level([top("Yl"), Piece("./l", tarfile.SYMTYPE, out)])
    forger.level([top("Nl"), Piece("./l/evil", content=b"x")])
    with pytest.raises(RunFailed, match="lies in no folder of the backup"):
        restore(forger)
    assert outside_is_untouched(forger)


def test_an_archive_behind_the_archive_is_refused(forger: Forger) -> None:
    forger.level([top()])
    first = (forger.bench.levels[0].path / "archive.tar").read_bytes()
    (forger.bench.levels[0].path).rename(forger.bench.top / "aside")
    forger.last = None
    forger.stream(first + first)
    with pytest.raises(RunFailed, match="there is something behind its end"):
        restore(forger)


def test_a_global_header_is_refused(forger: Forger) -> None:
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "./../evil"}
    ) as archive:
        archive.addfile(top("Yf").info())
        archive.addfile(Piece("./f").info(), io.BytesIO())
    forger.stream(stream.getvalue())
    with pytest.raises(RunFailed, match="is damaged"):
        restore(forger)


def test_a_list_of_members_that_does_not_fit_is_refused(forger: Forger) -> None:
    forger.level([top("Yf"), Piece("./f", content=b"x")])
    forger.relist([])
    with pytest.raises(RunFailed, match="is not what its list of members says"):
        restore(forger)


def test_a_list_with_too_many_members_is_refused(forger: Forger) -> None:
    forger.level([top()])
    forger.relist([Member(".", "dir", 0o755, 0, 0, 10**18, names={}), Member("f", "file", 0o755, 0, 0, 10**18)])
    with pytest.raises(RunFailed, match="its list of members goes on after its end"):
        restore(forger)


@pytest.mark.parametrize(
    "fields",
    [
        {"roots": [Root.model_construct(source="/x", member="..", restored_as=".")]},
        {"roots": [Root.model_construct(source="/x", member="a/../..", restored_as="a")]},
        {"roots": [Root.model_construct(source="/x", member="/etc", restored_as="a")]},
        {"roots": [Root.model_construct(source="/x", member="a", restored_as="../evil")]},
        {"roots": [Root.model_construct(source="/x", member="a", restored_as="b/c")]},
        {"roots": [Root.model_construct(source="/x", member=m, restored_as=m) for m in "aa"]},
        {"roots": []},
        {"parent": "../../outside"},
        {"id": "20260102T000000.000000Z_level0"},
        {"level": -1},
        {"format": 2},
        {"compression": "rar"},
    ],
)
def test_a_manifest_that_lies_is_refused(fields: dict[str, Any], forger: Forger) -> None:
    forger.level([top()], **fields)
    with pytest.raises(RunFailed, match="is damaged: "):
        restore(forger)


def test_members_are_compared_with_the_disk_in_the_end(forger: Forger) -> None:
    """A wrong SHA-256 in the list of members, under right sums of all files."""
    forger.level([top("Yf"), Piece("./f", content=b"x")])
    listed = Member("f", "file", 0o755, 0, 0, 10**18, size=1, sha256="0" * 64)
    forger.relist([Member(".", "dir", 0o755, 0, 0, 10**18, names={"f": "Y"}), listed])
    with pytest.raises(RunFailed, match="the restored tree is not what was archived: f has a different content"):
        restore(forger)
    assert not (forger.bench.top / "out").exists()

"""Reads the byte stream of a tar archive as it flows by: strict, hashing, and never trusting it.

It takes only what GNU tar writes for a backup (`--format=posix`, incremental, numeric owners). Whatever else a tar
archive may hold is refused, so that no member can mean one thing to this reader and another to the tar that extracts.
"""

import hashlib
from collections.abc import Callable, Generator
from decimal import Decimal
from typing import Final

from jobs.runners.archive.errors import BadArchive
from jobs.runners.archive.members import TOP, Member, MemberType, is_inside

BLOCK: Final = 512
ZERO_BLOCK: Final = bytes(BLOCK)
ZEROS: Final = bytes(1 << 20)
MAX_PAX_BYTES: Final = 1 << 30
"""A folder's listing is in its header: this is room for millions of names."""
MAX_SPARSE_MAP_BYTES: Final = 1 << 26

TYPES: dict[bytes, MemberType] = {b"0": "file", b"1": "hardlink", b"2": "symlink", b"5": "dir", b"6": "fifo"}
DEVICES = (b"3", b"4")
PAX_KEYS = {"path", "linkpath", "size", "mtime", "uid", "gid", "GNU.dumpdir", "RHT.security.selinux"}
SPARSE_KEYS = {"GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.name", "GNU.sparse.realsize"}
PAX_PREFIXES = ("SCHILY.xattr.", "SCHILY.acl.")
DUMPDIR_CODES = "YNDI"
RENAME_CODES = "RTX"

Parse = Generator[None, None, None]
Take = Generator[None, None, bytes]


class Renamed(BadArchive):
    """A folder was renamed while tar looked, or has two names; such records cannot be restored safely."""


class StreamReader:
    """Feed it the archive in pieces of any size; it calls `on_member` for each member once its content has passed.

    `tick` is called now and then in long stretches without input (the holes of sparse files); it may raise.
    """

    def __init__(
        self,
        on_member: Callable[[Member], None],
        *,
        hashing: bool,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self.content_bytes = 0
        self._on_member = on_member
        self._hashing = hashing
        self._tick = tick
        self._data = b""
        self._at = 0
        self._ended = False
        self._parser = self._archive()
        next(self._parser)

    def feed(self, data: bytes) -> None:
        """Raises `BadArchive`."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0
        next(self._parser)

    def close(self) -> None:
        """Raises `BadArchive` when the end of the archive has not been seen."""
        self._parser.close()
        if not self._ended:
            raise BadArchive("it ends too early")

    # -- blocks ----------------------------------------------------------------------------------------------------
    def _archive(self) -> Parse:
        pax: dict[str, str] = {}
        while (header := (yield from self._take(BLOCK))) != ZERO_BLOCK:
            _check_header(header)
            if header[156:157] == b"x":
                if pax:
                    raise BadArchive("two extended headers in a row")
                pax = yield from self._extended(header)
            else:
                yield from self._member(header, pax)
                pax = {}
        if pax:
            raise BadArchive("an extended header without a member")
        self._ended = True
        while True:
            if self._data[self._at :].strip(b"\0"):
                raise BadArchive("there is something behind its end")
            self._at = len(self._data)
            yield

    def _take(self, n_bytes: int) -> Take:
        while len(self._data) - self._at < n_bytes:
            yield
        piece = self._data[self._at : self._at + n_bytes]
        self._at += n_bytes
        return piece

    def _extended(self, header: bytes) -> Generator[None, None, dict[str, str]]:
        size = _octal(header[124:136])
        if size > MAX_PAX_BYTES:
            raise BadArchive("an extended header is too large")
        pieces: list[bytes] = []
        yield from self._pass(size, lambda piece: pieces.append(bytes(piece)))
        return _pax(b"".join(pieces))

    # -- members ---------------------------------------------------------------------------------------------------
    def _member(self, header: bytes, pax: dict[str, str]) -> Parse:
        member = _member(header, pax)
        stored = int(pax["size"]) if "size" in pax else _octal(header[124:136])
        if member.type != "file" and stored:
            raise BadArchive(f"{member.path!r} is no regular file but has content")
        if member.type == "file":
            digest = hashlib.sha256()
            update = digest.update if self._hashing else _ignore
            if "GNU.sparse.major" in pax:
                yield from self._sparse(member, stored, update)
            else:
                member.size = stored
                yield from self._pass(stored, self._counting(update))
            member.sha256 = digest.hexdigest() if self._hashing else None
        self._on_member(member)

    def _counting(self, update: Callable[[memoryview], None]) -> Callable[[memoryview], None]:
        def count(piece: memoryview) -> None:
            self.content_bytes += len(piece)
            update(piece)

        return count

    def _pass(self, size: int, update: Callable[[memoryview], None]) -> Parse:
        """Let `size` bytes go by, and what pads them to a block."""
        yield from self._pass_exactly(size, update)
        yield from self._pass_exactly(-size % BLOCK, _ignore)

    def _pass_exactly(self, size: int, update: Callable[[memoryview], None]) -> Parse:
        while size:
            if self._at == len(self._data):
                yield
                continue
            piece = memoryview(self._data)[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            update(piece)

    def _sparse(self, member: Member, stored: int, update: Callable[[memoryview], None]) -> Parse:
        """Format 1.0: a map (decimal numbers in lines) padded to a block, then the segments without the holes."""
        numbers, map_bytes = yield from self._map()
        update = self._counting(update)
        at = 0
        for offset, length in zip(numbers[::2], numbers[1::2], strict=True):
            self._hole(offset - at, member, update)
            yield from self._pass_exactly(length, update)
            at = offset + length
        self._hole(member.size - at, member, update)
        if map_bytes + sum(numbers[1::2]) != stored:
            raise BadArchive(f"{member.path!r} has a map of holes that does not fit its size")
        yield from self._pass_exactly(-stored % BLOCK, _ignore)

    def _map(self) -> Generator[None, None, tuple[list[int], int]]:
        """Offsets and lengths by turns, and the bytes that the map took."""
        blocks = [(yield from self._take(BLOCK))]
        wanted = 1 + 2 * _number(blocks[0].split(b"\n", 1)[0])
        lines = blocks[0].count(b"\n")
        while lines < wanted:
            if len(blocks) * BLOCK > MAX_SPARSE_MAP_BYTES:
                raise BadArchive("the map of a sparse file is too large")
            blocks.append((yield from self._take(BLOCK)))
            lines += blocks[-1].count(b"\n")
        text = b"".join(blocks)
        return [_number(line) for line in text.split(b"\n", wanted)[1:wanted]], len(text)

    def _hole(self, size: int, member: Member, update: Callable[[memoryview], None]) -> None:
        if size < 0:
            raise BadArchive(f"{member.path!r} has a map of holes that is out of order")
        while size and self._hashing:
            piece = memoryview(ZEROS)[:size]
            size -= len(piece)
            update(piece)
            self._tick()


def _ignore(_: memoryview) -> None:
    pass


def _check_header(header: bytes) -> None:
    given = _octal(header[148:156])
    if given != sum(header) - sum(header[148:156]) + 8 * 32:
        raise BadArchive("a header has a wrong checksum")
    if header[257:265] != b"ustar\x0000":
        raise BadArchive("a header is not of the POSIX format")


def _member(header: bytes, pax: dict[str, str]) -> Member:
    path = pax.get("GNU.sparse.name") or pax.get("path") or _header_name(header)
    kind = TYPES.get(header[156:157])
    if kind is None:
        what = "a device node" if header[156:157] in DEVICES else f"of the unknown type {header[156:157]!r}"
        raise BadArchive(f"{path!r} is {what}")
    return Member(
        path=_inner(path, folder=kind == "dir"),
        type=kind,
        mode=_octal(header[100:108]) & 0o7777,
        uid=int(pax["uid"]) if "uid" in pax else _octal(header[108:116]),
        gid=int(pax["gid"]) if "gid" in pax else _octal(header[116:124]),
        mtime_ns=_nanoseconds(pax["mtime"]) if "mtime" in pax else _octal(header[136:148]) * 10**9,
        size=int(pax.get("GNU.sparse.realsize", 0)),
        link=_link(header, pax, kind),
        names=_listing(path, pax) if kind == "dir" else None,
    )


def _header_name(header: bytes) -> str:
    name, prefix = (part.split(b"\0", 1)[0] for part in (header[:100], header[345:500]))
    return _text(prefix + b"/" + name if prefix else name)


def _inner(path: str, *, folder: bool) -> str:
    """`./a/b` as `a/b`. The backup writes every path so, and a folder with a slash at its end."""
    if folder and path in (".", "./"):
        return TOP
    inner = path.removeprefix("./")
    if folder:
        inner = inner.removesuffix("/")
    if inner in (path, TOP) or not is_inside(inner):
        raise BadArchive(f"the member {path!r} would leave the target")
    return inner


def _link(header: bytes, pax: dict[str, str], kind: MemberType) -> str | None:
    if kind not in ("symlink", "hardlink"):
        return None
    link = pax.get("linkpath") or _text(header[157:257].split(b"\0", 1)[0])
    return _inner(link, folder=False) if kind == "hardlink" else link


def _listing(path: str, pax: dict[str, str]) -> dict[str, str]:
    if "GNU.dumpdir" not in pax:
        raise BadArchive(f"the folder {path!r} has no listing")
    names: dict[str, str] = {}
    for entry in pax["GNU.dumpdir"].rstrip("\0").split("\0"):
        if not entry:
            continue
        code, name = entry[0], entry[1:]
        if code in RENAME_CODES:
            raise Renamed(f"the folder {name!r} was renamed meanwhile or has two names (a bind mount?)")
        if code not in DUMPDIR_CODES or "/" in name or not is_inside(name) or name == TOP:
            raise BadArchive(f"the folder {path!r} lists {entry!r}")
        names[name] = code
    return names


def _pax(data: bytes) -> dict[str, str]:
    records: dict[str, str] = {}
    at = 0
    while at < len(data):
        length, blank, _ = data[at : at + 20].partition(b" ")
        record = data[at : at + _number(length)] if blank else b""
        key, equals, value = record[len(length) + 1 : -1].partition(b"=")
        name = _text(key)
        if not equals or record[-1:] != b"\n" or name in records or not _is_known(name):
            raise BadArchive(f"an extended header holds {name[:80]!r}")
        records[name] = "" if name.startswith(PAX_PREFIXES) else _text(value)
        at += len(record)
    _check_pax(records)
    return records


def _is_known(key: str) -> bool:
    return key in PAX_KEYS or key in SPARSE_KEYS or key.startswith(PAX_PREFIXES)


def _check_pax(records: dict[str, str]) -> None:
    for key in ("size", "uid", "gid", "GNU.sparse.realsize"):
        if key in records:
            _number(records[key].encode())
    if not SPARSE_KEYS.isdisjoint(records):
        version = (records.get("GNU.sparse.major"), records.get("GNU.sparse.minor"))
        if version != ("1", "0") or not records.keys() >= SPARSE_KEYS:
            raise BadArchive("a sparse file is not of the format 1.0")
    for key in ("path", "linkpath", "GNU.sparse.name"):
        if "\0" in records.get(key, "") or records.get(key) == "":
            raise BadArchive("an extended header holds an impossible path")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > 20:
        raise BadArchive(f"{text[:30]!r} stands where a number should")
    return int(text)


def _octal(field: bytes) -> int:
    text = field.split(b"\0", 1)[0].strip(b" ")
    if not text or text.strip(b"01234567"):
        raise BadArchive(f"{field!r} stands where an octal number should")
    return int(text, 8)


def _nanoseconds(text: str) -> int:
    try:
        return int(Decimal(text).scaleb(9).to_integral_value())
    except ArithmeticError:
        raise BadArchive(f"{text[:30]!r} stands where a time should") from None

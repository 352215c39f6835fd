"""JSON Lines files as targets of an ingestion."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from jobs.errors import RunFailed
from jobs.runners.context import Context
from jobs.runners.sql.files import beside, folder_of, lock, write_all
from jobs.runners.sql.place import Place
from jobs.runners.sql.sink import Drops
from jobs.runners.sql.values import Record, Unwritable, dump_line


class Lines:
    """Writes records to an open file, a batch at a time."""

    def __init__(self, fd: int, drops: Drops, key: str | None) -> None:
        self.fd = fd
        self._drops = drops
        self._key = key

    def write(self, records: list[Record]) -> None:
        try:
            lines = [dump_line(record) for record in records]
        except Unwritable:
            lines = [line for record in records if (line := self._line(record))]
        write_all(self.fd, b"".join(lines))

    def _line(self, record: Record) -> bytes:
        try:
            return dump_line(record)
        except Unwritable as error:
            self._drops.drop(record, str(error), self._key)
            return b""


class GrowingLines(Lines):
    """The file itself grows. What stands behind the known offset was not committed: it is cut off at the start."""

    def __init__(self, fd: int, drops: Drops, key: str | None, *, is_new: bool, path: str) -> None:
        super().__init__(fd, drops, key)
        self._is_new = is_new
        self._path = path
        self._known: int | None = None

    def start(self, place: Place | None) -> Place:
        size = os.fstat(self.fd).st_size
        if place is None or place.offset is None or self._is_new:
            place = Place(offset=size)
        assert place.offset is not None
        if size < place.offset or not self._ends_line(place.offset):
            raise RunFailed(
                f"{self._path} was changed by somebody else: {place.offset} bytes of it were known. Put it back, or "
                "remove it to begin anew"
            )
        self._known = place.offset
        self.cut()
        os.lseek(self.fd, place.offset, os.SEEK_SET)
        return place

    def _ends_line(self, offset: int) -> bool:
        return offset == 0 or os.pread(self.fd, 1, offset - 1) == b"\n"

    def commit(self, place: Place) -> Place:
        os.fsync(self.fd)
        self._known = os.lseek(self.fd, 0, os.SEEK_CUR)
        return replace(place, offset=self._known)

    def cut(self) -> None:
        """Take away what was not committed."""
        if self._known is not None:
            os.ftruncate(self.fd, self._known)


class NewLines(Lines):
    """A new file beside the old one, which it replaces with its only commit."""

    def __init__(self, fd: int, drops: Drops, key: str | None, put: Callable[[], int]) -> None:
        super().__init__(fd, drops, key)
        self._put = put

    def start(self, place: Place | None) -> Place:  # noqa: ARG002 - it always begins anew
        return Place()

    def commit(self, place: Place) -> Place:
        return replace(place, offset=self._put())


@contextmanager
def growing(path: str, drops: Drops, key: str | None, context: Context) -> Iterator[GrowingLines]:
    with folder_of(path) as (folder, name):
        is_new = not folder.has(name)
        fd = lock(folder, name, context)
        lines = GrowingLines(fd, drops, key, is_new=is_new, path=path)
        try:
            yield lines
        finally:
            lines.cut()
            os.close(fd)


@contextmanager
def replacing(path: str, drops: Drops, key: str | None, context: Context) -> Iterator[NewLines]:
    with beside(path, context) as (fd, put):
        yield NewLines(fd, drops, key, put)

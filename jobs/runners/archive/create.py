"""Makes one level: tar's stream is checked, hashed and compressed on its way to the disk."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jobs.errors import RunFailed
from jobs.runners.archive.compress import SUFFIX, ArchiveWriter, Compression, require
from jobs.runners.archive.errors import BadArchive, disk_errors, is_full
from jobs.runners.archive.folders import opened
from jobs.runners.archive.manifest import MANIFEST, MEMBERS, SNAPSHOT, Manifest, Part, level_id, sum_of
from jobs.runners.archive.members import Member, MemberWriter
from jobs.runners.archive.rules import Rules
from jobs.runners.archive.snapshot import BadSnapshot, Snapshot
from jobs.runners.archive.sources import Scan, Sources
from jobs.runners.archive.store import Home, Level, sync
from jobs.runners.archive.stream import Renamed, StreamReader
from jobs.runners.archive.tar import Messages, run_tar
from jobs.runners.archive.texts import printable
from jobs.runners.context import Context
from jobs.runners.program import Sink

TRIES = 3
"""A folder renamed just while tar looks spoils a level; then it is begun again."""
SOME_FILES_DIFFER = 1
TAR_OPTIONS = (
    "--create",
    "--file=-",
    "--blocking-factor=128",
    "--format=posix",
    "--pax-option=delete=atime,delete=ctime",
    "--numeric-owner",
    "--sparse",
    "--xattrs",
    "--acls",
    "--ignore-failed-read",
    "--warning=no-file-ignored",
    "--warning=no-xdev",
)


@dataclass(frozen=True)
class Order:
    """What one level is to hold."""

    home: Home
    sources: Sources
    exclude: tuple[str, ...]
    one_file_system: bool
    compression: Compression
    base: Level | None

    def is_like(self, level: Level) -> bool:
        """Whether that level holds the same sources by the same exclusions: only then it can be the base."""
        mine = (list(self.sources.roots), list(self.exclude), self.one_file_system)
        its = level.manifest
        return mine == (its.roots, its.exclude, its.one_file_system)


def make_level(order: Order, context: Context) -> Level:
    """Raises `RunFailed` or `Stopped`; then nothing of it is left."""
    require(order.compression)
    for _ in range(TRIES):
        try:
            with disk_errors("the container", order.home.container):
                return _Making(order, context).run()
        except Renamed as error:
            reason = str(error)
        except BadArchive as error:
            raise RunFailed(f"tar wrote what a restore would refuse: {error}") from error
        except BadSnapshot as error:
            raise RunFailed(str(error)) from error
    raise RunFailed(f"tar could not list the source: {reason}")


class _Making:
    def __init__(self, order: Order, context: Context) -> None:
        self.order = order
        self.context = context
        self.created_at = datetime.now(UTC)
        self.level = order.base.manifest.level + 1 if order.base else 0
        self.scan = Scan()
        self.rules = Rules([root.member for root in order.sources.roots])
        self.messages = Messages(context.warn)
        self.n_files = 0

    def run(self) -> Level:
        name = level_id(self.created_at, self.level)
        with self.order.home.partial(name) as folder:
            since_ns = self.copy_snapshot(folder / SNAPSHOT)
            hidden = self.hidden_paths()
            self.look(hidden, since_ns)
            archive, content_bytes = self.write_archive(folder, [*hidden, *self.scan.devices])
            self.mend_snapshot(folder / SNAPSHOT)
            manifest = self.manifest(folder, name, archive, content_bytes)
            manifest.write(folder / MANIFEST)
            sync(folder / MANIFEST)
            self.context.raise_if_stopped()
        return Level(self.order.home.path / name, manifest)

    # -- before tar ------------------------------------------------------------------------------------------------
    def copy_snapshot(self, path: Path) -> int:
        """Since when a change counts, in nanoseconds of the epoch; 0 for a full level."""
        if self.order.base is None:
            return 0
        snapshot = Snapshot.read(self.order.base.path / SNAPSHOT)
        snapshot.prepare(str(self.order.sources.top))
        snapshot.write(path)
        return snapshot.started_ns

    def hidden_paths(self) -> list[str]:
        """The archives never swallow themselves: the container, or at least this backup, is passed over."""
        for path in (self.order.home.container, self.order.home.path):
            inner = self.order.sources.inner(path)
            if inner is not None:
                return [inner]
        return []

    def look(self, hidden: list[str], since_ns: int) -> None:
        self.context.progress(0, unit="bytes")
        self.scan.look(self.order.sources, hidden=hidden, since_ns=since_ns, tick=self.context.raise_if_stopped)
        for path in self.scan.devices:
            self.context.warn(f"{printable(path)}: a device node is not archived")
        self.context.progress(0, self.scan.content_bytes)

    # -- tar -------------------------------------------------------------------------------------------------------
    def write_archive(self, folder: Path, hidden: list[str]) -> tuple[Part, int]:
        """The archive's sums, and how many bytes of content are in it."""
        with (folder / MEMBERS).open("xb") as members_file, self.archive_writer(folder) as writer:
            members = MemberWriter(members_file)
            reader = StreamReader(
                lambda member: self.take(member, members), hashing=True, tick=self.context.raise_if_stopped
            )

            def on_stdout(data: bytes) -> None:
                reader.feed(data)
                writer.write(data)
                self.context.progress(reader.content_bytes)

            self.run_tar(folder, hidden, on_stdout)
            reader.close()
            members.close()
            members_file.flush()
            os.fsync(members_file.fileno())
            writer.close()
        self.context.progress(reader.content_bytes, reader.content_bytes)
        return Part(size_bytes=writer.size_bytes, sha256=writer.sha256), reader.content_bytes

    @contextmanager
    def archive_writer(self, folder: Path) -> Iterator[ArchiveWriter]:
        with (folder / f"archive.tar{SUFFIX[self.order.compression]}").open("xb") as file:
            writer = ArchiveWriter(file, self.order.compression)
            try:
                yield writer
            finally:
                writer.abort()

    def run_tar(self, folder: Path, hidden: list[str], on_stdout: Sink) -> None:
        order = self.order
        arguments = [
            *TAR_OPTIONS,
            *(["--one-file-system"] if order.one_file_system else []),
            f"--listed-incremental={folder / SNAPSHOT}",
            *order.sources.exclusions(order.exclude, hidden),
            "--",
            *order.sources.arguments,
        ]
        with opened(order.sources.top) as cwd:
            code = run_tar(arguments, context=self.context, cwd=cwd, messages=self.messages, on_stdout=on_stdout)
        if code in (0, SOME_FILES_DIFFER):
            return
        if self.messages.is_out_of_space:
            raise RunFailed(is_full("the container", order.home.container), causes=self.messages.last)
        raise RunFailed(f"tar failed with code {code}", causes=self.messages.last, exit_code=code)

    def take(self, member: Member, members: MemberWriter) -> None:
        self.rules.admit(member)
        member.inode = self.scan.inodes.get(member.path)
        members.write(member)
        if member.type != "dir":
            self.n_files += 1
            self.context.report(records=self.n_files)

    # -- after tar -------------------------------------------------------------------------------------------------
    def mend_snapshot(self, path: Path) -> None:
        """What could not be read now must be archived by the next level even if it does not change."""
        missed = [name for name in self.rules.left_out() if self.is_worth_another_try(name)]
        if missed:
            snapshot = Snapshot.read(path)
            snapshot.forget(missed)
            snapshot.write(path)
        sync(path)

    def is_worth_another_try(self, path: str) -> bool:
        try:
            info = os.lstat(self.order.sources.top / path)
        except OSError:
            return False
        return stat.S_ISREG(info.st_mode)

    def manifest(self, folder: Path, name: str, archive: Part, content_bytes: int) -> Manifest:
        order, info = self.order, self.context.info
        return Manifest(
            id=name,
            backup_name=order.home.name,
            created_at=self.created_at,
            finished_at=datetime.now(UTC),
            level=self.level,
            parent=order.base.id if order.base else None,
            roots=list(order.sources.roots),
            exclude=list(order.exclude),
            one_file_system=order.one_file_system,
            compression=order.compression,
            archive=archive,
            snapshot=sum_of(folder / SNAPSHOT),
            members=sum_of(folder / MEMBERS),
            n_files=self.n_files,
            content_bytes=content_bytes,
            job=info.job,
            execution=info.execution,
            attempt=info.attempt,
            node=info.node,
        )

"""Proves the archives of a chain, then has tar unpack them into a fresh folder."""

# Paths are plain text here: a Path for each of a million files is slow.
# ruff: noqa: PTH101

import os
import stat
from collections.abc import Callable
from pathlib import Path

from jobs.errors import RunFailed
from jobs.runners.archive.compress import COMMAND, environment, require
from jobs.runners.archive.errors import BadArchive, is_full
from jobs.runners.archive.manifest import CHUNK_BYTES, MEMBERS, Damaged
from jobs.runners.archive.members import Member, read_members
from jobs.runners.archive.rules import Rules
from jobs.runners.archive.store import Level
from jobs.runners.archive.stream import BLOCK, StreamReader
from jobs.runners.archive.tar import Messages, run_tar
from jobs.runners.context import Context
from jobs.runners.program import run_program

WAY_OUT = "restore an earlier time with 'at', and make a new full backup"
CHECKPOINT = "@checkpoint"
CHECKPOINT_RECORDS = 100
RECORD_BLOCKS = 128
TAR_OPTIONS = (
    "--extract",
    "--listed-incremental=/dev/null",
    "--numeric-owner",
    "--same-permissions",
    "--delay-directory-restore",
    "--acls",
    "--xattrs",
    "--xattrs-include=user.*",
    "--warning=no-timestamp",
    "--force-local",
    f"--blocking-factor={RECORD_BLOCKS}",
    f"--checkpoint={CHECKPOINT_RECORDS}",
    f"--checkpoint-action=echo={CHECKPOINT}",
)
ROOT_OPTIONS = ("--same-owner", "--xattrs-include=security.capability")
Progress = Callable[[int], None]
"""Told how many bytes of content have been dealt with since the last call."""


def check_level(level: Level, context: Context, progress: Progress) -> list[Member]:
    """Its members, proved: the files' sums, and that no member would leave the target. `RunFailed` names the archive.

    Nothing has been written before this has passed for the whole chain.
    """
    manifest = level.manifest
    try:
        manifest.archive.check(level.archive, context.raise_if_stopped)
        manifest.members.check(level.path / MEMBERS, context.raise_if_stopped)
        members = list(read_members(level.path / MEMBERS))
        _check_stream(level, members, context, progress)
    except (Damaged, BadArchive, EOFError, ValueError) as error:
        raise RunFailed(f"the archive {level.path} is damaged: {error}; {WAY_OUT}") from error
    except OSError as error:
        raise RunFailed(f"the archive {level.path} cannot be read: {error}") from error
    return members


def _check_stream(level: Level, members: list[Member], context: Context, progress: Progress) -> None:
    """The archive holds what members.jsonl.gz lists, in this order, and keeps the rules."""
    rules = Rules([root.member for root in level.manifest.roots])
    listed = iter(members)

    def take(member: Member) -> None:
        rules.admit(member)
        if (expected := next(listed, None)) is None or not _is_same(expected, member):
            raise BadArchive(f"{member.path!r} is not what its list of members says")

    reader = StreamReader(take, hashing=False, tick=context.raise_if_stopped)
    passed = 0

    def feed(data: bytes) -> None:
        nonlocal passed
        reader.feed(data)
        progress(reader.content_bytes - passed)
        passed = reader.content_bytes

    _decompress(level, context, feed)
    reader.close()
    if next(listed, None) is not None:
        raise BadArchive("its list of members goes on after its end")


def _is_same(listed: Member, found: Member) -> bool:
    return (listed.path, listed.type, listed.size, listed.link, listed.names) == (
        found.path,
        found.type,
        found.size,
        found.link,
        found.names,
    )


def _decompress(level: Level, context: Context, feed: Callable[[bytes], None]) -> None:
    compression = level.manifest.compression
    if compression == "none":
        with level.archive.open("rb") as file:
            while data := file.read(CHUNK_BYTES):
                context.raise_if_stopped()
                feed(data)
        return
    require(compression)
    messages = Messages(lambda _: None)
    code = run_program(
        [COMMAND[compression][0], "-d", "-c", "-q", "--", str(level.archive)],
        context=context,
        env=environment(),
        on_stdout=feed,
        on_stderr=messages.feed,
    )
    if code:
        raise BadArchive(f"{COMMAND[compression][0]} failed with code {code}: {' '.join(messages.last)}")


def extract_level(level: Level, folder: str, context: Context, target: Path, progress: Progress) -> None:
    """Apply a checked level to `folder`. `target` is named when there is no room."""

    def take(line: str) -> None:
        if line.startswith(CHECKPOINT):
            progress(CHECKPOINT_RECORDS * RECORD_BLOCKS * BLOCK)
        else:
            context.warn(line)

    messages = Messages(take)
    compression = level.manifest.compression
    arguments = [
        *TAR_OPTIONS,
        *(ROOT_OPTIONS if os.geteuid() == 0 else ()),
        *(["--use-compress-program=" + COMMAND[compression][0]] if compression != "none" else []),
        f"--file={level.archive}",
    ]
    _open_up(folder)
    code = run_tar(arguments, context=context, cwd=folder, messages=messages)
    if code and messages.is_out_of_space:
        raise RunFailed(is_full("the target", target), causes=messages.last)
    if code:
        raise RunFailed(f"tar could not unpack {level.archive} into {target}", causes=messages.last, exit_code=code)


def _open_up(folder: str) -> None:
    """Let tar change folders that the level before made read-only; the next one sets all modes again."""
    if os.geteuid() == 0:
        return
    for path, names, _ in os.walk(folder):
        for name in names:
            child = f"{path}/{name}"
            mode = os.lstat(child).st_mode
            if stat.S_ISDIR(mode):
                os.chmod(child, stat.S_IMODE(mode) | stat.S_IRWXU)

"""Writes the archive file: through a compressor, hashed on its way to the disk."""

import hashlib
import os
import shutil
import subprocess
import threading
from typing import IO, BinaryIO, Literal

from jobs.errors import RunFailed

Compression = Literal["zstd", "gzip", "none"]
SUFFIX: dict[Compression, str] = {"zstd": ".zst", "gzip": ".gz", "none": ""}
COMMAND: dict[Compression, list[str]] = {"zstd": ["zstd", "-q", "-3", "-T2"], "gzip": ["gzip"]}
CHUNK_BYTES = 1 << 18


def environment() -> dict[str, str]:
    """For tar and compressors: plain messages in English, and nobody's `TAR_OPTIONS`."""
    return {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}


def best_compression() -> Compression:
    return "zstd" if shutil.which("zstd") else "gzip"


def require(compression: Compression) -> None:
    """Raises `RunFailed` when its program is not there."""
    program = COMMAND.get(compression, ["tar"])[0]
    if shutil.which(program) is None:
        raise RunFailed(f"the program {program} is not installed, but compression is {compression!r}")


class ArchiveWriter:
    """Takes the uncompressed archive and writes the file; afterwards it knows its size and SHA-256.

    The compressor reads from a pipe that only this process holds: should the process die, it ends by itself.
    """

    def __init__(self, file: BinaryIO, compression: Compression) -> None:
        self.size_bytes = 0
        self._file = file
        self._digest = hashlib.sha256()
        self._error: OSError | None = None
        self._process: subprocess.Popen[bytes] | None = None
        if compression != "none":
            self._process = _start(compression)
            self._pump = threading.Thread(target=self._drain, args=(self._process.stdout,), name="archive-writer")
            self._pump.start()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Raises `OSError` (the disk's own), or `RunFailed` when the compressor failed."""
        if self._process is None:
            self._store(data)
            return
        assert self._process.stdin
        try:
            _write_all(self._process.stdin, data)
        except BrokenPipeError:
            self._finish()

    def close(self) -> None:
        """All is in the file and on the disk. Raises as `write`."""
        if self._process:
            self._finish()
        self._file.flush()
        os.fsync(self._file.fileno())

    def abort(self) -> None:
        """Leave no process and no thread."""
        if self._process:
            self._process.kill()
            self._end()

    def _finish(self) -> None:
        code = self._end()
        if self._error:
            raise self._error
        if code:
            raise RunFailed(f"the compressor ended with code {code}")

    def _end(self) -> int:
        assert self._process
        assert self._process.stdin
        self._process.stdin.close()
        self._pump.join()
        return self._process.wait()

    def _drain(self, compressed: IO[bytes]) -> None:
        with compressed:  # closed early, it ends the compressor, and that the caller
            try:
                while data := compressed.read(CHUNK_BYTES):
                    self._store(data)
            except OSError as error:
                self._error = error

    def _store(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)
        self.size_bytes += len(data)


def _write_all(pipe: IO[bytes], data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) :]


def _start(compression: Compression) -> subprocess.Popen[bytes]:
    require(compression)
    return subprocess.Popen(
        COMMAND[compression] + ["-c"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        bufsize=0,
        start_new_session=True,  # a Ctrl-C for the worker is not for the archive that it drains
    )

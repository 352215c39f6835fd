"""Encrypt secrets with the keys of a file: the first key encrypts, all of them decrypt."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from jobs.errors import KeysUnfit


@dataclass(frozen=True)
class KeyFile:
    """One key a line, newest first. It is read anew for each use, so that a rotation reaches every process at once.

    Back it up apart from the database: without it the secrets are lost, with both of them they are known.
    """

    path: Path

    def exists(self) -> bool:
        return self.path.exists()

    def encrypt(self, value: str) -> str:
        """The ciphertext as ASCII. The file is made when there is none. Call it `alone`."""
        if not self.exists():
            self._write([Fernet.generate_key()])
        return self._all().encrypt(value.encode()).decode()

    def decrypt(self, ciphertext: str) -> str:
        """Raises `KeysUnfit` when the file is lost, broken, or another one than before."""
        try:
            return self._all().decrypt(ciphertext).decode()
        except InvalidToken:
            raise KeysUnfit(f"no key in {self.path} fits; restore the file that the secret was set with") from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else on this machine changes the file, or what is encrypted with it, meanwhile."""
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    # -- rotation ------------------------------------------------------------------------------------------------------
    def add_key(self) -> None:
        """A new first key; the others go on to decrypt."""
        self._write([Fernet.generate_key(), *self._keys()])

    def renew(self, ciphertext: str) -> str:
        """The same value under the first key; raises as `decrypt` does."""
        return self._all().encrypt(self.decrypt(ciphertext).encode()).decode()

    def is_newest(self, ciphertext: str) -> bool:
        """Whether the first key alone can read it."""
        try:
            Fernet(self._keys()[0]).decrypt(ciphertext)
        except InvalidToken:
            return False
        return True

    def merge(self, keys: list[bytes]) -> None:
        """These keys first, then those that are there already."""
        mine = self._keys() if self.exists() else []
        self._write([*keys, *(key for key in mine if key not in keys)])

    def drop_old_keys(self) -> None:
        """Only the first key stays."""
        self._write(self._keys()[:1])

    # -- the file ------------------------------------------------------------------------------------------------------
    def _all(self) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self._keys()])

    def _keys(self) -> list[bytes]:
        try:
            keys = self.path.read_bytes().split()
        except FileNotFoundError:
            raise KeysUnfit(f"the key file {self.path} is missing; restore it from a backup") from None
        except OSError as error:
            raise KeysUnfit(f"the key file {self.path} cannot be read: {error.strerror}") from None
        try:
            for key in keys:
                Fernet(key)
        except ValueError:
            keys = []
        if not keys:
            raise KeysUnfit(f"the key file {self.path} is broken; restore it from a backup")
        return keys

    def _write(self, keys: list[bytes]) -> None:
        """On disk before this returns: a ciphertext must not outlive its key in a crash."""
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(b"\n".join(keys) + b"\n")
            file.flush()
            os.fsync(fd)
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


_keys: KeyFile | None = None


def configure(keys: KeyFile) -> None:
    """Set the key file of this process; done once at start from the settings."""
    global _keys
    _keys = keys


def keys() -> KeyFile:
    """The key file of this process."""
    if _keys is None:
        raise RuntimeError("jobs.secrets.configure() was not called")
    return _keys

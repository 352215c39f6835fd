"""Passwords, checked so that a flood of wrong ones cannot starve the server.

The slow hash is computed once per five minutes, process and password; then a digest keyed with a secret of this process
answers. The stored hash is part of what is digested, so a changed password is known at once. At most one slow hash is
computed at a time in a process, and one more request may wait for it. Who was wrong too often is not hashed for at all,
but a password that was right before is: strangers behind the same address cannot lock its owner out.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest
from rest_framework.exceptions import Throttled

from jobs.models import User
from jobs.models.prepared import Prepared
from vendors.wire.throttle import ATTEMPTS

REMEMBERED_S = 300
REMEMBERED = 1024
RETRY_AFTER_S = 1


class Verified:
    """The digests of credentials that were right lately; the least recently used go first."""

    def __init__(self) -> None:
        self._pepper = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def digest(self, username: str, password: str, stored: str) -> bytes:
        parts = [part.encode("utf-8", "surrogatepass") for part in (username, password, stored)]
        text = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hmac.digest(self._pepper, text, hashlib.sha256)

    def knows(self, digest: bytes) -> bool:
        with self._lock:
            if self._until.get(digest, 0) <= time.monotonic():
                return False
            self._until.move_to_end(digest)
            return True

    def was_right(self, digest: bytes) -> bool:
        """However long ago."""
        with self._lock:
            return digest in self._until

    def remember(self, digest: bytes) -> None:
        with self._lock:
            self._until[digest] = time.monotonic() + REMEMBERED_S
            self._until.move_to_end(digest)
            if len(self._until) > REMEMBERED:
                self._until.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._until.clear()


VERIFIED = Verified()
_USERS = Prepared(User.objects.values(*(field.attname for field in User._meta.concrete_fields)), "username")
_places = threading.BoundedSemaphore(2)
_hashing = threading.Lock()


@contextmanager
def _turn() -> Iterator[None]:
    """The right to compute a slow hash. Raises `Throttled` when another one is waiting for it already."""
    if not _places.acquire(blocking=False):
        raise Throttled(wait=RETRY_AFTER_S, detail="too many unverified passwords at once")
    try:
        with _hashing:
            yield
    finally:
        _places.release()


@cache
def _nobodys_hash() -> str:
    """What an unknown user's password is checked against: as slow as a known one's."""
    return make_password(secrets.token_urlsafe())


def _find(username: str) -> User | None:
    row = _USERS.first(username) if "\0" not in username else None
    return User.from_db("default", list(row), list(row.values())) if row else None


def user_with(username: str, password: str, address: str) -> User | None:
    """The active user of that name, if the password is right.

    Raises `Throttled` when too many wrong ones came from this address, or under a flood of unknown ones.
    """
    user = _find(username)
    stored = user.password if user else _nobodys_hash()
    digest = VERIFIED.digest(username, password, stored)
    if not VERIFIED.knows(digest):
        check = _check_again if VERIFIED.was_right(digest) else _check_stranger
        if not check(username, password, stored, address):
            return None
        VERIFIED.remember(digest)
    return user if user and user.is_active else None


def _check_again(username: str, password: str, stored: str, address: str) -> bool:  # noqa: ARG001
    """It was right before: it waits for its turn, behind two others at most."""
    with _hashing:
        return check_password(password, stored)


def _check_stranger(username: str, password: str, stored: str, address: str) -> bool:
    ATTEMPTS.take(address, username)
    is_wrong = False
    try:
        with _turn():
            is_wrong = not check_password(password, stored)
    finally:
        if not is_wrong:  # right, or never looked at
            ATTEMPTS.give_back(address, username)
    return not is_wrong


class Backend(ModelBackend):
    """Passwords typed into the login pages: checked as those of the faces are."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: object
    ) -> User | None:
        """Raises `Throttled` as `user_with` does."""
        if username is None or password is None:
            return None
        return user_with(username, password, request.META.get("REMOTE_ADDR", "") if request else "")

"""Refused logins and deeds in the audit: counted in memory, and written a second later as one row a minute.

A flood costs each request a counter and each process a short transaction a second, apart from everybody's own. Who
tried what from where is told apart while that is little; what is more than that counts together.
"""

import logging
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.models import F
from django.utils import timezone

from jobs.models import AuditEvent

log = logging.getLogger(__name__)
WRITTEN_AFTER_S = 1.0
MOST_OF_AN_ADDRESS = 20
"""So many rows a minute and process may tell of one address, and so many of all together."""
MOST = 500
OTHERS = "(others)"
SUBJECT_CHARS = 150
LOGIN = "refuse login"
WHOLE_KEY = re.compile(r"\b([0-9a-f]{16})\.[A-Za-z0-9_-]{16,}")


@dataclass(frozen=True)
class Refused:
    """What makes two refusals the same."""

    minute: datetime
    deed: str
    address: str
    username: str
    subject: str
    face: str


class Pending:
    """The refusals that are not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        with self._lock:
            self._counts: Counter[Refused] = Counter()
            self._beside: dict[Refused, dict[str, Any]] = {}
            self._known: dict[Refused, str] = {}
            self._per_address: Counter[str] = Counter()
            self._minute: datetime | None = None
            self._is_awaited = False

    def add(self, one: Refused, beside: Mapping[str, Any]) -> bool:
        """Whether somebody has to see to its being written."""
        with self._lock:
            told = self._told(one)
            self._counts[told] += 1
            self._beside.setdefault(told, {"at": timezone.now(), **(beside if told is one else {})})
            was_awaited, self._is_awaited = self._is_awaited, True
            return not was_awaited

    def _told(self, one: Refused) -> Refused:
        """As itself, or as one of many."""
        if one.minute != self._minute:
            self._minute = one.minute
            self._known.clear()
            self._per_address.clear()
        if one in self._known:
            return one
        if len(self._known) >= MOST:
            return replace(one, address="", username="", subject=OTHERS)
        if self._per_address[one.address] >= MOST_OF_AN_ADDRESS:
            return replace(one, username="", subject=OTHERS)
        self._known[one] = one.address
        self._per_address[one.address] += 1
        return one

    def take(self) -> list[tuple[Refused, int, dict[str, Any]]]:
        with self._lock:
            taken = [(one, count, self._beside[one]) for one, count in self._counts.items()]
            self._counts.clear()
            self._beside.clear()
            self._is_awaited = False
            return taken

    def give_back(self, taken: list[tuple[Refused, int, dict[str, Any]]]) -> None:
        """They go with the next one."""
        with self._lock:
            for one, count, beside in taken:
                self._counts[one] += count
                self._beside[one] = beside


_pending = Pending()
forget = _pending.forget


def note(
    deed: str,
    *,
    subject: str,
    face: str,
    address: str,
    username: str = "",
    beside: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Count a refusal; written within about a second, whatever becomes of the caller's transaction.

    `beside` are further fields of the row. Of an API key in the subject only its id is kept.
    """
    minute = timezone.now().replace(second=0, microsecond=0)
    one = Refused(minute, deed, address[:45], username, _shown(subject), face)
    if _pending.add(one, beside):
        _later()


def _shown(text: str) -> str:
    """Whatever a client sent, as printable ASCII."""
    plain = WHOLE_KEY.sub(r"\1.(secret)", text)[:SUBJECT_CHARS].encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain)[:SUBJECT_CHARS]


def _later() -> None:
    """In a thread that a process at its end waits for."""
    threading.Timer(WRITTEN_AFTER_S, _write).start()


def _write() -> None:
    try:
        flush()
    finally:
        connections.close_all()


def flush() -> None:
    """Write what has gathered. While the database is away it stays in memory."""
    taken = _pending.take()
    try:
        with transaction.atomic():
            for one, count, beside in taken:
                _count(one, count, beside)
    except (DatabaseError, InterfaceError):
        log.warning("cannot write refusals into the audit yet", exc_info=True)
        _pending.give_back(taken)


def _count(one: Refused, count: int, beside: dict[str, Any]) -> None:
    """Several processes count in the same row."""
    rows = AuditEvent.objects.filter(**vars(one))
    if rows.update(count=F("count") + count):
        return
    AuditEvent.objects.bulk_create([AuditEvent(**vars(one), **beside, count=0)], ignore_conflicts=True)
    rows.update(count=F("count") + count)

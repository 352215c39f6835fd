"""What a run prints, in pieces for the database: the head and the tail of it, never more than a limit."""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from jobs.texts import storable

PIECE_CHARS = 16384
"""At most 64 KiB in UTF-8."""
PIECE_COST_BYTES = 64
"""What a piece counts beside its text, so that a flood of tiny ones fills neither memory nor table."""

Pieces = deque[tuple[str, str]]


@dataclass
class Batch:
    """What one flush writes: new pieces as (sequence, stream, text), and the sequences that make room."""

    pieces: list[tuple[int, str, str]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    seq: int = 0
    dropped: int = 0

    def __bool__(self) -> bool:
        return bool(self.pieces or self.gone)

    def then(self, newer: "Batch") -> "Batch":
        """This one, which could not be written, and what came after it."""
        mine, gone = {seq for seq, _, _ in self.pieces}, set(newer.gone)
        return Batch(
            pieces=[piece for piece in self.pieces if piece[0] not in gone] + newer.pieces,
            gone=self.gone + [seq for seq in newer.gone if seq not in mine],
            seq=newer.seq,
            dropped=newer.dropped,
        )


class OutputBuffer:
    """Keeps the first half of `limit_bytes` and the newest half; what falls between is counted as dropped.

    `kept` are the pieces of earlier attempts, as (sequence, bytes): the limit is one of the whole execution.
    """

    def __init__(
        self, limit_bytes: int, *, seq: int = 0, dropped: int = 0, kept: Iterable[tuple[int, int]] = ()
    ) -> None:
        self._half = limit_bytes // 2
        self._lock = threading.Lock()
        self._head: Pieces = deque()
        self._head_room = self._half
        self._tail: Pieces = deque()
        self._tail_bytes = 0
        self._written: deque[tuple[int, int]] = deque()
        """The part of the tail that is in the database, as (sequence, bytes)."""
        self._written_bytes = 0
        self.seq = seq
        self.dropped = dropped
        for number, size in kept:
            self._count_written(number, size)

    def append(self, stream: str, text: str) -> None:
        """Add text; what no database keeps (NUL, lone surrogates) becomes U+FFFD."""
        clean = storable(text)
        with self._lock:
            for start in range(0, len(clean), PIECE_CHARS):
                self._add(stream, clean[start : start + PIECE_CHARS])

    def _add(self, stream: str, text: str) -> None:
        if self._head_room > 0:
            self._head_room -= _join(self._head, stream, text)
            return
        self._tail_bytes += _join(self._tail, stream, text)
        while self._tail_bytes > self._half and len(self._tail) > 1:
            size = len(self._tail.popleft()[1].encode())
            self._tail_bytes -= size + PIECE_COST_BYTES
            self.dropped += size

    def take(self) -> Batch:
        """Everything new as a batch; its pieces count as written from now on."""
        with self._lock:
            pieces = []
            for stream, text in self._head:
                self.seq += 1
                pieces.append((self.seq, stream, text))
            for stream, text in self._tail:
                self.seq += 1
                pieces.append((self.seq, stream, text))
                self._count_tail(self.seq, len(text.encode()))
            self._head.clear()
            self._tail.clear()
            self._tail_bytes = 0
            gone = self._make_room()
            return Batch(pieces, gone, self.seq, self.dropped)

    def _count_written(self, seq: int, size: int) -> None:
        if self._head_room > 0:
            self._head_room -= size + PIECE_COST_BYTES
        else:
            self._count_tail(seq, size)

    def _count_tail(self, seq: int, size: int) -> None:
        self._written.append((seq, size))
        self._written_bytes += size + PIECE_COST_BYTES

    def _make_room(self) -> list[int]:
        """The oldest of the tail: never one of this batch, which alone is within the limit."""
        gone = []
        while self._written_bytes > self._half and len(self._written) > 1:
            seq, size = self._written.popleft()
            self._written_bytes -= size + PIECE_COST_BYTES
            self.dropped += size
            gone.append(seq)
        return gone


def _join(pieces: Pieces, stream: str, text: str) -> int:
    """Add to the last piece where it fits, else as a new one; returns the bytes that this costs."""
    size = len(text.encode())
    if pieces and pieces[-1][0] == stream and len(pieces[-1][1]) + len(text) <= PIECE_CHARS:
        pieces[-1] = (stream, pieces[-1][1] + text)
        return size
    pieces.append((stream, text))
    return size + PIECE_COST_BYTES

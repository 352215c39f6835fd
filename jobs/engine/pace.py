"""Long work in short pieces, so that nobody waits for it."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

PIECE_S = 0.05
"""How long a piece shall take; the next one begins after as long a pause."""
FIRST, SMALLEST, LARGEST = 20, 5, 2000
T = TypeVar("T")


class Pace:
    """Learns how many things make a piece of that length."""

    def __init__(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        self.should_stop = should_stop
        self.size = FIRST

    def work(self, things: Sequence[T], deed: Callable[[list[T]], object]) -> int:
        """Do it to all, or until it is time to stop; returns to how many. Each piece is a transaction of its own."""
        start = 0
        while start < len(things) and not self.should_stop():
            piece = list(things[start : start + self.size])
            began_at = time.monotonic()
            deed(piece)
            start += len(piece)
            self._rest(len(piece), max(time.monotonic() - began_at, 0.0001))
        return start

    def _rest(self, n: int, seconds: float) -> None:
        wanted = int(n * PIECE_S / seconds)
        if n == self.size or wanted < self.size:  # a small last piece says nothing about larger ones
            self.size = max(SMALLEST, self.size // 2, min(wanted, self.size * 2, LARGEST))
        time.sleep(seconds)

"""Waiting for conditions: no test knows how long the machine takes."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 3
PAUSE_S = 0.02


def eventually(condition: Callable[[], Any], *, within_s: float = 20, what: str = "what was awaited") -> Any:
    """Wait for something to become true; what it was is told when it does not.

    `within_s` is what a quiet machine needs at most; a busy one gets more.
    """
    until = time.monotonic() + within_s * PATIENCE
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(PAUSE_S)
    raise AssertionError(f"not within {within_s} s: {what}")

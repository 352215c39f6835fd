"""What the processes of one cluster tell each other through shared memory."""

from multiprocessing.sharedctypes import RawValue


class Flags:
    """Made before the fork, so that all processes of the cluster share it. Plain memory: no lock to die with."""

    def __init__(self) -> None:
        self._drain_until = RawValue("d", 0.0)
        self._claims = RawValue("L", 0)

    def drain(self, until: float) -> None:
        """No worker claims any more, and what runs must be over at `until` (`time.monotonic()`)."""
        self._drain_until.value = until

    @property
    def is_draining(self) -> bool:
        return self._drain_until.value > 0

    def drain_is_over(self, now: float) -> bool:
        return self.is_draining and now >= self._drain_until.value

    def count_claim(self) -> None:
        """Not exact when two count at once; enough to see that somebody is alive."""
        self._claims.value += 1

    @property
    def claims(self) -> int:
        return int(self._claims.value)


FLAGS = Flags()

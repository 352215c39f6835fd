"""How often somebody may be wrong: by the address that asks, never by the name alone, so that nobody locks out others.

Kept in memory by each process: a hub of N web processes allows N times as much.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from rest_framework.exceptions import Throttled

LONGEST_NAME = 150
IPV6_NETWORK = 64
"""What one customer gets: counted as one source."""


@dataclass(frozen=True)
class Limit:
    """So many at once, then one more every so many seconds."""

    at_once: int
    every_s: float


class Counter:
    """What each key has used of a limit, which time gives back. The least recently used keys go first."""

    REMEMBERED: ClassVar[int] = 10_000

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until one more is allowed, 0 for now."""
        return max(0.0, (self._level(key, now) + 1 - self._limit.at_once) * self._limit.every_s)

    def add(self, key: str, now: float, n: int = 1) -> None:
        self._used[key] = max(0.0, self._level(key, now) + n), now
        self._used.move_to_end(key)
        if len(self._used) > self.REMEMBERED:
            self._used.popitem(last=False)

    def _level(self, key: str, now: float) -> float:
        used, then = self._used.get(key, (0.0, now))
        return max(0.0, used - (now - then) / self._limit.every_s)

    def clear(self) -> None:
        self._used.clear()


class Attempts:
    """Passwords that are not known to be right: counted before they are checked, and given back if they were right."""

    def __init__(self, *, per_name: Limit, per_source: Limit) -> None:
        self._lock = threading.Lock()
        self._by_name, self._by_source = Counter(per_name), Counter(per_source)

    def take(self, address: str, name: str) -> None:
        """Raises `Throttled` when this source has been wrong too often, with this name or with any."""
        source, now = source_of(address), time.monotonic()
        named = _named(source, name)
        with self._lock:
            wait_s = max(self._by_name.wait_s(named, now), self._by_source.wait_s(source, now))
            if wait_s > 0:
                raise Throttled(wait=math.ceil(wait_s), detail="too many wrong passwords from this address.")
            self._by_name.add(named, now)
            self._by_source.add(source, now)

    def give_back(self, address: str, name: str) -> None:
        source, now = source_of(address), time.monotonic()
        with self._lock:
            self._by_name.add(_named(source, name), now, -1)
            self._by_source.add(source, now, -1)

    def forget(self) -> None:
        with self._lock:
            self._by_name.clear()
            self._by_source.clear()


ATTEMPTS = Attempts(per_name=Limit(at_once=10, every_s=6), per_source=Limit(at_once=30, every_s=2))


def _named(source: str, name: str) -> str:
    return f"{source} {name[:LONGEST_NAME]}"


def source_of(address: str) -> str:
    """The address, or the network that one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = getattr(found, "ipv4_mapped", None)
    if found.version == 4 or mapped:
        return str(mapped or found)
    return str(ipaddress.ip_network((int(found), IPV6_NETWORK), strict=False))

"""Which levels belong together, and which one comes next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from jobs.errors import RunFailed
from jobs.runners.archive.store import Home, Level, Listing


@dataclass(frozen=True)
class LevelRules:
    """When a backup is a full one; without any rule each is."""

    max_level: int | None = None
    always_level: int | None = None
    restart_after_days: float | None = None

    @property
    def is_always_full(self) -> bool:
        return (self.max_level, self.always_level, self.restart_after_days) == (None, None, None)

    def base_of_next(self, chain: Sequence[Level], now: datetime) -> Level | None:
        """What the next level is based on, given the newest chain (the full one first); `None`: it is a full one."""
        if not chain or self.is_always_full:
            return None
        age = now - chain[0].manifest.created_at
        if self.restart_after_days is not None and age > timedelta(days=self.restart_after_days):
            return None
        if self.max_level is not None and len(chain) > self.max_level:
            return None
        usable = chain if self.always_level is None else chain[: self.always_level]
        return usable[-1] if usable else None


def chain_of(level: Level, listing: Listing) -> list[Level]:
    """The level and all that it needs, the full one first. `RunFailed` names the one that is missing or damaged."""
    known = {each.id: each for each in listing.levels}
    chain = [level]
    while (parent := chain[0].manifest.parent) is not None:
        if parent not in known:
            raise RunFailed(f"{chain[0].path} needs {parent}, which {_fate(parent, listing)}")
        if known[parent].manifest.level != chain[0].manifest.level - 1:
            raise RunFailed(f"{chain[0].path} needs {parent}, which is not the level before it")
        chain.insert(0, known[parent])
    return chain


def _fate(level_id: str, listing: Listing) -> str:
    reasons = [damage.reason for damage in listing.damages if damage.path.name == level_id]
    return f"is damaged: {reasons[0]}" if reasons else "is not there any more"


def to_remove(listing: Listing, is_over: Callable[[Path, datetime], bool]) -> list[Level]:
    """The levels that are over, by their path and when they began, and that nothing to keep needs; the higher levels
    first.

    Kept are the newest level and whatever a kept one needs. What a damaged level needs nobody knows: while one that is
    not over is damaged, everything stays.
    """
    if any(damage.is_level and not is_over(damage.path, damage.stamp) for damage in listing.damages):
        return []
    known = {level.id: level for level in listing.levels}
    keep: set[str] = set()
    young = [each for each in listing.levels if not is_over(each.path, each.manifest.created_at)]
    for level in young + listing.levels[-1:]:
        needed: Level | None = level
        while needed and needed.id not in keep:
            keep.add(needed.id)
            needed = known.get(needed.manifest.parent or "")
    doomed = [level for level in listing.levels if level.id not in keep]
    return sorted(doomed, key=lambda level: -level.manifest.level)


def newest_at(home: Home, listing: Listing, at: datetime) -> Level:
    """The newest level that began at that moment or before. `RunFailed` when there is none, or it is damaged."""
    candidates = [level for level in listing.levels if level.manifest.created_at <= at]
    if not candidates and listing.levels:
        oldest = listing.levels[0].manifest.created_at
        raise RunFailed(f"the backup {home.name!r} in {home.container} begins at {oldest.isoformat()}, after 'at'")
    newest = candidates[-1] if candidates else None
    for damage in reversed(listing.damages):
        if damage.is_level and damage.stamp <= at and (newest is None or damage.path.name > newest.id):
            raise RunFailed(
                f"the newest level {damage.path} is damaged: {damage.reason}; "
                f"give an 'at' before {damage.stamp.isoformat()} to restore the state before it"
            )
    if newest is None:
        raise RunFailed(f"the backup {home.name!r} in {home.container} has no complete level")
    return newest

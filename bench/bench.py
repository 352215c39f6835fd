"""One run of the bench: what it may use, what it makes, and what it found beside the figures."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import control
from bench.control import Control
from bench.databases import Postgres
from bench.hub import Hub
from bench.peers import SAVE_ALL, Peer


@dataclass(frozen=True)
class SetUp:
    """A database and a broker, by the URLs of their servers; empty: the embedded ones."""

    name: str
    database: str = ""
    broker: str = ""
    workers: int = 2


@dataclass
class Bench:
    folder: Path
    quick: bool
    servers: SetUp | None
    """PostgreSQL and Redis, where both run."""
    controls: list[Control] = field(default_factory=list)
    in_force: dict[str, dict[str, Any]] = field(default_factory=dict)
    embedded: SetUp = field(default_factory=lambda: SetUp("embedded"))
    _n_stacks: int = 0

    @property
    def set_ups(self) -> list[SetUp]:
        return [self.embedded, *([self.servers] if self.servers else [])]

    def few(self, quick: int, full: int) -> int:
        """How often or how long, for a smoke test and for a measurement."""
        return quick if self.quick else full

    @contextlib.contextmanager
    def hub(self, part: str, set_up: SetUp, **settings: Any) -> Iterator[Hub]:
        """A hub that does not run yet. It has to run at the end: it is asked for its control then, and stopped."""
        with self._database(set_up) as database:
            hub = Hub(self._folder(), database, broker=set_up.broker, workers=set_up.workers, **settings)
            self.in_force[f"JobHub, {set_up.name}"] = hub.in_force
            try:
                yield hub
                self.controls.append(control.check(hub, part, set_up.name))
            finally:
                hub.stop()

    @contextlib.contextmanager
    def peer(self, set_up: SetUp, save_limit: int = SAVE_ALL) -> Iterator[Peer]:
        """The peer of such a hub, not running yet, stopped at the end."""
        with self._database(set_up) as database:
            peer = Peer(self._folder(), database, broker=set_up.broker, workers=set_up.workers, save_limit=save_limit)
            kept = "" if save_limit == SAVE_ALL else f", save_limit {save_limit}"
            self.in_force[f"peer, {set_up.name}{kept}"] = peer.in_force
            try:
                yield peer
            finally:
                peer.stop()

    @contextlib.contextmanager
    def both(self, part: str, set_up: SetUp) -> Iterator[tuple[Hub, Peer]]:
        """Both, running side by side, to be measured in turns."""
        with self.hub(part, set_up) as hub, self.peer(set_up) as peer:
            hub.start()
            peer.start()
            yield hub, peer

    def _folder(self) -> Path:
        self._n_stacks += 1
        return self.folder / f"stack{self._n_stacks}"

    @contextlib.contextmanager
    def _database(self, set_up: SetUp) -> Iterator[Postgres | None]:
        database = Postgres(set_up.database) if set_up.database else None
        try:
            yield database
        finally:
            if database:
                database.drop()

"""The peer: a minimal django-q2 project (`bench.peer`) on the same server, database and broker."""

import sys
from pathlib import Path

from bench.client import Connection
from bench.databases import Database, Sqlite
from bench.stack import Stack

SAVE_ALL = 0
SAVE_NOTHING = -1


class Peer(Stack):
    """`manage.py qcluster` and granian, as its documentation starts them."""

    def __init__(
        self, folder: Path, database: Database | None, *, broker: str = "", workers: int = 2, save_limit: int = SAVE_ALL
    ) -> None:
        super().__init__(folder, database or Sqlite(folder / "peer.sqlite3"), {})
        self.env |= {
            "DJANGO_SETTINGS_MODULE": "bench.peer.settings",
            "PEER_DATABASE_URL": self.database.url,
            "PEER_REDIS_URL": broker,
            "PEER_WORKERS": str(workers),
            "PEER_SAVE_LIMIT": str(save_limit),
        }
        self.in_force = self.inside("prepare_peer")["in_force"]

    def commands(self) -> list[list[str]]:
        return [self.cluster(), self._web()]

    @staticmethod
    def cluster() -> list[str]:
        return [sys.executable, "-m", "django", "qcluster"]

    def _web(self) -> list[str]:
        options = {"interface": "wsgi", "port": self.port, "workers": 2, "blocking-threads": 4, "log-level": "warning"}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return [sys.executable, "-m", "granian", *words, "bench.peer.wsgi:application"]

    def is_ready(self) -> bool:
        """Its web server answers and one task has run."""
        if not self._first_task:
            with self.connect() as connection:
                self._first_task = self.trigger(connection)
        with self.connect() as connection:
            return self.is_finished(connection, self._first_task)

    _first_task = ""

    def stop(self) -> None:
        super().stop()
        self._first_task = ""

    def n_done(self) -> int:
        return int(self.database.rows("SELECT count(*) FROM django_q_task")[0][0])

    def n_active(self) -> int:
        """Messages that are not acknowledged; only of the database as the broker."""
        return int(self.database.rows("SELECT count(*) FROM django_q_ormq")[0][0])

    # -- requests --------------------------------------------------------------------------------------------------
    trigger_path = "/trigger"
    with_key: dict[str, str] = {}
    """It asks for no credentials."""

    def connect(self) -> Connection:
        return Connection(self.port)

    def trigger(self, connection: Connection) -> str:
        answer = connection.ask("POST", self.trigger_path)
        if answer.status != 202:
            raise RuntimeError(f"the peer's trigger was answered with {answer.status}")
        return f"/tasks/{answer.json['id']}"

    def is_finished(self, connection: Connection, path: str) -> bool:
        return bool(connection.ask("GET", path).json["state"] == "succeeded")

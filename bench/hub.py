"""A hub of real processes, with a user, a key and a job that does nothing."""

import base64
import sys
import uuid
from pathlib import Path

from bench.client import Connection
from bench.databases import Database, Sqlite
from bench.stack import Stack, eventually

PASSWORD = f"bench-{uuid.uuid4().hex}"
FINAL = "('succeeded', 'failed', 'aborted')"


class Hub(Stack):
    """What `manage.py setup` makes, and `manage.py up` runs; settings are the defaults but for those given."""

    def __init__(self, folder: Path, database: Database | None, *, broker: str = "", **settings: object) -> None:
        var = folder / "var"
        super().__init__(folder, database or Sqlite(var / "hub" / "jobhub.sqlite3"), {})
        self.env |= {
            "DJANGO_SETTINGS_MODULE": "jobhub.settings",
            "JOBHUB_VAR": str(var),
            "JOBHUB_PORT": str(self.port),
            "JOBHUB_ADMIN_PASSWORD": PASSWORD,
            "JOBHUB_NODE": f"bench-{uuid.uuid4().hex[:8]}",
            **({"JOBHUB_DATABASE_URL": database.url} if database else {}),
            **({"JOBHUB_REDIS_URL": broker} if broker else {}),
            **{f"JOBHUB_{name.upper()}": str(value) for name, value in settings.items()},
        }
        made = self.inside("prepare_hub")
        self.in_force = made["in_force"]
        self.job: int = made["job"]
        self.key: str = made["key"]

    def commands(self) -> list[list[str]]:
        return [[sys.executable, "manage.py", "up"]]

    def is_ready(self) -> bool:
        return self.get("/readyz").status == 200

    def start(self) -> float:
        """Measured until it is ready; returns when it has also done what was waiting."""
        seconds = super().start()
        self.wait_until_idle()
        return seconds

    def wait_until_idle(self) -> None:
        eventually(lambda: not self.n_active(), "the end of all executions", every_s=0.02)

    # -- what there is ---------------------------------------------------------------------------------------------
    def n_active(self) -> int:
        return self._count(f"jobs_jobexecution WHERE state NOT IN {FINAL}")

    def n_done(self) -> int:
        """How many executions have ended."""
        return self._count(f"jobs_jobexecution WHERE state IN {FINAL}")

    def _count(self, what: str) -> int:
        return int(self.database.rows(f"SELECT count(*) FROM {what}")[0][0])

    # -- requests --------------------------------------------------------------------------------------------------
    @property
    def trigger_path(self) -> str:
        return f"/hub/v1/jobs/{self.job}/trigger"

    @property
    def with_key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def with_password(self, password: str = PASSWORD) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(f'admin:{password}'.encode()).decode()}"}

    def connect(self) -> Connection:
        return Connection(self.port, self.with_key)

    def trigger(self, connection: Connection) -> str:
        """Returns where its state is to be seen."""
        answer = connection.ask("POST", self.trigger_path)
        if answer.status != 202:
            raise RuntimeError(f"a trigger was answered with {answer.status}: {answer.body!r}")
        return f"/hub/v1/executions/{answer.json['id']}"

    def is_finished(self, connection: Connection, path: str) -> bool:
        answer = connection.ask("GET", path)
        state = answer.json["state"]
        if answer.status != 200 or state in ("failed", "aborted"):
            raise RuntimeError(f"{answer.status}: {answer.body!r}")
        return bool(state == "succeeded")

    def finished_path(self) -> str:
        """An execution that has ended."""
        with self.connect() as connection:
            path = self.trigger(connection)
            eventually(lambda: self.is_finished(connection, path), "the end of an execution")
        return path

"""The hub that clients speak to."""

import contextlib
import json
import urllib.parse
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.jobhub.hub import Hub, free_port
from tests.waiting import eventually

PASSWORD = "a long enough secret"


class ClientsHub(Hub):
    """A hub with a TLS port and its own certificate, administrator `admin` and project `default`."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.tls_port = free_port()
        super().__init__(
            folder, TLS_PORT=self.tls_port, ADMIN_PASSWORD=PASSWORD, ALLOWED_TARGETS="127.0.0.1,localhost", **settings
        )
        self.folder = folder

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"https://localhost:{self.tls_port}"

    @property
    def data(self) -> Path:
        """Where jobs may read and write."""
        return Path(self.env["JOBHUB_VAR"]) / "data"

    @property
    def certificate(self) -> Path:
        """What clients check its TLS port by."""
        return Path(self.env["JOBHUB_VAR"]) / "hub" / "tls.crt"

    @cache  # noqa: B019
    def key(self, level: str = "admin") -> str:
        """A key of the administrator's."""
        done = self.run("apikey", "create", "--user", "admin", "--level", level, "--json")
        assert done.returncode == 0, done.stderr
        key: str = json.loads(done.stdout)["key"]
        return key

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """An answer of the hub's own REST API, below `/hub/v1/`."""
        return self.ask_face(method, f"/hub/v1/{path}", body)

    def ask_face(self, method: str, path: str, body: Any = None) -> Any:
        """An answer of whatever face."""
        headers = {"Authorization": f"Bearer {self.key()}", "Content-Type": "application/json"}
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        assert answer.status < 400, text
        return json.loads(text) if text else None

    def last_run(self, job: str) -> dict[str, Any] | None:
        """The newest execution of a job, as the native face shows it."""
        rows = self.ask("GET", f"executions?job={urllib.parse.quote(job)}&limit=1")["results"]
        return rows[0] if rows else None

    def wait_for_end(self, job: str, *, within_s: float = 60) -> dict[str, Any]:
        """Its newest execution, once it has ended."""

        def ended() -> dict[str, Any] | None:
            run = self.last_run(job)
            return run if run and run["finished_at"] else None

        found: dict[str, Any] = eventually(ended, within_s=within_s, what=f"the end of {job}")
        return found

"""The Vertica face's page of data."""

from datetime import datetime
from typing import Any

from jobs.states import State
from vendors.vertica.auth import VerticaKey
from vendors.wire.auth import AnyScheme, BasicAuthentication, BrowserSession, KeyAuthentication
from vendors.wire.problems import PLAIN, ErrorRow, Problem
from vendors.wire.renderers import indented
from vendors.wire.states import StateWords
from vendors.wire.vendor import Page, Paging, Vendor

RUNNING, COMPLETE = "running", "complete"
"""The agent has one bit, `is_running`: jobs always start immediately, there is no waiting."""
WORDS = {
    State.QUEUED: RUNNING,
    State.RUNNING: RUNNING,
    State.PAUSED: RUNNING,
    State.ABORTING: RUNNING,
    State.SUCCEEDED: COMPLETE,
    State.FAILED: COMPLETE,
    State.ABORTED: COMPLETE,
}
STATES = StateWords(
    words=WORDS,
    back={word: frozenset(state for state, its in WORDS.items() if its == word) for word in (RUNNING, COMPLETE)},
)
TRACKED = 1000
"""So many jobs are listed, the newest ones: the agent has no paging."""


def epoch(at: datetime | None) -> str | None:
    """Seconds as text, with two decimals: `1405012461.18`."""
    return None if at is None else f"{at.timestamp():.2f}"


def error_body(problem: Problem, row: ErrorRow) -> dict[str, Any]:  # noqa: ARG001
    return {"error": problem.detail}


def enveloped(body: Any, href: str, *, links: tuple[str, ...] = (), kind: str) -> dict[str, Any]:
    """What every GET answers with."""
    return {"body": body, "href": href, "links": list(links), "mime-type": f"application/vertica.{kind}.json-v2"}


def jobs_envelope(page: Page) -> dict[str, Any]:
    return enveloped(page.rows, "/jobs", links=("/:jobid",), kind="jobs")


VENDOR = Vendor(
    name="vertica",
    product="Vertica agent",
    versions=("12.0", "11.1", "10.1"),
    sources=(
        "https://docs.vertica.com/12.0.x/en/connecting-to/management-api/rest-apis-agent/ (November 2026)",
        "https://www.vertica.com/docs/10.1.x/HTML/Content/Authoring/ConnectingToVertica/ManagementAPI/ (November 2026)",
    ),
    mounts=("", "vertica/"),
    owns=("jobs/", "databases/", "backups/", "restore/", "webhooks/", "hosts/", "nodes/", "licenses/"),
    states=STATES,
    time=epoch,
    paging=Paging(default=TRACKED, largest=TRACKED),
    envelope=jobs_envelope,
    errors=PLAIN,
    error_body=error_body,
    error_type="application/json",
    json=indented(4, sort_keys=True),
    collapses_slashes=True,
    authentication=(VerticaKey, KeyAuthentication, BasicAuthentication, AnyScheme, BrowserSession),
)

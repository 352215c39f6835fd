"""Kiln's page of data."""

from datetime import datetime
from typing import Any

from jobs.states import State
from vendors.wire.auth import AnyScheme, BasicAuthentication, BrowserSession, KeyAuthentication
from vendors.wire.problems import ErrorRow, Kind, Problem
from vendors.wire.renderers import compact
from vendors.wire.states import StateWords
from vendors.wire.vendor import Page, Paging, Vendor

WORDS = {
    State.QUEUED: "drying",
    State.RUNNING: "firing",
    State.PAUSED: "drying",
    State.ABORTING: "cooling",
    State.SUCCEEDED: "fired",
    State.FAILED: "cracked",
    State.ABORTED: "broken off",
}
STATES = StateWords(
    words=WORDS,
    back={word: frozenset(state for state, its in WORDS.items() if its == word) for word in WORDS.values()},
)
STATUSES = {
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.NO_ROUTE: 404,
    Kind.METHOD: 405,
    Kind.CONFLICT: 409,
    Kind.HELD: 409,
    Kind.BUSY: 409,
    Kind.ILLEGAL_MOVE: 409,
    Kind.TOO_LARGE: 413,
    Kind.THROTTLED: 429,
    Kind.BUG: 500,
    Kind.UNAVAILABLE: 503,
}
ERRORS = {kind: ErrorRow(STATUSES.get(kind, 400), f"KILN-{number:03}") for number, kind in enumerate(Kind, start=1)}


def seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def error_body(problem: Problem, row: ErrorRow) -> dict[str, Any]:
    return {"trouble": row.code, "why": problem.detail}


def envelope(page: Page) -> dict[str, Any]:
    return {"firings": page.rows, "more": page.next}


VENDOR = Vendor(
    name="kiln",
    product="Kiln",
    versions=("1",),
    sources=("nobody but this suite",),
    mounts=("kiln/v1/",),
    states=STATES,
    time=seconds,
    paging=Paging(limit="count", cursor="from", default=20, largest=100),
    envelope=envelope,
    errors=ERRORS,
    error_body=error_body,
    error_type="application/json",
    json=compact,
    authentication=(KeyAuthentication, BasicAuthentication, AnyScheme, BrowserSession),
)

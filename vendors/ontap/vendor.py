"""The ONTAP face's page of data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings

from jobs.states import State
from vendors.ontap.auth import HubKey, OntapBasic
from vendors.ontap.problems import error_json
from vendors.wire.auth import AnyScheme, BrowserSession
from vendors.wire.problems import ErrorRow, Kind, Problem
from vendors.wire.states import StateWords
from vendors.wire.vendor import Page, Paging, Vendor

WORDS = {
    State.QUEUED: "queued",
    State.RUNNING: "running",
    State.PAUSED: "paused",
    State.ABORTING: "running",
    State.SUCCEEDED: "success",
    State.FAILED: "failure",
    State.ABORTED: "failure",
}
"""Exactly these five are known to clients; there is no word for what is being cancelled."""
STATES = StateWords(
    words=WORDS,
    back={word: frozenset(state for state, its in WORDS.items() if its == word) for word in WORDS.values()},
)
ERRORS = {
    Kind.INVALID: ErrorRow(400, "2"),
    Kind.MALFORMED: ErrorRow(400, "2"),
    Kind.UNAUTHENTICATED: ErrorRow(401, "6691623", "User is not authorized."),
    Kind.FORBIDDEN: ErrorRow(403, "6", "not authorized for that command"),
    Kind.NOT_FOUND: ErrorRow(404, "4", "entry doesn't exist"),
    Kind.NO_ROUTE: ErrorRow(404, "3", "API not found"),
    Kind.METHOD: ErrorRow(405, "3", "This operation is not supported."),
    Kind.CONFLICT: ErrorRow(409, "8"),
    Kind.HELD: ErrorRow(409, "8"),
    Kind.BUSY: ErrorRow(409, "8"),
    Kind.ILLEGAL_MOVE: ErrorRow(409, "8"),
    Kind.STALE: ErrorRow(412, "8"),
    Kind.TOO_LARGE: ErrorRow(413, "2"),
    Kind.MEDIA_TYPE: ErrorRow(415, "2"),
    Kind.THROTTLED: ErrorRow(429, "8"),
    Kind.UNAVAILABLE: ErrorRow(503, "458773", "The Job Manager is not initialized."),
    Kind.BUG: ErrorRow(500, "1"),
}
"""With a text where ONTAP has one of its own. 8 is "the resource is in use"."""
LARGEST = 10_000
RECORDED = {"Cache-Control": "no-cache,no-store,must-revalidate"}


def ontap_time(at: datetime | None) -> str | None:
    """`2021-04-30T07:21:10-04:00`: whole seconds, in the hub's zone, with an offset even where it is none."""
    return None if at is None else at.astimezone(ZoneInfo(settings.TIME_ZONE)).isoformat(timespec="seconds")


def ontap_json(value: Any) -> bytes:
    """Over many lines; so is an empty object, as recorded."""
    return b"{\n}" if value == {} else orjson.dumps(value, option=orjson.OPT_INDENT_2)


def error_body(problem: Problem, row: ErrorRow) -> dict[str, Any]:
    """One error, the first: ONTAP tells no more at once."""
    if not problem.fields:
        return error_json(row.code, row.title or problem.detail)
    first = problem.fields[0]
    return error_json(row.code, first.message, first.field)


def envelope(page: Page) -> dict[str, Any]:
    return {"records": page.rows, "num_records": len(page.rows)}


def headers(_request: Any) -> Mapping[str, str]:
    return RECORDED


VENDOR = Vendor(
    name="ontap",
    product="NetApp ONTAP",
    versions=("9.15.1",),
    sources=(
        "https://docs.netapp.com/us-en/ontap-restapi/ontap/cluster_jobs_endpoint_overview.html (November 2026)",
        "https://docs.netapp.com/us-en/ontap-automation/rest/interpret_api_response.html (November 2026)",
        "netapp-ontap 9.10.1.0 and 9.19.1.0, the client library on PyPI",
    ),
    mounts=("", "ontap/"),
    owns=("api/",),
    states=STATES,
    time=ontap_time,
    paging=Paging(limit="max_records", cursor="start.uuid", default=LARGEST, largest=LARGEST),
    envelope=envelope,
    errors=ERRORS,
    error_body=error_body,
    error_type="application/hal+json",
    json=ontap_json,
    authentication=(OntapBasic, HubKey, AnyScheme, BrowserSession),
    collapses_slashes=True,
    headers=headers,
    project_headers=("HTTP_X_DOT_SVM_NAME", "HTTP_X_DOT_SVM_UUID"),
)

"""The Datameer face's page of data."""

from typing import Any

from vendors.datameer.auth import DatameerBasic
from vendors.datameer.times import medium
from vendors.datameer.words import STATES
from vendors.wire.auth import AnyScheme, BrowserSession, KeyAuthentication
from vendors.wire.problems import PLAIN, ErrorRow, Kind, Problem
from vendors.wire.renderers import pretty
from vendors.wire.vendor import Page, Paging, Vendor

ERRORS = {**PLAIN, Kind.UNAUTHENTICATED: ErrorRow(401, "", "Unauthorized")}
"""The vendor documents no statuses, only that they tell more than the bodies; these are HTTP's own."""
V2 = "/api/"
NO_FILE = "File doesn't exist or isn't accessible with current permissions"
"""The one error that the vendor prints (REST API Job Commands, 7.0)."""


def error_body(problem: Problem, row: ErrorRow) -> dict[str, Any]:
    """Two forms: what cannot be read is an `error` (its Nagios checks look for it), what cannot be done a `failure`."""
    detail = row.title or problem.detail
    if problem.kind is Kind.NOT_FOUND and V2 in problem.path:
        return {"status": "failure", "reason": NO_FILE}
    is_read = problem.method in ("GET", "HEAD") and V2 not in problem.path
    if is_read or problem.kind is Kind.UNAUTHENTICATED:
        return {"error": detail}
    return {"status": "failure", "reason": detail}


def envelope(page: Page) -> list[Any]:
    return page.rows


VENDOR = Vendor(
    name="datameer",
    product="Datameer",
    versions=("11.0", "10.1", "7.5"),
    sources=(
        "https://datameer.atlassian.net/wiki/spaces/DAS70/pages/31963976040/REST+API+Job+Commands (November 2026)",
        "https://datameer.atlassian.net/wiki/spaces/DAS70/pages/31963976041/REST+API+Administrator+Information",
        "https://datameer.atlassian.net/wiki/spaces/DAS100/pages/19313110787/REST+API+Connections",
        "https://datameer.atlassian.net/wiki/spaces/DAS110/pages/9645140209 (import jobs), …/9645140206 (export jobs)",
        "the clients in use: HariSekhon/Nagios-Plugins, pierre-jenchen/datameer-client, secmff/datameer_exporter",
    ),
    mounts=("", "datameer/"),
    owns=("rest/", "api/job-execution/", "api/workbooks/"),
    states=STATES,
    time=medium,
    paging=Paging(limit="length", cursor="start", default=10, largest=10_000),
    envelope=envelope,
    errors=ERRORS,
    error_body=error_body,
    error_type="application/json",
    json=pretty,
    drops_last_slash=True,
    authentication=(DatameerBasic, KeyAuthentication, AnyScheme, BrowserSession),
)

"""The Siren face's page of data."""

from typing import Any

from jobs.states import State
from vendors.siren.auth import Anonymous, ApiKey, BasicAuthentication, Bearer
from vendors.siren.errors import ERRORS, error_body
from vendors.siren.info import front, headers
from vendors.wire.auth import AnyScheme, BrowserSession
from vendors.wire.renderers import compact
from vendors.wire.states import StateWords
from vendors.wire.times import epoch_millis
from vendors.wire.vendor import Page, Paging, Vendor

WORDS = {
    State.QUEUED: "running",
    State.RUNNING: "running",
    State.PAUSED: "running",
    State.ABORTING: "aborting",
    State.ABORTED: "aborted",
    State.FAILED: "error",
    State.SUCCEEDED: "successful",
}
"""The connector knows no waiting: what it has accepted runs."""
STATES = StateWords(
    words=WORDS,
    back={word: frozenset(state for state, its in WORDS.items() if its == word) for word in WORDS.values()},
)
INFOS = {
    "running": "The job is running.",
    "aborting": "The job is aborting.",
    "aborted": "The job has been aborted.",
    "error": "The job has failed.",
    "successful": "The job is done.",
}
PAGING = Paging(limit="size", cursor="from", default=10, largest=10_000)
"""Elasticsearch's own: a window of 10,000, `from` counts rows."""


def envelope(page: Page) -> dict[str, Any]:
    return {"hits": {"total": len(page.rows), "hits": page.rows}}


VENDOR = Vendor(
    name="siren",
    product="Siren Federate connector",
    versions=("21", "20", "10.3", "10.2"),
    sources=(
        "https://docs.support.siren.io/10.2.1/platform/en/siren-federate/connector-apis/job-api.html (November 2026)",
        "https://docs.support.siren.io/10.3.3/platform/en/siren-federate/connector-apis/ingestion-api.html",
        "https://docs.support.siren.io/10.2.1/platform/en/siren-federate/connector-apis/datasource-api.html",
        "https://docs.support.siren.io/10.3.0/platform/en/siren-federate/connector-apis/virtual-index-api.html",
        "https://docs.support.siren.io/siren-federate-user-guide/21/siren-federate/connector-apis.html",
    ),
    mounts=("", "siren/"),
    owns=("_siren/",),
    states=STATES,
    time=epoch_millis,
    paging=PAGING,
    envelope=envelope,
    errors=ERRORS,
    error_body=error_body,
    error_type="application/json; charset=UTF-8",
    json=compact,
    authentication=(BasicAuthentication, ApiKey, Bearer, AnyScheme, BrowserSession, Anonymous),
    headers=headers,
    front=front,
)

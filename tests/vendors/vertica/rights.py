"""Who may do what through the agent's face: levels as its reference gives them."""

from datetime import UTC, datetime
from typing import Any

from jobs.engine.define import define
from jobs.engine.rights import operator
from jobs.models import Archive, Channel, JobExecution, Subscription
from jobs.paths import guard
from jobs.runners.archive.store import find_container
from tests.conftest import NOOP
from tests.vendors.rights import ADMIN, EDIT, LOGGED_IN, SEE, TRIGGER, Need, Row
from vendors.vertica import calls

ARCHIVE = "nightly_20261125_013000"
SUBSCRIBER = "79c1c8a18be02804b3d2f48ea6462909"
RECEIVER = "https%3A%2F%2F192.0.2.7%2Fended"
MADE_AT = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
HANDLE = "{execution.handle}"


def database(execution: JobExecution) -> None:
    """A database `VMart` with all its jobs."""
    actor = operator("test", execution.project)
    for call in calls.ALL:
        define({"name": f"VMart/{call.job}", "actions": [NOOP]}, actor=actor)


def archive(execution: JobExecution) -> None:
    """An archive of the job's, and a job that restores it."""
    container = find_container("rights")
    Archive.objects.create(
        project=execution.project,
        job_name="nightly/db",
        container=str(container),
        name="nightly",
        level=0,
        path=f"{container}/nightly/0",
        size_bytes=1,
        sha256="0" * 64,
        created_at=MADE_AT,
    )
    spec = {"container": "rights", "backup_name": "nightly", "target": str(guard().data / "restored")}
    define(
        {"name": "nightly/restore", "actions": [{"runner": "restore", "spec": spec}]},
        actor=operator("test", execution.project),
    )


def subscriber(execution: JobExecution) -> None:
    Subscription.objects.create(
        project=execution.project,
        uuid=SUBSCRIBER,
        channel=Channel.WEBHOOK,
        target="https://192.0.2.7/ended",
        events="failed",
        face="vertica",
    )


def agent(method: str, route: str, need: Need, path: str = "", **more: Any) -> Row:
    return Row(method=method, route=route, need=need, path=f"/{path or route}", **more)


def of_database(method: str, below: str, need: Need, query: str = "", **more: Any) -> Row:
    path = f"databases/VMart{below}".replace("<str:host_id>", "h1").replace("<str:host_id_new>", "h2")
    more = {"prepare": database, "stranger": 404, **more}
    return agent(method, f"databases/<str:db>{below}", need, f"{path}{query}", **more)


HOST = "/hosts/<str:host_id>"
ROWS = [
    agent("get", "", LOGGED_IN, "vertica/"),
    agent("get", "jobs", LOGGED_IN),
    agent("get", "jobs/<str:ref>", SEE, f"jobs/{HANDLE}"),
    agent("delete", "jobs/<str:ref>", EDIT, f"jobs/{HANDLE}"),
    agent("get", "databases", LOGGED_IN),
    agent("post", "databases", ADMIN, "databases?name=VMart", prepare=database, stranger=404),
    of_database("get", "", SEE),
    of_database("put", "", EDIT, "?action=stop"),
    of_database("delete", "", ADMIN),
    of_database("get", "/process", SEE),
    of_database("post", "/process", TRIGGER),
    of_database("delete", "/process", TRIGGER),
    of_database("post", "/rebalance/process", TRIGGER),
    of_database("post", "/Workload analyzer/process", TRIGGER),
    of_database("post", "/hosts", ADMIN, "?hostname=h1"),
    of_database("delete", HOST, ADMIN),
    of_database("post", f"{HOST}/process", TRIGGER),
    of_database("delete", f"{HOST}/process", TRIGGER),
    of_database("post", f"{HOST}/replace_with/<str:host_id_new>", ADMIN),
    agent("get", "backups", LOGGED_IN),
    agent("post", "backups/<path:config>", TRIGGER, "backups/nightly/db", job={"kind": "backup"}, stranger=404),
    agent(
        "get",
        "backups/<path:config>",
        SEE,
        f"backups/nightly/db/{ARCHIVE}",
        prepare=archive,
        stranger=404,
    ),
    agent("get", "webhooks", LOGGED_IN),
    agent("post", "webhooks/subscribe", TRIGGER, f"webhooks/subscribe?url={RECEIVER}", stranger=200),
    agent(
        "delete", "webhooks/<str:subscriber_id>", TRIGGER, f"webhooks/{SUBSCRIBER}", prepare=subscriber, stranger=404
    ),
    agent("post", "restore/<str:archive_id>", TRIGGER, f"restore/{ARCHIVE}", prepare=archive, stranger=404),
]

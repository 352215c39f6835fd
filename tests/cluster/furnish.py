"""Fill a hub with something of everything: `python -m tests.cluster.furnish N`, with so many executions more."""

import sys
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402

from jobs.engine import aborts, keys, members, retries, secrets, verbs  # noqa: E402
from jobs.engine.define import define  # noqa: E402
from jobs.engine.rights import operator  # noqa: E402
from jobs.engine.trigger import new_execution, trigger  # noqa: E402
from jobs.models import Archive, Job, JobExecution, Node, Output, Place, Project  # noqa: E402
from jobs.states import State  # noqa: E402

NOOP = {"runner": "python", "spec": {"callable": "noop"}}
ODD = {"ä\n\u2028": "☃ \x7f \\ ' \" %s", "float": 1.5, "big": 2**53 + 1, "none": None, "yes": True, "": ""}


def furnish(n_more: int) -> None:
    project = Project.objects.filter(name="default").first() or members.create_project("default", actor=operator("x"))
    actor = operator("test", project)
    user = members.create_user("ada", actor=actor, password="correct horse battery staple", email="a@example.org")
    members.set_member(user, project, "admin", actor=actor)
    keys.create_key(user, project, "normal", "a key", timezone.now() + timedelta(days=3), actor=actor)
    secrets.set_secret("door", "open sesame", actor=actor)
    job, _ = define({"name": "näme/☃", "actions": [{**NOOP, "key": "shared"}, NOOP], "params": ODD}, actor=actor)
    first, _ = trigger(job, actor=actor)
    trigger(job, actor=actor, after=[first], idempotency_key="once")
    Output.objects.create(execution=first, seq=1, stream="stdout", text="line\n☃ tab\t\x1b[0m\r\n")
    lease = timezone.now() + timedelta(minutes=5)
    first.move(State.RUNNING, attempt=1, node="n", worker="w", lease_until=lease, started_at=timezone.now())
    ended, _ = trigger(job, actor=actor)
    aborts.abort(ended, actor=actor)
    retries.retry(ended, actor=actor)
    verbs.hold(job, actor=actor, reason="because")
    Node.objects.create(name="shop", interval_s=30)
    place = {"container": "c", "name": "n", "path": "/p", "sha256": "0" * 64, "size_bytes": 2**40}
    Archive.objects.create(project=project, execution=ended, level=0, created_at=timezone.now(), **place)
    more(job, n_more)


def more(job: Job, number: int) -> None:
    rows = []
    for n in range(number):
        row = new_execution(job, actor=operator("test"), place=Place.HUB)
        row.handle, row.message = f"more-{n}", "m" * 500
        rows.append(row)
    JobExecution.objects.bulk_create(rows, batch_size=500)


if __name__ == "__main__":
    furnish(int(sys.argv[1]))
